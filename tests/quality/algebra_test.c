/* SPDX-License-Identifier: Apache-2.0 */
/* The linear algebra of the Frechet distance against closed forms: eigenvalues of matrices that
   have them, products by plain loops, and roots of covariances that are singular. */
#include "quality/algebra.h"

#include <float.h>

#include "quality/eigenvalues.h"
#include "quality/sets.h"

static const double PI = 3.14159265358979323846;

/* min(i, j) from 1 on: the inverse of second differences, with eigenvalues of a closed form. */
static void fill_least(int64_t n, double *matrix)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) matrix[i * n + j] = (double)(1 + (i < j ? i : j));
}

static double eigenvalue_of_least(int64_t n, int64_t k)
{
    double half = sin((2 * (double)(n - k) - 1) * PI / (2 * (2 * (double)n + 1)));
    return 1 / (4 * half * half);
}

static void eigenvalues_of_dense_matrices_are_those_of_their_closed_form(void **state)
{
    (void)state;
    static double matrix[300 * 300], values[300];
    static const int64_t sizes[] = {1, 2, 3, 17, 300};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int64_t n = sizes[s];
        fill_least(n, matrix);
        CHECK_OK(context, eigenvalues_find(context, n, matrix, values));
        for (int64_t k = 0; k < n; k++) {
            double most = eigenvalue_of_least(n, n - 1);
            CHECK_CLOSE(values[k] / most, eigenvalue_of_least(n, k) / most,
                        4 * (double)n * DBL_EPSILON);
        }
    }
}

static void eigenvalues_of_diagonal_matrices_are_their_numbers_in_ascending_order(void **state)
{
    (void)state;
    double matrix[] = {3, 0, 0, 0, -2, 0, 0, 0, 0}, zeros[4] = {0}, values[3];
    CHECK_OK(context, eigenvalues_find(context, 3, matrix, values));
    CHECK_CLOSE(values[0], -2, 1e-14);
    CHECK_CLOSE(values[1], 0, 1e-14);
    CHECK_CLOSE(values[2], 3, 1e-14);
    CHECK_OK(context, eigenvalues_find(context, 2, zeros, values));
    assert_true(values[0] == 0 && values[1] == 0);
}

static void a_matrix_with_numbers_that_are_not_finite_is_refused(void **state)
{
    (void)state;
    double matrix[] = {1, INFINITY, INFINITY, 1}, values[2];
    assert_int_equal(eigenvalues_find(context, 2, matrix, values), SUMI_ERROR_NUMBER);
    assert_non_null(strstr(sumi_context_message(context), "not finite"));
}

static void products_are_those_of_plain_loops(void **state)
{
    (void)state;
    enum { DEPTH = 300, M = 70, N = 67 };
    static double left[DEPTH * M], right[DEPTH * N], sum[M * N];
    for (int i = 0; i < DEPTH * M; i++) left[i] = sin(i);
    for (int i = 0; i < DEPTH * N; i++) right[i] = cos(0.7 * i);
    for (int i = 0; i < M * N; i++) sum[i] = i;
    const struct algebra_product product = {DEPTH, M, N, left, right, sum, false};
    CHECK_OK(context, algebra_add_product(context, &product));
    for (int i = 0; i < M; i++) {
        for (int j = 0; j < N; j++) {
            double expected = i * N + j;
            for (int k = 0; k < DEPTH; k++) expected += left[k * M + i] * right[k * N + j];
            CHECK_CLOSE(sum[i * N + j], expected, 1e-10);
        }
    }
}

/* The covariance of 3 directions in 6 dimensions: root of the product with itself, its trace. */
static void the_root_of_the_square_of_a_singular_covariance_is_itself(void **state)
{
    (void)state;
    enum { SIZE = 6 };
    double matrix[SIZE * SIZE] = {0}, zero[SIZE * SIZE] = {0}, expected = 0, trace = 1;
    for (int d = 0; d < 3; d++) {
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++)
                matrix[i * SIZE + j] += sin(d * SIZE + i) * sin(d * SIZE + j);
    }
    for (int i = 0; i < SIZE; i++) expected += matrix[i * SIZE + i];
    CHECK_OK(context, algebra_trace_of_root(context, SIZE, matrix, matrix, &trace));
    CHECK_CLOSE(trace, expected, 1e-12);
    CHECK_OK(context, algebra_trace_of_root(context, SIZE, zero, matrix, &trace));
    CHECK_CLOSE(trace, 0, 1e-12);
    CHECK_OK(context, algebra_trace_of_root(context, SIZE, matrix, zero, &trace));
    CHECK_CLOSE(trace, 0, 1e-12);
}

static void results_do_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    enum { SIZE = 200 };
    static double a[SIZE * SIZE], b[SIZE * SIZE];
    double traces[2];
    fill_least(SIZE, a);
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) b[i * SIZE + j] = exp(-0.1 * abs(i - j));
    int before = sumi_context_threads(context);
    for (int t = 0; t < 2; t++) {
        CHECK_OK(context, sumi_context_set_threads(context, 1 + 2 * t));
        CHECK_OK(context, algebra_trace_of_root(context, SIZE, a, b, &traces[t]));
    }
    CHECK_OK(context, sumi_context_set_threads(context, before));
    assert_true(traces[0] == traces[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(eigenvalues_of_dense_matrices_are_those_of_their_closed_form),
        CONTEXT_TEST(eigenvalues_of_diagonal_matrices_are_their_numbers_in_ascending_order),
        CONTEXT_TEST(a_matrix_with_numbers_that_are_not_finite_is_refused),
        CONTEXT_TEST(products_are_those_of_plain_loops),
        CONTEXT_TEST(the_root_of_the_square_of_a_singular_covariance_is_itself),
        CONTEXT_TEST(results_do_not_depend_on_the_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

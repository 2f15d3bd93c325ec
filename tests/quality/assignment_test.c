/* SPDX-License-Identifier: Apache-2.0 */
/* Best assignments against all permutations, and against sorted lists in one dimension. */
#include "quality/assignment.h"

#include "quality/sets.h"
#include "quality/sliced.h"

enum { ROWS = 7, COLUMNS = 3 };

/* The least sum over all assignments of rows from `row` on to columns that are not taken. */
static double least(const double *x, const double *y, int row, unsigned taken)
{
    double best = INFINITY;
    if (row == ROWS) return 0;
    for (int j = 0; j < ROWS; j++) {
        if (taken >> j & 1) continue;
        double square = 0;
        for (int k = 0; k < COLUMNS; k++) {
            double apart = x[row * COLUMNS + k] - y[j * COLUMNS + k];
            square += apart * apart;
        }
        best = fmin(best, square + least(x, y, row + 1, taken | 1U << j));
    }
    return best;
}

static void the_assignment_is_the_best_of_all_permutations(void **state)
{
    (void)state;
    for (int trial = 0; trial < 20; trial++) {
        double x[ROWS * COLUMNS], y[ROWS * COLUMNS], cost;
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            x[i] = sin(i * i + 3.0 * trial);
            y[i] = cos(2.0 * i * i + trial);
        }
        struct samples a = set_of(ROWS, COLUMNS, x), b = set_of(ROWS, COLUMNS, y);
        struct work work = work_of(context);
        CHECK_OK(context, assignment_cost(&work, &a, &b, &cost));
        CHECK_CLOSE(cost, least(x, y, 0, 0) / ROWS, 1e-13);
    }
}

static void single_numbers_are_assigned_by_their_order(void **state)
{
    (void)state;
    enum { COUNT = 150 };
    double x[COUNT], y[COUNT], cost;
    for (int i = 0; i < COUNT; i++) {
        x[i] = sin(i * i);
        y[i] = 1 + 2 * cos(3.0 * i * i);
    }
    struct samples a = set_of(COUNT, 1, x), b = set_of(COUNT, 1, y);
    struct work work = work_of(context);
    CHECK_OK(context, assignment_cost(&work, &a, &b, &cost));
    sort_numbers(COUNT, x);
    sort_numbers(COUNT, y);
    CHECK_CLOSE(cost, sorted_transport(COUNT, x, COUNT, y, 2), 1e-12);
}

static void sets_of_different_sizes_are_refused(void **state)
{
    (void)state;
    const int64_t few[] = {3, 2}, many[] = {4, 2};
    sumi_array a = normal_array(1, 2, few), b = normal_array(2, 2, many);
    sumi_measure *measure = NULL;
    CHECK_OK(context, sumi_measure_create(context, "wasserstein", &measure));
    assert_int_equal(sumi_measure_run(measure, &a, &b, NULL, NULL), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "3 and 4"));
    sumi_measure_free(measure);
    sumi_array_release(context, &a);
    sumi_array_release(context, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(the_assignment_is_the_best_of_all_permutations),
        CONTEXT_TEST(single_numbers_are_assigned_by_their_order),
        CONTEXT_TEST(sets_of_different_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

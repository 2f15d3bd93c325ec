/* SPDX-License-Identifier: Apache-2.0 */
/* The Frechet distance against its closed form for covariances with the same eigenvectors, and what
   it refuses. */
#include "quality/frechet.h"

#include "quality/sets.h"

enum { SIZE = 5, ROWS = 2 * SIZE };

/* Column i of an orthogonal matrix: the reflection at a plane. */
static double reflection(int i, int j)
{
    static const double normal[SIZE] = {0.5, -0.5, 0.5, 0.1, 0.4898979485566356};
    return (i == j) - 2 * normal[i] * normal[j];
}

/* Rows shift +- length_i times direction i: mean shift, variances 2 length_i^2 / (ROWS - 1). */
static void fill(const double lengths[SIZE], double shift, double rows[ROWS * SIZE])
{
    for (int i = 0; i < ROWS; i++) {
        double length = (i % 2 ? -1 : 1) * lengths[i / 2];
        for (int j = 0; j < SIZE; j++)
            rows[i * SIZE + j] = length * reflection(i / 2, j) + shift * (j + 1);
    }
}

static void the_distance_of_gaussians_with_the_same_axes_is_that_of_their_deviations(void **state)
{
    (void)state;
    static const double first[SIZE] = {1, 2, 0.5, 3, 0}, second[SIZE] = {2, 0.1, 0.5, 1, 0.7};
    double a[ROWS * SIZE], b[ROWS * SIZE], expected = 0, distance, mean_term;
    fill(first, 0.3, a);
    fill(second, -0.1, b);
    for (int i = 0; i < SIZE; i++) {
        double apart = (first[i] - second[i]) * sqrt(2.0 / (ROWS - 1)), shift = 0.4 * (i + 1);
        expected += apart * apart + shift * shift;
    }
    struct samples set_a = set_of(ROWS, SIZE, a), set_b = set_of(ROWS, SIZE, b);
    struct work work = work_of(context);
    struct moments of_a = {0}, of_b = {0};
    CHECK_OK(context, moments_measure(&work, &set_a, &of_a));
    CHECK_OK(context, moments_measure(&work, &set_b, &of_b));
    CHECK_OK(context, frechet_distance(context, &of_a, &of_b, &distance, &mean_term));
    CHECK_CLOSE(distance, expected, 1e-6); /* roots of eigenvalues that are 0 up to rounding */
    CHECK_CLOSE(mean_term, 0.16 * 55, 1e-12);
    CHECK_OK(context, frechet_distance(context, &of_a, &of_a, &distance, &mean_term));
    CHECK_CLOSE(distance, 0, 1e-6);
    moments_release(context, &of_a);
    moments_release(context, &of_b);
}

static void covariances_of_many_rows_have_the_divisor_of_one_less(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static double rows[MANY * 2];
    for (int i = 0; i < MANY; i++) {
        rows[2 * i] = 1e6 + i;
        rows[2 * i + 1] = -2 * i;
    }
    struct samples set = set_of(MANY, 2, rows);
    struct work work = work_of(context);
    struct moments moments = {0};
    CHECK_OK(context, moments_measure(&work, &set, &moments));
    double variance = MANY * (MANY + 1.0) / 12; /* of 0 ... MANY - 1 with that divisor */
    CHECK_CLOSE(moments.mean[0], 1e6 + (MANY - 1) / 2.0, 1e-6);
    CHECK_CLOSE(moments.covariance[0], variance, 1e-6);
    CHECK_CLOSE(moments.covariance[1], -2 * variance, 1e-6);
    CHECK_CLOSE(moments.covariance[2], -2 * variance, 1e-6);
    CHECK_CLOSE(moments.covariance[3], 4 * variance, 1e-6);
    moments_release(context, &moments);
}

static void one_sample_has_no_covariance(void **state)
{
    (void)state;
    const int64_t one[] = {1, 3}, many[] = {8, 3};
    sumi_array single = normal_array(1, 2, one), set = normal_array(2, 2, many);
    sumi_measure *measure = NULL;
    CHECK_OK(context, sumi_measure_create(context, "frechet", &measure));
    assert_int_equal(sumi_measure_run(measure, &single, &set, NULL, NULL), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "at least 2 samples"));
    sumi_measure_free(measure);
    sumi_array_release(context, &single);
    sumi_array_release(context, &set);
}

static void keep_sentence(void *user, const char *sentence)
{
    snprintf(user, 512, "%s", sentence);
}

static void fewer_samples_than_features_are_measured_with_a_warning_of_the_bias(void **state)
{
    (void)state;
    const int64_t few[] = {6, 10}, many[] = {40, 10};
    char sentence[512] = "";
    sumi_array samples = normal_array(1, 2, few), set = normal_array(2, 2, many);
    sumi_measure *measure = NULL;
    sumi_context_set_warning(context, keep_sentence, sentence);
    CHECK_OK(context, sumi_measure_create(context, "frechet", &measure));
    CHECK_OK(context, sumi_measure_run(measure, &set, &set, NULL, NULL));
    assert_string_equal(sentence, "");
    CHECK_OK(context, sumi_measure_run(measure, &samples, &set, NULL, NULL));
    assert_non_null(strstr(sentence, "too large"));
    sumi_measure_free(measure);
    sumi_array_release(context, &samples);
    sumi_array_release(context, &set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(the_distance_of_gaussians_with_the_same_axes_is_that_of_their_deviations),
        CONTEXT_TEST(covariances_of_many_rows_have_the_divisor_of_one_less),
        CONTEXT_TEST(one_sample_has_no_covariance),
        CONTEXT_TEST(fewer_samples_than_features_are_measured_with_a_warning_of_the_bias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

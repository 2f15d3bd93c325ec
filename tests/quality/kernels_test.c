/* SPDX-License-Identifier: Apache-2.0 */
/* Discrepancies of small sets by hand, and of larger ones with any number of threads. */
#include "quality/kernels.h"

#include "quality/sets.h"
#include "quality/subsets.h"

static void the_discrepancy_of_points_is_the_sum_over_their_pairs(void **state)
{
    (void)state;
    const double x[] = {0, 1}, y[] = {0.5, 3};
    struct samples a = set_of(2, 1, x), b = set_of(2, 1, y);
    struct work work = work_of(context);
    const struct kernel kernel = {.kind = KERNEL_GAUSSIAN, .width = 0.8};
    struct discrepancy result;
    CHECK_OK(context, kernel_discrepancy(&work, &a, &b, &kernel, &result));
    double c = 1 / (2 * 0.8 * 0.8), xx = exp(-c), yy = exp(-6.25 * c);
    double xy = (exp(-0.25 * c) + exp(-9 * c) + exp(-0.25 * c) + exp(-4 * c)) / 4;
    CHECK_CLOSE(result.unbiased, xx + yy - 2 * xy, 1e-14);
    CHECK_CLOSE(result.biased, (1 + xx) / 2 + (1 + yy) / 2 - 2 * xy, 1e-14);
}

static void the_polynomial_kernel_has_its_degree(void **state)
{
    (void)state;
    const double x[] = {1, 2, -1, 0}, y[] = {0.5, 1, 2, 2};
    struct samples a = set_of(2, 2, x), b = set_of(2, 2, y);
    struct work work = work_of(context);
    for (int degree = 1; degree <= 4; degree++) {
        const struct kernel kernel = {.kind = KERNEL_POLYNOMIAL, .degree = degree};
        struct discrepancy result;
        CHECK_OK(context, kernel_discrepancy(&work, &a, &b, &kernel, &result));
        double xy = pow(2.25, degree) + pow(4, degree) + pow(0.75, degree) + pow(0, degree);
        CHECK_CLOSE(result.unbiased, pow(0.5, degree) + pow(2.5, degree) - xy / 2, 1e-12);
    }
}

static void a_set_has_no_discrepancy_from_itself(void **state)
{
    (void)state;
    double x[60];
    for (int i = 0; i < 60; i++) x[i] = sin(i * i);
    struct samples a = set_of(20, 3, x);
    struct work work = work_of(context);
    for (int kind = 0; kind < 3; kind++) {
        const struct kernel kernel = {.kind = (enum kernel_kind)kind, .degree = 3, .width = 1};
        struct discrepancy result;
        CHECK_OK(context, kernel_discrepancy(&work, &a, &a, &kernel, &result));
        CHECK_CLOSE(result.biased, 0, 1e-13);
        assert_true(result.unbiased < 0 || kind == KERNEL_DISTANCE);
    }
}

static void results_do_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    static double x[401 * 7], y[333 * 7];
    for (int i = 0; i < 401 * 7; i++) x[i] = sin(0.1 * i * i);
    for (int i = 0; i < 333 * 7; i++) y[i] = cos(0.2 * i * i);
    struct samples a = set_of(401, 7, x), b = set_of(333, 7, y);
    const struct kernel kernel = {.kind = KERNEL_GAUSSIAN, .width = 2};
    struct discrepancy one, three;
    struct work work = work_of(context);
    CHECK_OK(context, sumi_context_set_threads(context, 1));
    CHECK_OK(context, kernel_discrepancy(&work, &a, &b, &kernel, &one));
    CHECK_OK(context, sumi_context_set_threads(context, 3));
    CHECK_OK(context, kernel_discrepancy(&work, &a, &b, &kernel, &three));
    assert_memory_equal(&one, &three, sizeof one);
}

static void the_median_is_that_of_all_distances(void **state)
{
    (void)state;
    const double x[] = {0, 1, 10}, y[] = {3, 7};
    struct samples a = set_of(3, 1, x), b = set_of(2, 1, y);
    struct work work = work_of(context);
    double median;
    CHECK_OK(context, kernel_median_distance(&work, &a, &b, 100, &median));
    CHECK_CLOSE(median, (4.0 + 6.0) / 2, 1e-14); /* 1 2 3 3 4, 6 7 7 9 10 */
}

static void
random_subsets_repeat_with_their_seed_and_sets_that_are_too_small_are_compared_whole(void **state)
{
    (void)state;
    static double x[90 * 2];
    for (int i = 0; i < 180; i++) x[i] = sin(3.0 * i);
    struct samples a = set_of(90, 2, x), b = set_of(60, 2, x);
    struct subset_settings settings = {.degree = 3, .size = 20, .count = 5, .seed = 4};
    struct work work = work_of(context);
    double mean[3], deviation[3];
    CHECK_OK(context, subsets_measure(&work, &settings, &a, &b, &mean[0], &deviation[0]));
    CHECK_OK(context, subsets_measure(&work, &settings, &a, &b, &mean[1], &deviation[1]));
    assert_true(mean[0] == mean[1] && deviation[0] == deviation[1] && deviation[0] > 0);
    settings.size = 60;
    CHECK_OK(context, subsets_measure(&work, &settings, &b, &b, &mean[2], &deviation[2]));
    const struct kernel kernel = {.kind = KERNEL_POLYNOMIAL, .degree = 3};
    struct discrepancy whole;
    CHECK_OK(context, kernel_discrepancy(&work, &b, &b, &kernel, &whole));
    assert_true(mean[2] == whole.unbiased && deviation[2] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(the_discrepancy_of_points_is_the_sum_over_their_pairs),
        CONTEXT_TEST(the_polynomial_kernel_has_its_degree),
        CONTEXT_TEST(a_set_has_no_discrepancy_from_itself),
        CONTEXT_TEST(results_do_not_depend_on_the_number_of_threads),
        CONTEXT_TEST(the_median_is_that_of_all_distances),
        CONTEXT_TEST(
            random_subsets_repeat_with_their_seed_and_sets_that_are_too_small_are_compared_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

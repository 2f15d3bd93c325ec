/* SPDX-License-Identifier: Apache-2.0 */
/* Clipping and dynamic thresholding against a sorted copy. */
#include "check.h"

#include "solvers/limit.h"
#include "solvers/solver.h"

static int compare(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static double sorted_quantile(const float *x, int count, double ratio)
{
    float sorted[512];
    for (int i = 0; i < count; i++) sorted[i] = fabsf(x[i]);
    qsort(sorted, (size_t)count, sizeof *sorted, compare);
    double rank = ratio * (count - 1), share = rank - floor(rank);
    int below = (int)rank, above = below + 1 < count ? below + 1 : below;
    return sorted[below] * (1 - share) + sorted[above] * share;
}

static void each_item_is_divided_by_its_own_quantile(void **state)
{
    (void)state;
    const double ratios[] = {0, 0.3, 0.5, 0.995, 1};
    const int sizes[] = {1, 2, 3, 64, 509};
    static float x[2 * 512], limited[2 * 512], scratch[2 * 512];
    for (int k = 0; k < 25; k++) {
        int size = sizes[k % 5];
        struct solver_options options;
        settings_default(&solver_ddpm, &options);
        options.thresholding = true;
        options.sample_max_value = 4;
        options.dynamic_thresholding_ratio = ratios[k / 5];
        for (int i = 0; i < 2 * size; i++) /* many equal values, the second item larger */
            limited[i] = x[i] = roundf(8 * sinf((float)(i * i))) / (i < size ? 2.5f : 1.0f);
        limit_clean(&options, 1, 2, size, scratch, limited);
        for (int i = 0; i < 2 * size; i++) {
            double limit = sorted_quantile(x + (i < size ? 0 : size), size, ratios[k / 5]);
            limit = fmin(fmax(limit, 1), 4);
            CHECK_CLOSE(limited[i], fmin(fmax(x[i], -limit), limit) / limit, 1e-6);
        }
    }
}

static void a_highest_value_below_one_wins_as_in_torchs_clamp(void **state)
{
    (void)state;
    struct solver_options options;
    settings_default(&solver_ddpm, &options);
    options.thresholding = true;
    options.sample_max_value = 0.5;
    float x[4] = {-3, -0.25, 0.4f, 2}, scratch[4];
    limit_clean(&options, 1, 1, 4, scratch, x);
    const double expected[4] = {-1, -0.5, 0.8, 1};
    for (int i = 0; i < 4; i++) CHECK_CLOSE(x[i], expected[i], 1e-6);
}

static void clipping_keeps_to_its_range_and_can_be_off(void **state)
{
    (void)state;
    struct solver_options options;
    settings_default(&solver_ddpm, &options);
    options.clip_sample_range = 1.5;
    float x[3] = {-2, 1.25f, 7};
    limit_clean(&options, 1, 1, 3, NULL, x);
    assert_true(x[0] == -1.5f && x[1] == 1.25f && x[2] == 1.5f);
    options.clip_sample = false;
    x[0] = -20;
    limit_clean(&options, 1, 1, 3, NULL, x);
    assert_true(x[0] == -20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_divided_by_its_own_quantile),
        cmocka_unit_test(a_highest_value_below_one_wins_as_in_torchs_clamp),
        cmocka_unit_test(clipping_keeps_to_its_range_and_can_be_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

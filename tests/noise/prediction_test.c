/* SPDX-License-Identifier: Apache-2.0 */
/* Every prediction, made from known data and noise, must lead back to them. */
#include "check.h"

#include "noise/prediction.h"
#include "vectors/rows.h"

enum { COUNT = 1000 };

static void every_prediction_leads_back_to_data_and_noise(void **state)
{
    (void)state;
    const enum prediction_type types[] = {PREDICTION_EPSILON, PREDICTION_SAMPLE,
                                          PREDICTION_V,       PREDICTION_SCORE,
                                          PREDICTION_FLOW,    PREDICTION_VELOCITY};
    enum { TYPES = sizeof types / sizeof *types };
    const double levels[][2] = {{0.8, 0.6}, {0.6, 0.8}, {1, 2}, {0.5, 0.1}};
    static float clean[COUNT], noise[COUNT], x[COUNT], target[COUNT], back[COUNT];
    for (int i = 0; i < COUNT; i++) {
        clean[i] = sinf((float)i);
        noise[i] = cosf(1.7f * (float)i);
    }
    for (int k = 0; k < 4 * TYPES; k++) {
        enum prediction_type type = types[k % TYPES];
        double a = levels[k / TYPES][0], s = levels[k / TYPES][1];
        const struct noise_level level = {a, s, -0.7, 1.1};
        struct prediction_target to_predict = prediction_target(type, &level);
        struct prediction_map map = prediction_map(type, &level);
        rows_combine(1, COUNT, x, 2, (struct row_term[]){{a, clean}, {s, noise}});
        prediction_fill(&to_predict, 1, COUNT, clean, noise, target);
        prediction_clean(&map, 1, COUNT, x, target, back);
        for (int i = 0; i < COUNT; i++) CHECK_CLOSE(back[i], clean[i], 2e-6);
        prediction_noise(&map, 1, COUNT, x, target, back);
        for (int i = 0; i < COUNT; i++) CHECK_CLOSE(back[i], noise[i], 1e-5);
    }
}

static void a_sample_without_noise_does_not_determine_the_noise(void **state)
{
    (void)state;
    const struct noise_level level = {.signal = 1};
    struct prediction_map map = prediction_map(PREDICTION_SAMPLE, &level);
    assert_true(map.noise_state == 0 && map.noise_prediction == 0);
    assert_true(map.clean_prediction == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prediction_leads_back_to_data_and_noise),
        cmocka_unit_test(a_sample_without_noise_does_not_determine_the_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

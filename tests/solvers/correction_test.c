/* SPDX-License-Identifier: Apache-2.0 */
/* Corrections of the estimate of data: one for each evaluation, also for solvers with their own
   conversion of predictions. */
#include "one_context.h"

#include <math.h>

static const double prediction = 0.3; /* what the network predicts everywhere */

static sumi_status predict(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    (void)user, (void)item_size, (void)x, (void)times;
    for (int64_t i = 0; i < count * output_size; i++) output[i] = (float)prediction;
    return SUMI_OK;
}

struct corrections {
    int64_t count;
    double before; /* the last estimate that was handed over */
};

/* Half the estimate and 1. */
static sumi_status halve(void *user, int64_t count, int64_t item_size, double signal, double noise,
                         float *clean)
{
    struct corrections *corrections = user;
    (void)signal, (void)noise;
    corrections->count++;
    corrections->before = clean[0];
    for (int64_t i = 0; i < count * item_size; i++) clean[i] = 0.5F * clean[i] + 1;
    return SUMI_OK;
}

static void every_evaluation_is_corrected_once(void **state)
{
    (void)state;
    const int64_t shape[] = {2, 3};
    sumi_solver_info info = {.size = sizeof info};
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        float x[6];
        struct corrections corrections = {0};
        sumi_solver *solver = NULL;
        if (strcmp(info.name, "binomial") == 0) continue;
        CHECK_OK(context, sumi_solver_create(context, info.name, &solver));
        CHECK_OK(context, sumi_solver_set(solver, "steps", "10"));
        CHECK_OK(context, sumi_solver_correct(solver, halve, &corrections));
        CHECK_OK(context, sumi_solver_start(solver, 2, shape, x));
        CHECK_OK(context, sumi_solver_run(solver, predict, NULL, 2, shape, x, NULL, NULL));
        if (corrections.count != sumi_solver_evaluations(solver))
            fail_msg("%s: %lld corrections of %lld evaluations", info.name,
                     (long long)corrections.count, (long long)sumi_solver_evaluations(solver));
        sumi_solver_free(solver);
    }
}

/* One step from `start` with a correction; what it ends at. */
static double step_once(const char *name, const char *const (*options)[2],
                        sumi_correction correction, void *user, double start)
{
    sumi_solver *solver = NULL;
    float x = (float)start;
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    CHECK_OK(context, sumi_solver_set(solver, "clip_sample", "false"));
    for (; (*options)[0]; options++)
        CHECK_OK(context, sumi_solver_set(solver, (*options)[0], (*options)[1]));
    CHECK_OK(context, sumi_solver_correct(solver, correction, user));
    CHECK_OK(context, sumi_solver_run(solver, predict, NULL, 1, (int64_t[]){1}, &x, NULL, NULL));
    sumi_solver_free(solver);
    return x;
}

/* Song et al. 2023, appendix C, for the raw output F: c_skip x + c_out F. */
static double boundary(double sigma, double x, double raw)
{
    const double data = 0.5, least = 0.002, away = sigma - least;
    return data * data / (away * away + data * data) * x
           + away * data / sqrt(sigma * sigma + data * data) * raw;
}

/* Karras et al. 2022, eq. 5: level number k of 40 below the most, with rho 7. */
static double karras(int k)
{
    const double low = pow(0.002, 1. / 7), high = pow(80, 1. / 7);
    return pow(high + (low - high) * k / 39, 7);
}

static void a_raw_consistency_network_is_corrected_at_its_boundary(void **state)
{
    (void)state;
    static const char *const numbers[] = {"[0]", "[19]", "[34]", "[38]"};
    static const int number[] = {0, 19, 34, 38};
    for (int i = 0; i < 8; i++) {
        double sigma = karras(number[i % 4]), start = 0.8 + sigma;
        const char *type = i < 4 ? "epsilon" : "v_prediction";
        struct corrections corrections = {0};
        const char *const options[][2] = {
            {"timesteps", numbers[i % 4]}, {"prediction_type", type}, {NULL, NULL}};
        double end = step_once("consistency", options, halve, &corrections, start);
        double estimate = boundary(sigma, start, i < 4 ? prediction : -prediction);
        CHECK_CLOSE(corrections.before, estimate, 1e-5 * (1 + fabs(estimate)));
        CHECK_CLOSE(end, 0.5 * estimate + 1, 1e-5 * (1 + fabs(estimate)));
    }
}

/* The mean of the estimate, of deviation sigma, and the measurement, of deviation 0.4. */
static void a_measurement_counts_once_over_a_consistency_network(void **state)
{
    (void)state;
    const float value = -0.7F;
    struct sumi_known known = {
        .size = sizeof known, .items = 1, .values = &value, .deviation = 0.4};
    const char *const options[][2] = {{"timesteps", "[27]"}, {NULL, NULL}};
    double sigma = karras(27), start = 0.9, estimate = boundary(sigma, start, prediction);
    double mean = (0.16 * estimate + sigma * sigma * value) / (0.16 + sigma * sigma);
    assert_true(sigma > 0.2 && sigma < 0.8); /* so that both have a say */
    CHECK_CLOSE(step_once("consistency", options, sumi_keep_known, &known, start), mean, 1e-5);
}

/* Luo et al. 2023, eq. 9, at time 19 with a boundary wide enough to have an effect there. */
static void what_lcm_blends_with_the_state_is_corrected(void **state)
{
    (void)state;
    struct corrections corrections = {0};
    const char *const options[][2] = {
        {"timesteps", "[19]"}, {"timestep_scaling", "0.02"}, {"path", "table"}, {NULL, NULL}};
    double product = 1, root_first = sqrt(0.00085), root_last = sqrt(0.012), start = 0.9;
    for (int t = 0; t <= 19; t++) /* "scaled_linear" */
        product *= 1 - pow(root_first + (root_last - root_first) * t / 999, 2);
    double clean = (start - sqrt(1 - product) * prediction) / sqrt(product), scaled = 19 * 0.02;
    double square = scaled * scaled + 0.25;
    double estimate = scaled / sqrt(square) * clean + 0.25 / square * start;
    double end = step_once("lcm", options, halve, &corrections, start);
    CHECK_CLOSE(corrections.before, estimate, 1e-5);
    CHECK_CLOSE(end, 0.5 * estimate + 1, 1e-5);
}

static sumi_status refuse(void *user, int64_t count, int64_t item_size, double signal, double noise,
                          float *clean)
{
    (void)user, (void)count, (void)item_size, (void)signal, (void)noise, (void)clean;
    return SUMI_ERROR_ARGUMENT;
}

static void a_correction_that_fails_without_a_message_gets_one(void **state)
{
    (void)state;
    sumi_solver *solver = NULL;
    float x = 0.5F;
    CHECK_OK(context, sumi_solver_create(context, "ddim", &solver));
    CHECK_OK(context, sumi_solver_correct(solver, refuse, NULL));
    assert_int_equal(sumi_solver_run(solver, predict, NULL, 2, (int64_t[]){1, 1}, &x, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(context),
                        "step 0: the correction ended with \"argument\"");
    sumi_solver_free(solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(every_evaluation_is_corrected_once),
        CONTEXT_TEST(a_raw_consistency_network_is_corrected_at_its_boundary),
        CONTEXT_TEST(a_measurement_counts_once_over_a_consistency_network),
        CONTEXT_TEST(what_lcm_blends_with_the_state_is_corrected),
        CONTEXT_TEST(a_correction_that_fails_without_a_message_gets_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* DDIM on Gaussian data, where the probability-flow map is known in closed form. */
#include "check.h"

enum { TIMES = 1000 };
static const double mean = 0.3, deviation = 0.5;

static sumi_context *context;
static sumi_solver *solver;
static double products[TIMES]; /* abar of the linear schedule, written once by open_solver */

static int open_solver(void **state)
{
    (void)state;
    double product = 1;
    for (int t = 0; t < TIMES; t++)
        products[t] = product *= 1 - (0.0001 + (0.02 - 0.0001) * t / (TIMES - 1));
    return sumi_context_create(NULL, &context) != SUMI_OK
           || sumi_solver_create(context, "ddim", &solver) != SUMI_OK;
}

static int close_solver(void **state)
{
    (void)state;
    sumi_solver_free(solver);
    sumi_context_free(context);
    return 0;
}

static void set(const char *name, const char *value)
{
    CHECK_OK(context, sumi_solver_set(solver, name, value));
}

static sumi_status gaussian_denoiser(void *user, int64_t count, int64_t item_size,
                                     int64_t output_size, const float *x, const float *times,
                                     float *output)
{
    (void)output_size;
    (void)user;
    for (int64_t i = 0; i < count * item_size; i++) {
        double product = products[(int)times[i / item_size]], variance = deviation * deviation;
        double scale = sqrt(1 - product) / (product * variance + 1 - product);
        output[i] = (float)(scale * (x[i] - sqrt(product) * mean));
    }
    return SUMI_OK;
}

/* Distance from the exact end of the flow from x at time 999. The flow keeps a state's place in
   units of its time's deviation (Song et al. 2021, eq. 13, on Gaussian data). */
static double flow_error(int steps)
{
    char text[16];
    float x = 1.5f;
    double product = products[TIMES - 1];
    double spread = sqrt(product * deviation * deviation + 1 - product);
    double exact = mean + deviation * (x - sqrt(product) * mean) / spread;
    snprintf(text, sizeof text, "%d", steps);
    set("clip_sample", "false");
    set("timestep_spacing", "trailing");
    set("steps", text);
    CHECK_OK(context,
             sumi_solver_run(solver, gaussian_denoiser, NULL, 1, (int64_t[]){1}, &x, NULL, NULL));
    return fabs(x - exact);
}

static void the_flow_of_a_gaussian_is_met_with_order_one(void **state)
{
    (void)state;
    double slope = log(flow_error(50) / flow_error(200)) / log(4);
    CHECK_CLOSE(slope, 1, 0.15);
    CHECK_CLOSE(flow_error(1000), 0, 0.01);
}

static void eta_one_draws_the_gaussian(void **state)
{
    (void)state;
    enum { ITEMS = 16384 };
    static float x[ITEMS];
    double sum = 0, squares = 0;
    set("clip_sample", "false");
    set("eta", "1");
    CHECK_OK(context, sumi_solver_start(solver, 1, (int64_t[]){ITEMS}, x));
    CHECK_OK(context, sumi_solver_run(solver, gaussian_denoiser, NULL, 1, (int64_t[]){ITEMS}, x,
                                      NULL, NULL));
    for (int i = 0; i < ITEMS; i++) {
        sum += x[i];
        squares += (x[i] - mean) * (x[i] - mean);
    }
    double variance = deviation * deviation;
    CHECK_CLOSE(sum / ITEMS, mean, 4 * deviation / sqrt(ITEMS));
    CHECK_CLOSE(squares / ITEMS, variance, 0.02 * variance + 4 * variance * sqrt(2.0 / ITEMS));
}

/* A denoiser that predicts no data: then x / s(t) is constant, and the state shows the end of a
   step. */
static sumi_status nothing(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    (void)output_size;
    (void)user;
    (void)x;
    (void)times;
    memset(output, 0, (size_t)(count * item_size) * sizeof *output);
    return SUMI_OK;
}

static bool keep_first(void *user, int64_t step, int64_t steps, double time, const float *x,
                       const float *clean)
{
    assert_int_equal(step, 0);
    assert_int_equal(steps, 29);
    assert_true(time == 966 && clean[0] == 0);
    *(float *)user = x[0];
    return false;
}

/* Where the second of 30 trailing steps ends, from a state of s(966). */
static float second_step(const char *compat)
{
    float x = (float)sqrt(1 - products[966]), kept = 0;
    set("prediction_type", "sample");
    set("timestep_spacing", "trailing");
    set("steps", "30");
    set("start_index", "1");
    set("compat", compat);
    assert_int_equal(
        sumi_solver_run(solver, nothing, NULL, 1, (int64_t[]){1}, &x, keep_first, &kept),
        SUMI_STOPPED);
    return kept;
}

static void a_step_goes_to_the_next_visited_time_unless_diffusers_is_copied(void **state)
{
    (void)state;
    double times[30];
    set("timestep_spacing", "trailing");
    set("steps", "30");
    sumi_solver_times(solver, times, 30);
    assert_true(times[1] == 966 && times[2] == 932);
    CHECK_CLOSE(second_step("none"), sqrt(1 - products[932]), 1e-7);
    CHECK_CLOSE(second_step("diffusers"), sqrt(1 - products[933]), 1e-7);
    assert_true(second_step("none") != second_step("diffusers"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_solver, close_solver)
    const struct CMUnitTest tests[] = {
        TEST(the_flow_of_a_gaussian_is_met_with_order_one),
        TEST(eta_one_draws_the_gaussian),
        TEST(a_step_goes_to_the_next_visited_time_unless_diffusers_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

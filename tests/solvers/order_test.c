/* SPDX-License-Identifier: Apache-2.0 */
/* The order of every solver of the probability flow, as the slope of its error over its step on
   Gaussian data, whose flow is known: in sigma, x - mean grows as sqrt(deviation^2 + sigma^2). */
#include "check.h"

#include "solvers/solver.h"

static const double mean = 0.3, deviation = 0.5;

/* The exact noise, from the state of the preserving path; the time input is log(sigma) / 4. With
   `user` the path is the straight one, the time 1000 sigma, and the prediction its velocity. */
static sumi_status gaussian_denoiser(void *user, int64_t count, int64_t item_size,
                                     int64_t output_size, const float *x, const float *times,
                                     float *output)
{
    (void)output_size;
    for (int64_t i = 0; i < count * item_size; i++) {
        double time = times[i / item_size], share = time / 1000;
        double sigma = user ? share / (1 - share) : exp(4 * time);
        double state = user ? x[i] / (1 - share) : x[i] * sqrt(1 + sigma * sigma);
        double variance = deviation * deviation;
        double noise = sigma / (variance + sigma * sigma) * (state - mean);
        output[i] = (float)(user ? noise - (state - sigma * noise) : noise);
    }
    return SUMI_OK;
}

static double spread(double sigma)
{
    return sqrt(deviation * deviation + sigma * sigma);
}

static void set(sumi_context *context, sumi_solver *solver, const char *name, const char *value)
{
    CHECK_OK(context, sumi_solver_set(solver, name, value));
}

/* Evenly from 0.95, where some signal is left, to one step from 0. */
static void set_straight_times(sumi_context *context, sumi_solver *solver, int steps)
{
    char list[4096] = "[";
    for (int i = 0; i < steps; i++) {
        size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%.9g", i ? "," : "",
                 950.0 * (steps - i) / steps);
    }
    strcat(list, "]");
    set(context, solver, "timesteps", list);
}

/* Signal and noise of the state where a run begins and where it ends. */
struct ends {
    double signal[2], noise[2];
};

/* The straight run ends in clean data, the other one at its last time. */
static struct ends ends_of(sumi_context *context, sumi_solver *solver, bool straight)
{
    static double times[4096];
    struct ends ends;
    int64_t count = sumi_solver_times(solver, times, 4096);
    assert_in_range(count, 1, 4096);
    const double at[2] = {times[0], straight ? 0 : times[count - 1]};
    for (int i = 0; i < 2; i++)
        CHECK_OK(context, sumi_solver_level(solver, at[i], &ends.signal[i], &ends.noise[i]));
    return ends;
}

/* Distance from the exact end of the flow after `steps` steps. */
static double flow_error(const char *name, const char *const (*options)[2], int steps)
{
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    char text[16];
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    bool straight = strncmp(name, "flow", 4) == 0;
    snprintf(text, sizeof text, "%d", steps);
    set(context, solver, "steps", text);
    set(context, solver, "lower_order_final", "false");
    if (straight) {
        set_straight_times(context, solver, steps);
    } else {
        set(context, solver, "timestep_type", "continuous");
        set(context, solver, "use_exponential_sigmas", "true");
        set(context, solver, "sigma_max", "10");
        set(context, solver, "final_sigmas_type", "sigma_min");
    }
    for (int i = 0; options[i][0]; i++) set(context, solver, options[i][0], options[i][1]);
    struct ends ends = ends_of(context, solver, straight);
    double start = mean + 1.3 * spread(ends.noise[0] / ends.signal[0]);
    double end = mean + 1.3 * spread(ends.noise[1] / ends.signal[1]);
    float x = (float)(start * ends.signal[0]);
    CHECK_OK(context, sumi_solver_run(solver, gaussian_denoiser, straight ? &straight : NULL, 1,
                                      (int64_t[]){1}, &x, NULL, NULL));
    double error = fabs(x - end * ends.signal[1]);
    sumi_solver_free(solver);
    sumi_context_free(context);
    return error;
}

struct claim {
    const char *name;
    double order;
    int few; /* steps, to be doubled */
    const char *options[5][2];
};

static double measured_order(const struct claim *claim)
{
    bool straight = strncmp(claim->name, "flow", 4) == 0;
    int more = straight ? 0 : 1; /* the last of the exponential spacing's steps leads nowhere */
    double rough = flow_error(claim->name, claim->options, claim->few + more);
    double fine = flow_error(claim->name, claim->options, 2 * claim->few + more);
    double slope = log2(rough / fine);
    print_message("%s %s: error %.2e, at twice the steps %.2e, order %.2f\n", claim->name,
                  claim->options[0][1] ? claim->options[0][1] : "", rough, fine, slope);
    return slope;
}

static void methods_of_one_step_have_their_order(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {"euler", 1, 40, {{0}}},
        {"heun", 2, 40, {{0}}},
        {"dpm2", 2, 40, {{0}}},
        {"flow-euler", 1, 80, {{0}}},
        {"flow-heun", 2, 40, {{0}}},
        {"dpmpp-2s", 1, 40, {{"solver_order", "1"}}},
        {"dpmpp-2s", 2, 40, {{0}}},
        {"dpmpp-2s", 2, 40, {{"solver_type", "heun"}}},
        {"dpmpp-2s", 3, 42, {{"solver_order", "3"}}},
        {"dpmpp-2s", 3, 42, {{"solver_order", "3"}, {"solver_type", "heun"}}},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        CHECK_CLOSE(measured_order(&claims[i]), claims[i].order, 0.15);
}

static void methods_with_a_history_have_their_order(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {"dpmpp-2m", 1, 40, {{"solver_order", "1"}}},
        {"dpmpp-2m", 2, 40, {{0}}},
        {"dpmpp-2m", 2, 40, {{"solver_type", "heun"}}},
        {"dpmpp-2m", 2, 40, {{"algorithm_type", "dpmsolver"}}},
        {"deis", 2, 40, {{0}}},
        {"unipc", 2, 40, {{"solver_order", "1"}}},
        {"unipc", 3, 40, {{0}}},
        {"unipc", 3, 40, {{"solver_type", "bh1"}}},
        {"ipndm", 2, 40, {{"path", "table"}, {"prediction_type", "epsilon"}}},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        CHECK_CLOSE(measured_order(&claims[i]), claims[i].order, 0.15);
}

/* Of order four where the steps shorten slowly; at the start it has no history, which
   matters less the further out that is. */
static void adams_method_has_order_four(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {"lms",
         4,
         80,
         {{"use_exponential_sigmas", "false"}, {"use_karras_sigmas", "true"}, {"rho", "3"}}},
        {"lms",
         4,
         80,
         {{"use_exponential_sigmas", "false"},
          {"use_karras_sigmas", "true"},
          {"rho", "3"},
          {"sigma_max", "30"}}},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        CHECK_CLOSE(measured_order(&claims[i]), claims[i].order, 0.15);
}

/* From sigma 0.02 to 10 on the exploding path; the time input is sigma. */
static sumi_status predict_from_sigma(void *user, int64_t count, int64_t item_size,
                                      int64_t output_size, const float *x, const float *times,
                                      float *output)
{
    (void)user, (void)output_size;
    for (int64_t i = 0; i < count * item_size; i++) {
        double sigma = times[i / item_size];
        output[i] = (float)(sigma * (x[i] - mean) / (deviation * deviation + sigma * sigma));
    }
    return SUMI_OK;
}

/* Where the flow is at a noise level, on the solver's own scale. */
static float flow_state(sumi_context *context, sumi_solver *solver, double sigma)
{
    double signal = 0, noise = 0;
    CHECK_OK(context, sumi_solver_level(solver, sigma, &signal, &noise));
    return (float)(signal * (mean + 1.3 * spread(sigma)));
}

static double inversion_error(const char *name, int steps)
{
    static const char *const options[][2] = {{"path", "ve"},
                                             {"sigma_min", "0.02"},
                                             {"sigma_max", "10"},
                                             {"timestep_type", "sigma"},
                                             {"use_exponential_sigmas", "true"},
                                             {"prediction_type", "epsilon"},
                                             {"clip_sample", "false"},
                                             {"set_alpha_to_one", "false"},
                                             {"lower_order_final", "false"}};
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    char text[16];
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    snprintf(text, sizeof text, "%d", steps + 1);
    set(context, solver, "steps", text);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        set(context, solver, options[i][0], options[i][1]);
    assert_true(sumi_solver_times(solver, NULL, 0) > 0);
    float x = flow_state(context, solver, 0.02);
    CHECK_OK(context,
             sumi_solver_run(solver, predict_from_sigma, NULL, 1, (int64_t[]){1}, &x, NULL, NULL));
    double error = fabs(x - flow_state(context, solver, 10));
    sumi_solver_free(solver);
    sumi_context_free(context);
    return error;
}

static void inversions_have_the_order_of_their_solvers(void **state)
{
    (void)state;
    double ddim = log2(inversion_error("ddim-inverse", 160) / inversion_error("ddim-inverse", 320));
    double dpmpp =
        log2(inversion_error("dpmpp-inverse", 80) / inversion_error("dpmpp-inverse", 160));
    print_message("ddim-inverse: order %.2f; dpmpp-inverse: order %.2f\n", ddim, dpmpp);
    CHECK_CLOSE(ddim, 1, 0.15);
    CHECK_CLOSE(dpmpp, 2, 0.15);
}

/* Their errors are so small here that terms of other orders, of either sign, still show. */
static void methods_of_high_order_lose_error_at_least_that_fast(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {"dpmpp-3m", 3, 28, {{"sigma_max", "80"}}},
        {"deis", 3, 28, {{"sigma_max", "80"}, {"solver_order", "3"}}},
        {"unipc", 3, 40, {{"sigma_max", "80"}, {"solver_order", "3"}}},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        assert_true(measured_order(&claims[i]) >= claims[i].order);
}

/* UniC raises the order by one (Zhao et al. 2023, theorem 3.1): without it UniP has the order of
   its name. Of order three, on a mixture: tests/tool/convergence_test.c. */
static void the_predictor_of_unipc_alone_has_its_solver_order(void **state)
{
    (void)state;
    char never[1024] = "[0";
    for (int i = 1; i < 120; i++) snprintf(strchr(never, 0), 8, ",%d", i);
    strcat(never, "]");
    const struct claim claims[] = {
        {"unipc", 1, 40, {{"solver_order", "1"}, {"disable_corrector", never}}},
        {"unipc", 2, 40, {{"solver_order", "2"}, {"disable_corrector", never}}},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        CHECK_CLOSE(measured_order(&claims[i]), claims[i].order, 0.15);
}

/* diffusers' third order takes the second derivative once where the quadratic has it twice. */
static void the_third_order_of_the_class_is_two(void **state)
{
    (void)state;
    static const struct claim claim = {"dpmpp-2m", 2, 40, {{"solver_order", "3"}}};
    CHECK_CLOSE(measured_order(&claim), claim.order, 0.15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_of_one_step_have_their_order),
        cmocka_unit_test(methods_with_a_history_have_their_order),
        cmocka_unit_test(adams_method_has_order_four),
        cmocka_unit_test(inversions_have_the_order_of_their_solvers),
        cmocka_unit_test(methods_of_high_order_lose_error_at_least_that_fast),
        cmocka_unit_test(the_predictor_of_unipc_alone_has_its_solver_order),
        cmocka_unit_test(the_third_order_of_the_class_is_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

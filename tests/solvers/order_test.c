/* The order of every solver of the probability flow, as the slope of its error over its step on
   Gaussian data, whose flow is known: in sigma, x - mean grows as sqrt(deviation^2 + sigma^2). */
#include "check.h"

#include "solvers/solver.h"

static const double mean = 0.3, deviation = 0.5;

/* The noise that the data have, from the state of the preserving path; the network is told
   log(sigma) / 4. With `user` the path is the straight one, the time 1000 sigma, and the prediction
   its velocity. */
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
    for (int i = 0; options[i][0]; i++)
        set(context, solver, options[i][0], options[i][1]);
    assert_true(sumi_solver_times(solver, NULL, 0) > 0);
    int64_t count = solver->grid.count;
    const struct noise_path *path = &solver->path;
    enum scale scale = grid_scale(&solver->options, path, solver->type->scale);
    struct level first = level_at(scale, path, solver->grid.sigmas[0]);
    struct level last = level_at(scale, path, solver->grid.sigmas[count]);
    double from = first.noise / first.signal, to = last.noise / last.signal;
    double start = mean + 1.3 * spread(from), end = mean + 1.3 * spread(to);
    float x = (float)(start * first.signal);
    CHECK_OK(context, sumi_solver_run(solver, gaussian_denoiser, straight ? &straight : NULL, 1,
                                      (int64_t[]){1}, &x, NULL, NULL));
    double error = fabs(x - end * last.signal);
    sumi_solver_free(solver);
    sumi_context_free(context);
    return error;
}

struct claim {
    const char *name;
    double order;
    int few; /* steps, to be doubled */
    const char *options[3][2];
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
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        CHECK_CLOSE(measured_order(&claims[i]), claims[i].order, 0.15);
}

/* Their errors are so small here that terms of other orders, of either sign, still show. */
static void methods_of_high_order_lose_error_at_least_that_fast(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {"lms", 3, 40, {{"sigma_max", "80"}}},
        {"dpmpp-3m", 3, 28, {{"sigma_max", "80"}}},
        {"deis", 3, 28, {{"sigma_max", "80"}, {"solver_order", "3"}}},
        {"unipc", 3, 40, {{"sigma_max", "80"}, {"solver_order", "3"}}},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        assert_true(measured_order(&claims[i]) >= claims[i].order);
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
        cmocka_unit_test(methods_of_high_order_lose_error_at_least_that_fast),
        cmocka_unit_test(the_third_order_of_the_class_is_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

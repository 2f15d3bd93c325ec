/* SPDX-License-Identifier: Apache-2.0 */
/* The order of every solver that adds noise: the slope with which mean and deviation of its samples
   converge to those of Gaussian data. For such data a run is linear in its start and its noise, so
   least squares over a few hundred items give every coefficient, without the scatter of samples:
   x_end = A x_start + sum B_k z_k + c has mean A m + c and variance A^2 v + sum B_k^2. */
#include "check.h"

#include "configure.h"
#include "path_of.h"

enum { MOST_DRAWS = 260, MOST_UNKNOWNS = MOST_DRAWS + 2, ITEMS = 600, MOST_OPTIONS = 4 };

static const double mean = 0.3, deviation = 0.5;

/* The noise e in a x0 + s e of the path in `user`, with the time input sigma = s / a. */
static sumi_status exact(void *user, int64_t count, int64_t item_size, int64_t output_size,
                         const float *x, const float *times, float *output)
{
    (void)item_size, (void)output_size;
    for (int64_t i = 0; i < count; i++) {
        struct noise_level level = path_level(user, times[i]);
        double a = level.signal, s = level.noise, variance = pow(a * deviation, 2) + s * s;
        output[i] = (float)(s * (x[i] - a * mean) / variance);
    }
    return SUMI_OK;
}

/* Solves matrix coefficients = vector, matrix symmetric and positive, by elimination. */
static void solve(int size, double matrix[MOST_UNKNOWNS][MOST_UNKNOWNS], double *vector)
{
    for (int i = 0; i < size; i++) {
        for (int row = i + 1; row < size; row++) {
            double factor = matrix[row][i] / matrix[i][i];
            for (int k = i; k < size; k++) matrix[row][k] -= factor * matrix[i][k];
            vector[row] -= factor * vector[i];
        }
    }
    for (int i = size - 1; i >= 0; i--) {
        for (int k = i + 1; k < size; k++) vector[i] -= matrix[i][k] * vector[k];
        vector[i] /= matrix[i][i];
    }
}

/* values[ITEMS] as a sum over columns[size][ITEMS], by least squares. */
static void fit(int size, float columns[MOST_UNKNOWNS][ITEMS], const float *values,
                double *coefficients)
{
    static double matrix[MOST_UNKNOWNS][MOST_UNKNOWNS];
    for (int i = 0; i < size; i++) {
        coefficients[i] = 0;
        for (int m = 0; m < ITEMS; m++) coefficients[i] += (double)columns[i][m] * values[m];
        for (int k = 0; k < size; k++) {
            matrix[i][k] = 0;
            for (int m = 0; m < ITEMS; m++) matrix[i][k] += (double)columns[i][m] * columns[k][m];
        }
    }
    solve(size, matrix, coefficients);
}

/* What the solver keeps of x0 and of e at a noise level. */
static struct noise_level kept(sumi_context *context, sumi_solver *solver, double sigma)
{
    struct noise_level level = {.signal = 0};
    CHECK_OK(context, sumi_solver_level(solver, sigma, &level.signal, &level.noise));
    return level;
}

static double spread(const struct noise_level *level)
{
    return hypot(level->signal * deviation, level->noise);
}

/* On the exploding path from sigma 10 to 0.02, unless another is given; draws alone, no norms of
   them, decide about steps. */
static sumi_solver *make(sumi_context *context, const char *name, int steps,
                         const char *const (*options)[2])
{
    static const char *const common[][2] = {
        {"path", "ve"},
        {"sigma_min", "0.02"},
        {"sigma_max", "10"},
        {"timestep_type", "sigma"},
        {"timestep_spacing", "linspace"},
        {"final_sigmas_type", "sigma_min"},
        {"prediction_type", "epsilon"},
        {"clip_sample", "false"},
        {"set_alpha_to_one", "false"},
        {"lower_order_final", "false"},
        {"tau_start", "0"},
        {"tau_end", "1000"},
        {"eta", "1"},
        {"correct_steps", "0"},
        {"s_noise", "1"},
        {"s_tmin", "0"},
    };
    sumi_solver *solver = NULL;
    char text[16];
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    snprintf(text, sizeof text, "%d", steps + 1); /* places, both ends among them */
    CHECK_OK(context, sumi_solver_set(solver, "steps", text));
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        configure(context, solver, common[i][0], common[i][1]);
    for (int i = 0; options[i][0]; i++)
        CHECK_OK(context, sumi_solver_set(solver, options[i][0], options[i][1]));
    if (sumi_solver_times(solver, NULL, 0) == 0)
        fail_msg("%s: %s", name, sumi_context_message(context));
    return solver;
}

static bool note_steps(void *user, int64_t step, int64_t steps, double time, const float *x,
                       const float *clean)
{
    (void)step, (void)time, (void)x, (void)clean;
    *(int64_t *)user = steps;
    return true;
}

/* The steps of a run, by making one. */
static int count_steps(sumi_context *context, sumi_solver *solver)
{
    float x = 0;
    int64_t steps = 0;
    CHECK_OK(context, sumi_solver_run(solver, exact, path_of(solver), 1, (int64_t[]){1}, &x,
                                      note_steps, &steps));
    return (int)steps;
}

/* How far mean and deviation end from the data's after so many steps. */
static double moment_error(sumi_context *context, const char *name, int steps,
                           const char *const (*options)[2])
{
    static float columns[MOST_UNKNOWNS][ITEMS], x[ITEMS];
    double coefficients[MOST_UNKNOWNS];
    sumi_solver *solver = make(context, name, steps, options);
    int draws = count_steps(context, solver), size = draws + 2;
    assert_in_range(draws, 1, MOST_DRAWS);
    struct noise_level from = kept(context, solver, path_most(path_of(solver)));
    struct noise_level to = kept(context, solver, path_least(path_of(solver)));
    const struct random_shape shape = {.items = ITEMS, .item_size = 1, .channels = 1};
    struct random_source random;
    random_seed(&random, RANDOM_PHILOX, 0);
    for (int k = 0; k < draws; k++)
        random_normal(&random, 1, PURPOSE_SOLVER, (uint64_t)k, &shape, NULL, columns[k]);
    random_normal(&random, 1, PURPOSE_START, 9, &shape, NULL, columns[draws]);
    for (int m = 0; m < ITEMS; m++) {
        columns[draws + 1][m] = 1;
        x[m] = (float)(from.signal * mean + spread(&from) * columns[draws][m]);
    }
    CHECK_OK(context,
             sumi_solver_run(solver, exact, path_of(solver), 1, (int64_t[]){ITEMS}, x, NULL, NULL));
    fit(size, columns, x, coefficients);
    double square = 0; /* the start is a standard normal number here, too */
    for (int k = 0; k <= draws; k++) square += coefficients[k] * coefficients[k];
    for (int k = 0; k < ITEMS; k++) { /* nothing else was drawn */
        double sum = 0;
        for (int i = 0; i < size; i++) sum += coefficients[i] * columns[i][k];
        CHECK_CLOSE(sum, x[k], 1e-4);
    }
    double off = coefficients[draws + 1] / to.signal - mean;
    double wide = (sqrt(square) - spread(&to)) / to.signal;
    sumi_solver_free(solver);
    return hypot(off, wide);
}

/* A solver that has an order from so many steps on, doubled. */
struct claim {
    const char *name;
    int order, steps;
    const char *options[MOST_OPTIONS][2];
};

static void check_orders(size_t count, const struct claim *claims)
{
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_context_set_threads(context, 1)); /* the states are small */
    for (size_t i = 0; i < count; i++) {
        const struct claim *claim = &claims[i];
        double rough = moment_error(context, claim->name, claim->steps, claim->options);
        double fine = moment_error(context, claim->name, 2 * claim->steps, claim->options);
        if (!(fabs(log2(rough / fine) - claim->order) <= 0.15))
            fail_msg("%s: error %.2e with %d steps, %.2e with twice as many: order %.2f",
                     claim->name, rough, claim->steps, fine, log2(rough / fine));
    }
    sumi_context_free(context);
}

static void ancestral_steps_and_those_of_the_reverse_equation_have_order_one(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {"ddpm", 1, 64, {{0}}},
        {"ddim", 1, 64, {{0}}},
        {"unclip", 1, 64, {{0}}},
        {"euler-ancestral", 1, 64, {{0}}},
        {"em", 1, 64, {{"path", "vp"}}},
        {"pc", 1, 64, {{0}}},
        {"pc", 1, 64, {{"path", "vp"}}},
        {"pc", 1, 64, {{"predictor", "ancestral"}}},
        {"pc", 1, 64, {{"predictor", "ancestral"}, {"path", "vp"}}},
        {"pc", 1, 64, {{"predictor", "euler_maruyama"}, {"path", "vp"}}},
    };
    check_orders(sizeof claims / sizeof *claims, claims);
}

static void steps_that_look_twice_or_back_have_order_two(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {"edm", 2, 32, {{"s_churn", "4"}}},
        {"dpm2-ancestral", 2, 64, {{0}}},
        {"dpmpp-sde", 2, 64, {{0}}},
        {"dpmpp-2m-sde", 2, 128, {{0}}},
        {"dpmpp-2m", 2, 128, {{"algorithm_type", "sde-dpmsolver++"}}},
        {"dpmpp-2m", 2, 128, {{"algorithm_type", "sde-dpmsolver"}}},
        {"cogvideox-dpm", 2, 128, {{0}}},
        {"sa", 2, 128, {{0}}},
        {"sa", 2, 128, {{"algorithm_type", "noise_prediction"}}},
    };
    check_orders(sizeof claims / sizeof *claims, claims);
}

/* What is left at order two comes from the noise within a step, which moves the estimate of data
 * too. */
static void the_third_order_of_the_drift_does_not_raise_that_of_the_noise(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {"dpmpp-3m-sde", 2, 128, {{0}}},
        {"sa", 2, 128, {{"predictor_order", "3"}, {"corrector_order", "3"}}},
    };
    check_orders(sizeof claims / sizeof *claims, claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ancestral_steps_and_those_of_the_reverse_equation_have_order_one),
        cmocka_unit_test(steps_that_look_twice_or_back_have_order_two),
        cmocka_unit_test(the_third_order_of_the_drift_does_not_raise_that_of_the_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

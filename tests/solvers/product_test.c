/* SPDX-License-Identifier: Apache-2.0 */
/* Any path with any prediction with any solver: on Gaussian data, whose exact denoiser is a line,
   every combination gives the data's mean and variance, or is refused with a message. */
#include "check.h"

#include "base/philox.h"
#include "configure.h"
#include "path_of.h"

enum { ITEMS = 1000, MOST_OPTIONS = 6 };

static const double mean = 0.3, deviation = 0.5;

static const struct walk_path {
    const char *name;
    const char *options[MOST_OPTIONS][2];
} paths[] = {
    {"linear", {{"path", "table"}}},
    {"scaled-linear",
     {{"path", "table"},
      {"beta_schedule", "scaled_linear"},
      {"beta_start", "0.00085"},
      {"beta_end", "0.012"}}},
    {"cosine", {{"path", "table"}, {"beta_schedule", "cosine"}}},
    {"quadratic", {{"path", "table"}, {"beta_schedule", "quadratic"}}},
    {"sigmoid", {{"path", "table"}, {"beta_schedule", "sigmoid"}}},
    {"squared-cosine", {{"path", "table"}, {"beta_schedule", "squaredcos_cap_v2"}}},
    {"zero-snr", {{"path", "table"}, {"rescale_betas_zero_snr", "true"}}},
    {"log-sigma table", {{"path", "table"}, {"timestep_type", "continuous"}}},
    {"ve", {{"path", "ve"}, {"sigma_min", "0.01"}, {"sigma_max", "50"}}},
    {"ncsn",
     {{"path", "ve"},
      {"num_train_timesteps", "200"},
      {"sigma_min", "0.01"},
      {"sigma_max", "10"},
      {"timestep_type", "sigma"}}},
    {"vp", {{"path", "vp"}}},
    {"sub-vp", {{"path", "sub_vp"}}},
    {"edm", {{"path", "edm"}, {"sigma_min", "0.002"}, {"sigma_max", "80"}}},
    {"flow", {{"path", "flow"}}},
    {"flow, shift 3", {{"path", "flow"}, {"shift", "3"}}},
    {"cosine path", {{"path", "cosine"}}},
};
enum { PATHS = sizeof paths / sizeof *paths };

static const char *const predictions[] = {"epsilon", "sample",          "v_prediction",
                                          "score",   "flow_prediction", "velocity"};
enum { PREDICTIONS = sizeof predictions / sizeof *predictions };

/* Distilled networks predict the end of the flow, not the mean of all ends. */
static bool is_distilled(const char *name)
{
    return strcmp(name, "lcm") == 0 || strcmp(name, "tcd") == 0 || strcmp(name, "flow-lcm") == 0
           || strcmp(name, "consistency") == 0;
}

struct truth {
    const struct noise_path *path;
    enum prediction_type type;
    bool end_of_flow;
};

struct gaussian {
    double mean, deviation;
};

static sumi_status exact(void *user, int64_t count, int64_t item_size, int64_t output_size,
                         const float *x, const float *times, float *output)
{
    (void)output_size;
    const struct truth *truth = user;
    struct noise_level level = path_level(truth->path, times[0]);
    struct prediction_target target = path_target(truth->path, truth->type, &level);
    double a = level.signal, s = level.noise, c = path_input_scale(truth->path, &level);
    double variance = a * a * deviation * deviation + s * s;
    double gain =
        truth->end_of_flow ? deviation / sqrt(variance) : a * deviation * deviation / variance;
    for (int64_t i = 0; i < count * item_size; i++) {
        double away = x[i] / c - a * mean, clean = mean + gain * away;
        double noise = truth->end_of_flow ? (x[i] / c - a * clean) / s : s * away / variance;
        output[i] = (float)(target.of_clean * clean + target.of_noise * noise);
    }
    return SUMI_OK;
}

/* One combination, and how its run is set up. */
struct trial {
    const sumi_solver_info *info;
    const struct walk_path *path;
    const char *prediction;
};

static void set(sumi_context *context, sumi_solver *solver, const char *name, const char *value)
{
    configure(context, solver, name, value);
}

static sumi_solver *make(sumi_context *context, const struct trial *trial)
{
    const char *name = trial->info->name;
    sumi_solver *solver = NULL;
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    bool slow = trial->info->stochastic || trial->info->order == 1;
    const char *steps = slow ? "300" : "200";
    set(context, solver, "steps", is_distilled(name) ? "8" : steps);
    set(context, solver, "clip_sample", "false");
    set(context, solver, "prediction_type", trial->prediction);
    if (strcmp(name, "pndm") != 0) set(context, solver, "timestep_spacing", "linspace");
    if (strcmp(name, "tcd") == 0)
        set(context, solver, "eta", "1"); /* adds fresh noise to the
                                             estimate */
    if (strcmp(name, "rk45") == 0) set(context, solver, "steps", "1");
    if (strcmp(name, "langevin") == 0) set(context, solver, "step_size", "0.02");
    if (strcmp(name, "annealed-langevin") == 0) {
        set(context, solver, "steps", "100");
        set(context, solver, "steps_per_level", "10");
    }
    for (int i = 0; i < MOST_OPTIONS && trial->path->options[i][0]; i++)
        set(context, solver, trial->path->options[i][0], trial->path->options[i][1]);
    return solver;
}

static struct gaussian measured(const float *x)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < ITEMS; i++) sum += x[i];
    for (int i = 0; i < ITEMS; i++) squares += pow(x[i] - sum / ITEMS, 2);
    return (struct gaussian){sum / ITEMS, sqrt(squares / ITEMS)};
}

static bool is_inverse(const struct trial *trial)
{
    return strstr(trial->info->name, "inverse") != NULL;
}

/* What an inversion leads to: the path's distribution at its end, as sqrt(abar) x0 + ... */
static struct gaussian noised(const struct noise_path *path)
{
    struct noise_level level = path_level(path, path_last(path));
    double scale = hypot(level.signal, level.noise);
    return (struct gaussian){level.signal / scale * mean,
                             hypot(level.signal * deviation, level.noise) / scale};
}

/* Annealed dynamics are still on their way at the end: their variance, step by step. */
static struct gaussian annealed(sumi_context *context, sumi_solver *solver)
{
    static double times[2000];
    int64_t count = sumi_solver_times(solver, times, 2000);
    double square = deviation * deviation, variance = 0;
    assert_in_range(count, 1, 2000);
    for (int64_t i = 0; i < count; i++) {
        double signal = 0, sigma = 0;
        CHECK_OK(context, sumi_solver_level(solver, times[i], &signal, &sigma));
        if (i == 0) variance = square + sigma * sigma;
        double alpha = 0.2 * sigma * sigma;
        double kept = 1 - alpha / 2 / (square + sigma * sigma);
        variance = kept * kept * variance + alpha;
    }
    return (struct gaussian){mean, sqrt(variance)};
}

static struct gaussian expected_end(sumi_context *context, sumi_solver *solver,
                                    const struct trial *trial)
{
    if (is_inverse(trial)) return noised(path_of(solver));
    if (strcmp(trial->info->name, "annealed-langevin") == 0) return annealed(context, solver);
    return (struct gaussian){mean, deviation};
}

/* Runs from the path's own distribution at the first time; an inversion runs from data. */
static sumi_status run(sumi_context *context, sumi_solver *solver, const struct trial *trial,
                       struct gaussian *found)
{
    static float clean[ITEMS], noise[ITEMS], x[ITEMS];
    const philox_stream clean_stream = {1, PURPOSE_START, 1}, noise_stream = {1, PURPOSE_START, 2};
    double first = 0;
    if (sumi_solver_times(solver, &first, 1) == 0) return SUMI_ERROR_ARGUMENT;
    philox_normal(&clean_stream, 0, ITEMS, clean);
    philox_normal(&noise_stream, 0, ITEMS, noise);
    for (int i = 0; i < ITEMS; i++) x[i] = clean[i] = (float)(mean + deviation * clean[i]);
    if (!is_inverse(trial))
        CHECK_OK(context, sumi_solver_add_noise(solver, ITEMS, clean, noise, first, x));
    struct truth truth = {path_of(solver),
                          (enum prediction_type)solver_options(solver)->prediction_type,
                          is_distilled(trial->info->name)};
    TRY(sumi_solver_run(solver, exact, &truth, 1, (int64_t[]){ITEMS}, x, NULL, NULL));
    *found = measured(x);
    return SUMI_OK;
}

/* A refusal has one of these reasons. */
static bool is_reason(const char *message)
{
    static const char *const reasons[] = {"no signal is left", "whole times from 0 to T - 1",
                                          "more steps than times", "are more than the schedule's"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(message, reasons[i])) return true;
    return false;
}

/* 1 where the combination was run, 0 where it was refused. */
static int check(sumi_context *context, const struct trial *trial)
{
    sumi_solver *solver = make(context, trial);
    struct gaussian found = {0, 0};
    sumi_status status = run(context, solver, trial, &found);
    struct gaussian expected = {0, 1};
    if (status == SUMI_OK) expected = expected_end(context, solver, trial);
    sumi_solver_free(solver);
    if (status != SUMI_OK) {
        const char *message = sumi_context_message(context);
        if (status != SUMI_ERROR_ARGUMENT || !is_reason(message))
            fail_msg("%s on %s with %s: %s", trial->info->name, trial->path->name,
                     trial->prediction, message);
        return 0;
    }
    bool close = fabs(found.mean - expected.mean) < 0.05
                 && fabs(found.deviation / expected.deviation - 1) < 0.06;
    if (!close)
        fail_msg("%s on %s with %s: mean %.3f, deviation %.3f", trial->info->name,
                 trial->path->name, trial->prediction, found.mean, found.deviation);
    return 1;
}

static void every_combination_gives_the_data_or_a_reason(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    sumi_solver_info info = {.size = sizeof info};
    int done = 0, all = 0;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_context_set_threads(context, 1)); /* the states are small */
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        if (strcmp(info.name, "binomial") == 0) continue; /* diffuses bits */
        for (int k = 0; k < PATHS * PREDICTIONS; k++, all++) {
            struct trial trial = {&info, &paths[k / PREDICTIONS], predictions[k % PREDICTIONS]};
            done += check(context, &trial);
        }
    }
    print_message("%d combinations, of which %d are refused\n", all, all - done);
    assert_true(done > all * 0.8);
    sumi_context_free(context);
}

/* What else is said of a run, a few steps long, by every solver: the state stays finite, or the
   refusal is one of arguments with a sentence. */
static void every_option_leaves_a_finite_state_or_a_reason(void **state)
{
    (void)state;
    static const char *const options[][2] = {{"thresholding", "true"},
                                             {"clip_sample", "true"},
                                             {"eta", "0.5"},
                                             {"s_churn", "10"},
                                             {"s_noise", "1.01"},
                                             {"lower_order_final", "false"},
                                             {"euler_at_final", "true"},
                                             {"final_sigmas_type", "sigma_min"},
                                             {"use_karras_sigmas", "true"},
                                             {"use_exponential_sigmas", "true"},
                                             {"use_beta_sigmas", "true"},
                                             {"sigmas", "[0.9, 0.5, 0.2, 0.05]"},
                                             {"timesteps", "[900, 500, 200, 50]"},
                                             {"timestep_spacing", "trailing"},
                                             {"variance_type", "fixed_large"},
                                             {"solver_order", "3"},
                                             {"rng", "torch"},
                                             {"start_index", "3"},
                                             {"stochastic_sampling", "true"},
                                             {"noise_removal", "false"},
                                             {"predictor", "ancestral"},
                                             {"predictor", "euler_maruyama"},
                                             {"correct_steps", "2"},
                                             {"algorithm_type", "sde-dpmsolver++"},
                                             {"compat", "diffusers"}};
    static const int chosen[] = {0, 8, 10, 12, 13, 15}; /* one of each kind of path */
    enum { OPTIONS = sizeof options / sizeof *options, CHOSEN = sizeof chosen / sizeof *chosen };
    sumi_context *context = NULL;
    sumi_solver_info info = {.size = sizeof info};
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_context_set_threads(context, 1));
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        if (strcmp(info.name, "binomial") == 0) continue;
        for (int k = 0; k < OPTIONS * CHOSEN; k++) {
            const char *const *option = options[k / CHOSEN];
            struct trial trial = {&info, &paths[chosen[k % CHOSEN]], "v_prediction"};
            struct gaussian found = {0, 0};
            sumi_solver *solver = make(context, &trial);
            set(context, solver, "steps", "6");
            set(context, solver, option[0], option[1]);
            sumi_status status = run(context, solver, &trial, &found);
            sumi_solver_free(solver);
            bool refused = status == SUMI_ERROR_ARGUMENT && *sumi_context_message(context);
            bool finite = status == SUMI_OK && isfinite(found.mean) && isfinite(found.deviation);
            if (!refused && !finite)
                fail_msg("%s on %s with %s = %s: %s", info.name, trial.path->name, option[0],
                         option[1], sumi_context_message(context));
        }
    }
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_gives_the_data_or_a_reason),
        cmocka_unit_test(every_option_leaves_a_finite_state_or_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The bound over a data set with a known perfect denoiser, and so a known bound. */
#include "base/philox.h"
#include "measure/heartbeat.h"
#include "scratch.h"

enum { POINTS = 2000, SIZE = 2, TIMES = 50 };

static const double log2_of_5 = 2.321928094887362;

/* A data set that a recipe's text names. */
static sumi_data *open_data(scratch *room, const char *const *settings)
{
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    CHECK_OK(room->context, sumi_recipe_open(room->context, "points", &recipe));
    for (int i = 0; settings[i]; i++) CHECK_OK(room->context, sumi_recipe_set(recipe, settings[i]));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    sumi_recipe_free(recipe);
    return data;
}

/* Standard normal points. `squares` becomes the sum of their squares. */
static sumi_data *open_normal(scratch *room, double *squares)
{
    char setting[SCRATCH_PATH + 16];
    const char *const settings[] = {"data.kind=npy", setting, NULL};
    const int64_t shape[] = {POINTS, SIZE};
    const philox_stream stream = {1, PURPOSE_DATA, 0};
    sumi_array points = {0};
    CHECK_OK(room->context, sumi_array_create(room->context, 2, shape, &points));
    philox_normal(&stream, 0, POINTS * SIZE, points.data);
    *squares = 0;
    for (int i = 0; i < POINTS * SIZE; i++) *squares += (double)points.data[i] * points.data[i];
    CHECK_OK(room->context, sumi_array_write(room->context, scratch_path(room, "n.npy"), &points));
    snprintf(setting, sizeof setting, "data.path=%s", scratch_path(room, "n.npy"));
    sumi_array_release(room->context, &points);
    return open_data(room, settings);
}

static sumi_solver *make_solver(scratch *room, const char *name, const char *options)
{
    sumi_solver *solver = NULL;
    CHECK_OK(room->context, sumi_solver_create(room->context, name, &solver));
    CHECK_OK(room->context, sumi_solver_configure(solver, options));
    return solver;
}

static sumi_likelihood *make_likelihood(scratch *room, sumi_solver *solver,
                                        const char *const (*settings)[2])
{
    sumi_likelihood *likelihood = NULL;
    CHECK_OK(room->context, sumi_likelihood_create(room->context, solver, &likelihood));
    for (int i = 0; settings && settings[i][0]; i++) {
        CHECK_OK(room->context, sumi_likelihood_set(likelihood, settings[i][0], settings[i][1]));
    }
    return likelihood;
}

static sumi_likelihood_term term_of(const sumi_likelihood *likelihood, int64_t number)
{
    sumi_likelihood_term term = {.size = sizeof term};
    assert_true(sumi_likelihood_get(likelihood, number, &term));
    return term;
}

#define NORMAL_OPTIONS                                                                             \
    "{\"num_train_timesteps\": 50, \"beta_start\": 0.01, \"beta_end\": 0.5,"                       \
    " \"variance_type\": \"fixed_large\", \"clip_sample\": false, \"prediction_type\": "

/* For standard normal data the state is standard normal at every time, and the mean of x0 given x_t
   is a x_t. `user` has the a of every time. */
static sumi_status sample_denoiser(void *user, int64_t count, int64_t item_size,
                                   int64_t output_size, const float *x, const float *times,
                                   float *output)
{
    const double *signals = user;
    (void)output_size;
    for (int64_t i = 0; i < count * item_size; i++) {
        output[i] = (float)(signals[(int)times[i / item_size]] * x[i]);
    }
    return SUMI_OK;
}

static void fill_signals(double signals[TIMES])
{
    double product = 1;
    for (int t = 0; t < TIMES; t++) {
        product *= 1 - (0.01 + 0.49 * t / (TIMES - 1));
        signals[t] = sqrt(product);
    }
}

/* There the steps back are Gaussian with variance beta, so the bound is the entropy itself. */
static void the_bound_is_tight_where_the_reverse_process_is_gaussian(void **state)
{
    scratch *room = *state;
    static const char *const decoder[][2] = {{"decoder", "gaussian"}, {NULL, NULL}};
    double squares, signals[TIMES];
    sumi_data *data = open_normal(room, &squares);
    sumi_solver *solver = make_solver(room, "ddpm", NORMAL_OPTIONS "\"sample\"}");
    sumi_likelihood *likelihood = make_likelihood(room, solver, decoder);
    fill_signals(signals);
    CHECK_OK(room->context,
             sumi_likelihood_bound(likelihood, sample_denoiser, signals, data, NULL, NULL));
    double truth = (SIZE * log2(6.283185307179586) + squares / POINTS / log(2)) / 2;
    sumi_likelihood_term total = term_of(likelihood, 0);
    assert_string_equal(total.name, "total");
    CHECK_CLOSE(total.bits, truth, 4 * total.error);
    assert_true(total.error < 0.1);
    double sum = term_of(likelihood, 1).bits + term_of(likelihood, 2).bits;
    for (int t = 1; t < TIMES; t++) {
        sumi_likelihood_term term = term_of(likelihood, 3 + t);
        assert_int_equal(term.time, t);
        assert_int_equal(term.draws, POINTS);
        assert_true(term.bits > 0);
        sum += term.bits;
    }
    CHECK_CLOSE(sum, total.bits, 1e-9);
    CHECK_CLOSE(term_of(likelihood, 3).bits + term_of(likelihood, 1).bits
                    + term_of(likelihood, 2).bits,
                total.bits, 1e-9);
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    sumi_data_free(data);
}

static void a_worse_denoiser_has_a_looser_bound(void **state)
{
    scratch *room = *state;
    double squares, signals[TIMES], total[2];
    sumi_data *data = open_normal(room, &squares);
    sumi_solver *solver = make_solver(room, "ddpm", NORMAL_OPTIONS "\"sample\"}");
    sumi_likelihood *likelihood = make_likelihood(room, solver, NULL);
    for (int i = 0; i < 2; i++) {
        fill_signals(signals);
        for (int t = 0; t < TIMES && i; t++) signals[t] *= 0.8;
        CHECK_OK(room->context,
                 sumi_likelihood_bound(likelihood, sample_denoiser, signals, data, NULL, NULL));
        total[i] = term_of(likelihood, 0).bits;
    }
    assert_true(total[1] > total[0] + 0.3);
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    sumi_data_free(data);
}

/* The spread of estimates over seeds is what the error says, and their mean is the full sum. */
static void few_draws_estimate_the_same_within_their_error(void **state)
{
    scratch *room = *state;
    enum { SEEDS = 30 };
    static const char *const few[][2] = {{"items", "200"}, {"draws", "3"}, {NULL, NULL}};
    double squares, signals[TIMES], mean = 0, spread = 0, reported = 0, found[SEEDS];
    sumi_data *data = open_normal(room, &squares);
    sumi_solver *solver = make_solver(room, "ddpm", NORMAL_OPTIONS "\"sample\"}");
    sumi_likelihood *all = make_likelihood(room, solver, NULL);
    sumi_likelihood *likelihood = make_likelihood(room, solver, few);
    fill_signals(signals);
    CHECK_OK(room->context, sumi_likelihood_bound(all, sample_denoiser, signals, data, NULL, NULL));
    for (int i = 0; i < SEEDS; i++) {
        char seed[8];
        snprintf(seed, sizeof seed, "%d", i);
        CHECK_OK(room->context, sumi_likelihood_set(likelihood, "seed", seed));
        CHECK_OK(room->context,
                 sumi_likelihood_bound(likelihood, sample_denoiser, signals, data, NULL, NULL));
        sumi_likelihood_term total = term_of(likelihood, 0);
        found[i] = total.bits;
        mean += total.bits / SEEDS;
        reported += total.error / SEEDS;
    }
    for (int i = 0; i < SEEDS; i++) spread += pow(found[i] - mean, 2) / (SEEDS - 1);
    CHECK_CLOSE(mean, term_of(all, 0).bits, 4 * reported / sqrt(SEEDS));
    CHECK_CLOSE(sqrt(spread) / reported, 1, 0.4);
    assert_int_equal(term_of(likelihood, 3).draws, 600);
    sumi_likelihood_free(likelihood);
    sumi_likelihood_free(all);
    sumi_solver_free(solver);
    sumi_data_free(data);
}

/* What is said of the same path does not depend on what the network predicts of it. */
static sumi_status noise_denoiser(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                  const float *x, const float *times, float *output)
{
    const double *signals = user;
    (void)output_size;
    for (int64_t i = 0; i < count * item_size; i++) {
        double signal = signals[(int)times[i / item_size]];
        output[i] = (float)(sqrt(1 - signal * signal) * x[i]);
    }
    return SUMI_OK;
}

static void predictions_of_the_same_say_the_same(void **state)
{
    scratch *room = *state;
    static const char *const few[][2] = {{"items", "300"}, {"batch", "7"}, {NULL, NULL}};
    double squares, signals[TIMES], total[2];
    sumi_data *data = open_normal(room, &squares);
    fill_signals(signals);
    for (int i = 0; i < 2; i++) {
        sumi_solver *solver = make_solver(
            room, "ddpm", i ? NORMAL_OPTIONS "\"epsilon\"}" : NORMAL_OPTIONS "\"sample\"}");
        sumi_likelihood *likelihood = make_likelihood(room, solver, few);
        CHECK_OK(room->context,
                 sumi_likelihood_bound(likelihood, i ? noise_denoiser : sample_denoiser, signals,
                                       data, NULL, NULL));
        total[i] = term_of(likelihood, 0).bits;
        sumi_likelihood_free(likelihood);
        sumi_solver_free(solver);
    }
    CHECK_CLOSE(total[0], total[1], 1e-4);
    sumi_data_free(data);
}

/* ---- Bits ---- */

static sumi_likelihood_term measure_beats(scratch *room, const char *decoder, double *prior)
{
    const char *const settings[][2] = {
        {"items", "1000"}, {"draws", "200"}, {"decoder", decoder}, {NULL, NULL}};
    static const char *const kind[] = {"data.kind=heartbeat", "data.count=1000", NULL};
    int steps = 2000;
    sumi_data *data = open_data(room, kind);
    sumi_solver *solver = make_solver(room, "binomial", "{\"num_train_timesteps\": 2000}");
    sumi_likelihood *likelihood = make_likelihood(room, solver, settings);
    CHECK_OK(room->context,
             sumi_likelihood_bound(likelihood, beat_denoiser, &steps, data, NULL, NULL));
    sumi_likelihood_term total = term_of(likelihood, 0);
    *prior = term_of(likelihood, 1).bits;
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    sumi_data_free(data);
    return total;
}

/* With T steps there is a small loss, for a step back decides about its bits one by one. With the
   first step reversed as it is (Sohl-Dickstein et al. 2015) there is H(x_1 | x_0) beside. */
static void heartbeats_have_nearly_their_entropy(void **state)
{
    scratch *room = *state;
    double prior, rate = 1.0 / 4000;
    double first = -20 * (rate * log2(rate) + (1 - rate) * log2(1 - rate));
    sumi_likelihood_term coin = measure_beats(room, "coin", &prior);
    assert_true(prior == 0);
    assert_true(coin.error < 0.015);
    assert_true(coin.bits > log2_of_5 - 4 * coin.error && coin.bits < log2_of_5 + 0.05);
    sumi_likelihood_term forward = measure_beats(room, "forward", &prior);
    CHECK_CLOSE(forward.bits - coin.bits, first, 0.01);
}

/* ---- What has no meaning ---- */

static void check_refused(scratch *room, sumi_solver *solver, const char *const (*settings)[2],
                          sumi_data *data, const char *reason)
{
    double signals[TIMES] = {0};
    sumi_likelihood *likelihood = make_likelihood(room, solver, settings);
    assert_int_equal(sumi_likelihood_bound(likelihood, sample_denoiser, signals, data, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    if (!strstr(sumi_context_message(room->context), reason)) {
        fail_msg("'%s' lacks '%s'", sumi_context_message(room->context), reason);
    }
    sumi_likelihood_free(likelihood);
}

static void what_has_no_meaning_is_refused(void **state)
{
    scratch *room = *state;
    static const char *const few[][2] = {{"items", "20"}, {"draws", "3"}, {NULL, NULL}};
    static const char *const coin[][2] = {{"decoder", "coin"}, {NULL, NULL}};
    static const char *const levels[][2] = {{"decoder", "discretised"}, {NULL, NULL}};
    double squares;
    sumi_data *data = open_normal(room, &squares);
    sumi_solver *ddpm = make_solver(room, "ddpm", NORMAL_OPTIONS "\"sample\"}");
    sumi_solver *bits = make_solver(room, "binomial", "{\"num_train_timesteps\": 10}");
    check_refused(room, ddpm, few, data, "draws");
    check_refused(room, ddpm, coin, data, "coin");
    check_refused(room, bits, levels, data, "forward");
    check_refused(room, bits, NULL, data, "bits, -1 and 1");
    sumi_likelihood *likelihood = make_likelihood(room, ddpm, NULL);
    static const char *const wrong[][2] = {
        {"item", "3"}, {"items", "-1"}, {"method", "rk5"}, {"tolerance", "0"}, {"probes", "x"}};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sumi_likelihood_set(likelihood, wrong[i][0], wrong[i][1]),
                         SUMI_ERROR_ARGUMENT);
    }
    sumi_likelihood_term term = {.size = sizeof term};
    assert_false(sumi_likelihood_get(likelihood, 0, &term)); /* nothing was measured */
    sumi_likelihood_free(likelihood);
    sumi_solver_free(bits);
    sumi_solver_free(ddpm);
    sumi_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_bound_is_tight_where_the_reverse_process_is_gaussian),
        SCRATCH_TEST(a_worse_denoiser_has_a_looser_bound),
        SCRATCH_TEST(few_draws_estimate_the_same_within_their_error),
        SCRATCH_TEST(predictions_of_the_same_say_the_same),
        SCRATCH_TEST(heartbeats_have_nearly_their_entropy),
        SCRATCH_TEST(what_has_no_meaning_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

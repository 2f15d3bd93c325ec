/* SPDX-License-Identifier: Apache-2.0 */
/* Training a diffusion of bits: the inputs follow the binomial process, the loss is its bound, and
   a small network learns heartbeats. */
#include "data/data.h"
#include "learn/trained.h"
#include "noise/binomial.h"
#include "once.h"

enum { BATCH = 64, BITS = 20, TIMES = 50 };

static void begin(sumi_context *context, const char *const *settings, struct training *t)
{
    CHECK_OK(context, sumi_context_set_threads(context, 1));
    training_of_recipe(context, "dpm-heartbeat", settings, t);
}

static const char *const SMALL[] = {"data.count=500", "model.width=16", "model.depth=1",
                                    "noise.steps=50", "train.batch=64", NULL};

static double abar(double time)
{
    return 1 - (time + 1) / TIMES;
}

static void every_batch_is_the_process_at_times_spread_evenly(void **state)
{
    scratch *room = *state;
    struct training t;
    float clean[BATCH * BITS];
    double flips = 0, expected = 0, variance = 0;
    begin(room->context, SMALL, &t);
    for (int64_t step = 0; step < 20; step++) {
        const struct objective *objective = &t.trainer->plans->objective;
        CHECK_OK(room->context, objective->feed(objective->user, t.trainer->plans->plan, step));
        CHECK_OK(room->context, data_read_batch(t.data, 0, step, BATCH, clean, NULL));
        const float *x = fed(&t, "x"), *times = fed(&t, "times"), *truth = fed(&t, "truth");
        for (int i = 0; i < BATCH; i++) {
            assert_true(times[i] >= 0 && times[i] < TIMES && times[i] == floorf(times[i]));
            CHECK_CLOSE(times[i], (i + 0.5) * TIMES / BATCH, 1.5);
            struct binomial_back back = binomial_back(abar(times[i]), abar(times[i] - 1));
            for (int k = i * BITS; k < (i + 1) * BITS; k++) {
                bool flipped = x[k] != clean[k];
                assert_true(fabsf(x[k]) == 1);
                CHECK_CLOSE(truth[k], flipped ? back.flipped : back.kept, 1e-5);
                double rate = binomial_flipped(abar(times[i]));
                flips += flipped;
                expected += rate;
                variance += rate * (1 - rate);
            }
        }
    }
    CHECK_CLOSE(flips, expected, 4 * sqrt(variance));
    training_end(&t);
}

/* The mean of the loss over many steps is the bound that src/measure computes, including the last
   step. */
static void the_loss_is_the_bound_in_bits(void **state)
{
    scratch *room = *state;
    struct training t;
    sumi_solver *solver = NULL;
    sumi_likelihood *likelihood = NULL;
    sumi_likelihood_term total = {.size = sizeof total};
    enum { STEPS = 400 };
    double mean = 0;
    begin(room->context, SMALL, &t);
    for (int64_t step = 0; step < STEPS; step++) {
        const struct objective *objective = &t.trainer->plans->objective;
        CHECK_OK(room->context, objective->feed(objective->user, t.trainer->plans->plan, step));
        CHECK_OK(room->context, sumi_plan_run(t.trainer->plans->plan, 0, (uint64_t)step));
        mean += *sumi_plan_data(t.trainer->plans->plan, t.trainer->plans->losses[0]) / STEPS;
    }
    CHECK_OK(room->context, sumi_model_solver(t.model, NULL, &solver));
    CHECK_OK(room->context, sumi_likelihood_create(room->context, solver, &likelihood));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "decoder", "coin"));
    CHECK_OK(room->context, once_bound(room->context, t.model, likelihood, t.data));
    assert_true(sumi_likelihood_get(likelihood, 0, &total));
    assert_true(total.bits > 20 && total.error < 0.02 * total.bits); /* nothing is learned yet */
    CHECK_CLOSE(mean, total.bits, 6 * total.error);
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    training_end(&t);
}

static void a_small_network_learns_heartbeats(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {
        "data.bits=10",    "model.width=64",   "model.depth=2",  "noise.steps=100",
        "train.batch=128", "train.steps=1200", "train.ema=0.98", NULL};
    struct training t;
    sumi_solver *solver = NULL;
    sumi_likelihood *likelihood = NULL;
    sumi_likelihood_term total = {.size = sizeof total};
    begin(room->context, settings, &t);
    CHECK_OK(room->context, sumi_trainer_run(t.trainer, NULL, NULL, NULL));
    CHECK_OK(room->context, sumi_model_solver(t.model, NULL, &solver));
    CHECK_OK(room->context, sumi_likelihood_create(room->context, solver, &likelihood));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "items", "1000"));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "draws", "20"));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "decoder", "coin"));
    CHECK_OK(room->context, once_bound(room->context, t.model, likelihood, t.data));
    assert_true(sumi_likelihood_get(likelihood, 0, &total));
    assert_true(total.bits > log2(5) - 4 * total.error && total.bits < log2(5) + 0.35);
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    training_end(&t);
}

static void what_does_not_fit_is_refused(void **state)
{
    scratch *room = *state;
    static const char *const wrong[][2] = {{"noise.path=table", "noise.path"},
                                           {"data.scale=0.5", "-1 and 1"},
                                           {"train.objective=denoising", "train.objective"}};
    for (int i = 0; i < 3; i++) {
        struct training t;
        begin(room->context, SMALL, &t);
        sumi_trainer_free(t.trainer);
        sumi_model_free(t.model);
        sumi_data_free(t.data);
        t.trainer = NULL;
        t.model = NULL;
        CHECK_OK(room->context, sumi_recipe_set(t.recipe, wrong[i][0]));
        CHECK_OK(room->context, sumi_data_open(room->context, t.recipe, &t.data));
        CHECK_OK(room->context,
                 sumi_model_create_from_recipe(room->context, t.recipe, t.data, &t.model));
        sumi_status status =
            sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer);
        if (status == SUMI_OK) status = sumi_trainer_step(t.trainer, NULL);
        assert_int_equal(status, SUMI_ERROR_ARGUMENT);
        if (!strstr(sumi_context_message(room->context), wrong[i][1])) {
            fail_msg("'%s' lacks '%s'", sumi_context_message(room->context), wrong[i][1]);
        }
        training_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(every_batch_is_the_process_at_times_spread_evenly),
        SCRATCH_TEST(the_loss_is_the_bound_in_bits),
        SCRATCH_TEST(a_small_network_learns_heartbeats),
        SCRATCH_TEST(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of Gaussian data with their exact denoiser, whose entropy is known: the
   importance-weighted bound, and the bound term by term of a path in continuous time. */
#include "base/philox.h"
#include "measure/terms.h"
#include "scratch.h"

enum { ITEMS = 300, SIZE = 2, TIMES = 50 };

/* Items of mean 0.3 and deviation 0.6 in each number. */
static const double MEAN = 0.3, DEVIATION = 0.6;

/* The data, and -log2 of their density, the mean over items. */
static sumi_data *open_data(scratch *room, double mean, double deviation, double *truth)
{
    sumi_array items = {0};
    sumi_data *data = NULL;
    const philox_stream stream = {1, PURPOSE_DATA, 0};
    CHECK_OK(room->context, sumi_array_create(room->context, 2, (int64_t[]){ITEMS, SIZE}, &items));
    philox_normal(&stream, 0, ITEMS * SIZE, items.data);
    *truth = 0;
    for (int i = 0; i < ITEMS * SIZE; i++) {
        *truth += gaussian_density_term(deviation * items.data[i], 0, deviation) / log(2) / ITEMS;
        items.data[i] = (float)(mean + deviation * items.data[i]);
    }
    CHECK_OK(room->context, sumi_data_from_array(room->context, &items, NULL, SUMI_POINTS, &data));
    sumi_array_release(room->context, &items);
    return data;
}

/* What the denoisers are of. */
struct gaussian {
    double mean, deviation;
    sumi_solver *solver;
    bool velocity; /* predicts e - x0, else x0 */
};

/* The conditional means of x0 and e given x = a x0 + s e. */
static sumi_status denoise(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    const struct gaussian *g = user;
    (void)output_size;
    for (int64_t i = 0; i < count * item_size; i++) {
        double a = 0, s = 0;
        sumi_status status = sumi_solver_level(g->solver, times[i / item_size], &a, &s);
        if (status != SUMI_OK) return status;
        double variance = g->deviation * g->deviation;
        double share = (x[i] - a * g->mean) / (a * a * variance + s * s);
        double clean = g->mean + a * variance * share;
        output[i] = (float)(g->velocity ? s * share - clean : clean);
    }
    return SUMI_OK;
}

static sumi_solver *make_solver(scratch *room, const char *name, const char *options)
{
    sumi_solver *solver = NULL;
    CHECK_OK(room->context, sumi_solver_create(room->context, name, &solver));
    CHECK_OK(room->context, sumi_solver_configure(solver, options));
    assert_true(sumi_solver_times(solver, NULL, 0) > 0);
    return solver;
}

static sumi_likelihood *make_likelihood(scratch *room, sumi_solver *solver, const char *name,
                                        const char *value)
{
    sumi_likelihood *likelihood = NULL;
    CHECK_OK(room->context, sumi_likelihood_create(room->context, solver, &likelihood));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "decoder", "gaussian"));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, name, value));
    return likelihood;
}

static sumi_likelihood_term term_of(const sumi_likelihood *likelihood, int64_t number)
{
    sumi_likelihood_term term = {.size = sizeof term};
    assert_true(sumi_likelihood_get(likelihood, number, &term));
    return term;
}

#define TABLE                                                                                      \
    "{\"num_train_timesteps\": 50, \"beta_start\": 0.01, \"beta_end\": 0.5, \"clip_sample\":"      \
    " false, \"prediction_type\": \"sample\", \"variance_type\": "

/* For standard normal data the steps back are Gaussian with variance beta, so that every weight is
   p(x0) itself. */
static void weights_are_the_density_where_the_reverse_process_is_exact(void **state)
{
    scratch *room = *state;
    double truth;
    sumi_data *data = open_data(room, 0, 1, &truth);
    sumi_solver *solver = make_solver(room, "ddpm", TABLE "\"fixed_large\"}");
    struct gaussian exact = {.deviation = 1, .solver = solver};
    sumi_likelihood *likelihood = make_likelihood(room, solver, "trajectories", "3");
    CHECK_OK(room->context,
             sumi_likelihood_importance(likelihood, denoise, &exact, data, NULL, NULL));
    sumi_likelihood_term total = term_of(likelihood, 0), one = term_of(likelihood, 1);
    assert_string_equal(one.name, "one");
    assert_int_equal(total.draws, ITEMS * 3 * TIMES);
    CHECK_CLOSE(total.bits, truth, 2e-3); /* the state at the end is only nearly normal */
    CHECK_CLOSE(one.bits, truth, 2e-3);
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    sumi_data_free(data);
}

/* The bound of few steps is loose by a known amount, which weighing trajectories removes. */
static void more_trajectories_bring_the_bound_nearer_to_the_entropy(void **state)
{
    scratch *room = *state;
    static const char *const counts[] = {"1", "8", "64"};
    double truth, bits[3];
    sumi_data *data = open_data(room, MEAN, DEVIATION, &truth);
    sumi_solver *solver = make_solver(room, "ddpm", TABLE "\"fixed_large\"}");
    struct gaussian exact = {MEAN, DEVIATION, solver, false};
    for (int i = 0; i < 3; i++) {
        sumi_likelihood *likelihood = make_likelihood(room, solver, "trajectories", counts[i]);
        CHECK_OK(room->context,
                 sumi_likelihood_importance(likelihood, denoise, &exact, data, NULL, NULL));
        bits[i] = term_of(likelihood, 0).bits;
        sumi_likelihood_free(likelihood);
    }
    assert_true(bits[0] > bits[1] && bits[1] > bits[2]);
    assert_true(bits[0] > truth + 0.01);
    CHECK_CLOSE(bits[2], truth, 0.02); /* 0.01 bits for each number */
    sumi_solver_free(solver);
    sumi_data_free(data);
}

/* One trajectory estimates the bound that bound.c measures term by term. */
static void one_trajectory_is_the_bound_term_by_term(void **state)
{
    scratch *room = *state;
    double truth;
    sumi_data *data = open_data(room, MEAN, DEVIATION, &truth);
    sumi_solver *solver = make_solver(room, "ddpm", TABLE "\"fixed_large\"}");
    struct gaussian exact = {MEAN, DEVIATION, solver, false};
    sumi_likelihood *likelihood = make_likelihood(room, solver, "trajectories", "8");
    CHECK_OK(room->context,
             sumi_likelihood_importance(likelihood, denoise, &exact, data, NULL, NULL));
    sumi_likelihood_term one = term_of(likelihood, 1);
    sumi_likelihood_free(likelihood);
    likelihood = make_likelihood(room, solver, "draws", "0");
    CHECK_OK(room->context, sumi_likelihood_bound(likelihood, denoise, &exact, data, NULL, NULL));
    sumi_likelihood_term bound = term_of(likelihood, 0);
    CHECK_CLOSE(one.bits, bound.bits, 4 * (one.error + bound.error));
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    sumi_data_free(data);
}

static void a_flow_has_both_bounds(void **state)
{
    scratch *room = *state;
    double truth;
    sumi_data *data = open_data(room, MEAN, DEVIATION, &truth);
    sumi_solver *solver = make_solver(room, "flow-euler", "{}");
    struct gaussian exact = {MEAN, DEVIATION, solver, true};
    sumi_likelihood *likelihood = make_likelihood(room, solver, "times", "200");
    CHECK_OK(room->context, sumi_likelihood_bound(likelihood, denoise, &exact, data, NULL, NULL));
    sumi_likelihood_term bound = term_of(likelihood, 0);
    CHECK_CLOSE(bound.bits, truth, 0.05 + 4 * bound.error);
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "trajectories", "64"));
    CHECK_OK(room->context,
             sumi_likelihood_importance(likelihood, denoise, &exact, data, NULL, NULL));
    CHECK_CLOSE(term_of(likelihood, 0).bits, truth, 0.02); /* 0.01 bits for each number */
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    sumi_data_free(data);
}

static void a_forward_decoder_has_no_weights(void **state)
{
    scratch *room = *state;
    double truth;
    sumi_data *data = open_data(room, MEAN, DEVIATION, &truth);
    sumi_solver *solver = make_solver(room, "ddpm", TABLE "\"fixed_large\"}");
    struct gaussian exact = {MEAN, DEVIATION, solver, false};
    sumi_likelihood *likelihood = make_likelihood(room, solver, "decoder", "forward");
    assert_int_equal(sumi_likelihood_importance(likelihood, denoise, &exact, data, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "measure the bound instead"));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "decoder", "gaussian"));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "draws", "3"));
    assert_int_equal(sumi_likelihood_importance(likelihood, denoise, &exact, data, NULL, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "does not read \"draws\""));
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    sumi_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(weights_are_the_density_where_the_reverse_process_is_exact),
        SCRATCH_TEST(more_trajectories_bring_the_bound_nearer_to_the_entropy),
        SCRATCH_TEST(one_trajectory_is_the_bound_term_by_term),
        SCRATCH_TEST(a_flow_has_both_bounds),
        SCRATCH_TEST(a_forward_decoder_has_no_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

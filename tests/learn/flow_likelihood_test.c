/* SPDX-License-Identifier: Apache-2.0 */
/* Flows trained by likelihood: the loss is the density that an integrator of another kind finds,
   its gradient is that of difference quotients, and a small flow learns a ring of Gaussians. */
#include "learn/trained.h"

enum { BATCH = 32 };

static void begin(sumi_context *context, const char *const *settings, struct training *t)
{
    CHECK_OK(context, sumi_context_set_threads(context, 1));
    training_of_recipe(context, "cnf-moons", settings, t);
}

/* -log2 p of the items of a step, by the adaptive integrator of src/measure. */
static double bits_of(sumi_context *context, const struct training *t, int64_t step)
{
    sumi_solver *solver = NULL;
    sumi_likelihood *likelihood = NULL;
    sumi_session *session = NULL;
    sumi_likelihood_term total = {.size = sizeof total};
    int64_t shape[SUMI_MAX_RANK + 1] = {BATCH};
    int rank = 1 + sumi_data_shape(t->data, shape + 1);
    float *items = malloc((size_t)(BATCH * t->data->item_size) * sizeof *items);
    CHECK_OK(context, data_read_batch(t->data, 0, step, BATCH, items, NULL));
    CHECK_OK(context, sumi_model_solver(t->model, NULL, &solver));
    CHECK_OK(context, sumi_likelihood_create(context, solver, &likelihood));
    CHECK_OK(context, sumi_likelihood_set(likelihood, "tolerance", "1e-6"));
    CHECK_OK(context, sumi_session_create(context, t->model, &session));
    CHECK_OK(context, sumi_likelihood_density(likelihood, sumi_session_product, session, rank,
                                              shape, items, NULL, NULL, NULL));
    sumi_session_free(session);
    assert_true(sumi_likelihood_get(likelihood, 0, &total));
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    free(items);
    return total.bits;
}

static void the_loss_is_the_density_along_the_flow(void **state)
{
    scratch *room = *state;
    static const char *const methods[] = {"train.method=midpoint", "train.method=heun",
                                          "train.method=rk4"};
    for (int i = 0; i < 3; i++) {
        const char *const settings[] = {"data.count=200",    "model.width=16", "model.depth=1",
                                        "noise.steps=4",     "train.batch=32", "train.energy=0",
                                        "train.segments=12", methods[i],       NULL};
        struct training t;
        begin(room->context, settings, &t);
        double exact = bits_of(room->context, &t, 1);
        CHECK_CLOSE(loss_of(room->context, &t, 1), exact, 5e-3);
        training_end(&t);
    }
}

/* Where there are many numbers the trace is estimated: right in the mean over probes. */
static void probes_estimate_the_loss_of_larger_items(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {"data.kind=heartbeat",
                                           "data.bits=8",
                                           "data.noise=0",
                                           "data.count=32",
                                           "model.width=16",
                                           "model.depth=1",
                                           "noise.steps=4",
                                           "train.batch=32",
                                           "train.energy=0",
                                           "train.segments=6",
                                           NULL};
    enum { STEPS = 60 };
    struct training t;
    double mean = 0, squares = 0;
    begin(room->context, settings, &t);
    for (int step = 0; step < STEPS; step++) { /* every step has all items */
        double loss = loss_of(room->context, &t, step);
        mean += loss / STEPS;
        squares += loss * loss / STEPS;
    }
    double error = sqrt((squares - mean * mean) / STEPS);
    assert_true(error > 1e-5);
    CHECK_CLOSE(mean, bits_of(room->context, &t, 0), 4 * error + 5e-3);
    training_end(&t);
}

static void check_gradients(sumi_context *context, const char *const *settings)
{
    struct training t;
    begin(context, settings, &t);
    for (int64_t w = 0; w < t.model->weights->count; w += 3) {
        struct weight *weight = &t.model->weights->items[w];
        int64_t k = shape_count(&weight->shape) / 2;
        const float step = 0x1p-6f;
        float kept = weight->data[k];
        loss_of(context, &t, 0);
        double slope = t.trainer->plans->gradients[w][k];
        weight->data[k] = kept + step;
        double above = loss_of(context, &t, 0);
        weight->data[k] = kept - step;
        double quotient = (above - loss_of(context, &t, 0)) / (2 * (double)step);
        weight->data[k] = kept;
        CHECK_CLOSE(slope, quotient, 2e-3 * (1 + fabs(quotient)));
    }
    training_end(&t);
}

static void gradients_of_the_trace_are_gradients_of_gradients(void **state)
{
    scratch *room = *state;
    static const char *const points[] = {"data.count=200",
                                         "model.width=8",
                                         "model.depth=1",
                                         "train.batch=32",
                                         "train.segments=2",
                                         "train.energy=0.3",
                                         NULL};
    static const char *const bits[] = {
        "data.kind=heartbeat", "data.bits=8",    "data.count=200",   "model.width=8",
        "model.depth=1",       "train.batch=32", "train.segments=2", NULL};
    check_gradients(room->context, points);
    check_gradients(room->context, bits);
}

static void a_small_flow_learns_a_ring(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {"data.kind=gaussians", "data.noise=0.1",
                                           "data.scale=1.5",      "data.count=2000",
                                           "model.width=32",      "model.depth=1",
                                           "train.batch=32",      "train.segments=4",
                                           "train.steps=150",     "train.learning_rate=0.01",
                                           "train.energy=0.05",   "train.ema=0.9",
                                           "train.warmup=10",     NULL};
    struct training t;
    begin(room->context, settings, &t);
    double before = bits_of(room->context, &t, 0);
    CHECK_OK(room->context, sumi_trainer_run(t.trainer, NULL, NULL, NULL));
    double after = bits_of(room->context, &t, 0);
    /* a normal distribution of the ring's variance has 3.44 bits */
    assert_true(before > 3.4 && after < 3.2);
    training_end(&t);
}

static void what_is_no_flow_is_refused(void **state)
{
    scratch *room = *state;
    static const char *const wrong[] = {"noise.path=vp", "noise.prediction=sample"};
    for (int i = 0; i < 2; i++) {
        struct training t = {.recipe = NULL};
        CHECK_OK(room->context, sumi_recipe_open(room->context, "cnf-moons", &t.recipe));
        CHECK_OK(room->context, sumi_recipe_set(t.recipe, wrong[i]));
        CHECK_OK(room->context, sumi_data_open(room->context, t.recipe, &t.data));
        CHECK_OK(room->context,
                 sumi_model_create_from_recipe(room->context, t.recipe, t.data, &t.model));
        assert_int_equal(sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer),
                         SUMI_ERROR_ARGUMENT);
        assert_non_null(strstr(sumi_context_message(room->context), "noise.path = flow"));
        training_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_loss_is_the_density_along_the_flow),
        SCRATCH_TEST(probes_estimate_the_loss_of_larger_items),
        SCRATCH_TEST(gradients_of_the_trace_are_gradients_of_gradients),
        SCRATCH_TEST(a_small_flow_learns_a_ring),
        SCRATCH_TEST(what_is_no_flow_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

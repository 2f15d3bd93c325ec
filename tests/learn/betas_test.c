/* SPDX-License-Identifier: Apache-2.0 */
/* Learned betas: the loss is the bound in closed form over frozen noise, its derivative by the
   betas is that of difference quotients, and what is learned becomes the model's schedule. */
#include "data/shuffle.h"
#include "learn/trained.h"
#include "solvers/solver.h"
#include "once.h"

enum { BATCH = 50, TIMES = 8, SIZE = 2 };

static const char *const SMALL[] = {"data.count=50",  "data.noise=0.05", "model.width=16",
                                    "model.depth=1",  "noise.steps=8",   "noise.beta_start=0.001",
                                    "train.batch=50", "train.ema=0",     NULL};

static void begin(sumi_context *context, const char *const *settings, struct training *t)
{
    CHECK_OK(context, sumi_context_set_threads(context, 1));
    training_of_recipe(context, "dpm-swissroll", settings, t);
}

static struct weight *beta_weight(const struct training *t)
{
    int64_t number = weights_find(t->model->weights, "objective.betas");
    assert_true(number >= 0);
    return &t->model->weights->items[number];
}

static void an_item_keeps_its_noise_in_every_epoch(void **state)
{
    scratch *room = *state;
    struct training t;
    float seen[BATCH][TIMES * SIZE];
    begin(room->context, SMALL, &t);
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        loss_of(room->context, &t, epoch);
        for (int i = 0; i < BATCH; i++) {
            int64_t item = shuffle_index(0, (uint64_t)epoch, BATCH, i);
            const float *noise = fed(&t, "noise") + i * TIMES * SIZE;
            if (epoch == 0) memcpy(seen[item], noise, sizeof seen[item]);
            assert_memory_equal(seen[item], noise, sizeof seen[item]);
        }
    }
    assert_memory_not_equal(seen[0], seen[1], sizeof seen[0]);
    /* so the bound of the whole data set is the same number, whatever the order */
    double first = loss_of(room->context, &t, 0), second = loss_of(room->context, &t, 1);
    CHECK_CLOSE(first, second, 1e-4 * fabs(first));
    training_end(&t);
}

/* src/measure works the bound out with other draws and other code. */
static void the_loss_is_the_bound_with_the_forward_decoder(void **state)
{
    scratch *room = *state;
    static const char *const many[] = {
        "data.count=2000", "data.noise=0.05", "model.width=16",
        "model.depth=1",   "noise.steps=8",   "noise.beta_start=0.001",
        "train.batch=500", "train.ema=0",     NULL};
    struct training t;
    sumi_solver *solver = NULL;
    sumi_likelihood *likelihood = NULL;
    sumi_likelihood_term total = {.size = sizeof total};
    double mean = 0;
    begin(room->context, many, &t);
    beta_weight(&t)->data[3] = 0.7f; /* not only where training starts */
    for (int step = 0; step < 4; step++) mean += loss_of(room->context, &t, step) / 4;
    CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, true));
    CHECK_OK(room->context, sumi_model_solver(t.model, NULL, &solver));
    CHECK_OK(room->context, sumi_likelihood_create(room->context, solver, &likelihood));
    CHECK_OK(room->context, sumi_likelihood_set(likelihood, "decoder", "forward"));
    CHECK_OK(room->context, once_bound(room->context, t.model, likelihood, t.data));
    assert_true(sumi_likelihood_get(likelihood, 0, &total));
    CHECK_CLOSE(mean, total.bits, 5 * total.error);
    assert_true(total.error < 0.05 * fabs(total.bits));
    sumi_likelihood_free(likelihood);
    sumi_solver_free(solver);
    training_end(&t);
}

static void the_gradient_by_the_betas_is_that_of_the_bound(void **state)
{
    scratch *room = *state;
    struct training t;
    begin(room->context, SMALL, &t);
    float *change = beta_weight(&t)->data;
    int64_t number = weights_find(t.model->weights, "objective.betas");
    loss_of(room->context, &t, 0);
    for (int k = 0; k < TIMES - 1; k++) {
        const float step = 0x1p-5f;
        loss_of(room->context, &t, 0);
        double slope = t.trainer->plans->gradients[number][k];
        change[k] = step;
        double above = loss_of(room->context, &t, 0);
        change[k] = -step;
        double below = loss_of(room->context, &t, 0), quotient = (above - below) / (2 * step);
        change[k] = 0;
        CHECK_CLOSE(slope, quotient, 2e-3 * (1 + fabs(quotient)));
    }
    training_end(&t);
}

/* Training raises the bound, moves the betas but the first, and the saved model has them. */
static void learned_betas_become_the_models_schedule(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {
        "data.count=500",  "data.noise=0.05",           "model.width=32",       "model.depth=2",
        "noise.steps=8",   "noise.beta_start=0.001",    "train.batch=50",       "train.steps=200",
        "train.warmup=10", "train.learning_rate=0.005", "train.decay=constant", NULL};
    struct training t;
    sumi_model *opened = NULL;
    sumi_solver *before = NULL, *after = NULL;
    const struct schedule *was = NULL, *is = NULL;
    begin(room->context, settings, &t);
    CHECK_OK(room->context, sumi_model_solver(t.model, NULL, &before));
    CHECK_OK(room->context, solver_schedule(before, &was));
    double first = loss_of(room->context, &t, 0);
    CHECK_OK(room->context, sumi_trainer_run(t.trainer, scratch_path(room, "run"), NULL, NULL));
    assert_true(loss_of(room->context, &t, 0) < first - 1);
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "run"), &opened));
    CHECK_OK(room->context, sumi_model_solver(opened, NULL, &after));
    CHECK_OK(room->context, solver_schedule(after, &is));
    assert_int_equal(is->count, TIMES);
    CHECK_CLOSE(is->betas[0], was->betas[0], 1e-9);
    double moved = 0;
    for (int i = 1; i < TIMES; i++) moved = fmax(moved, fabs(is->betas[i] / was->betas[i] - 1));
    assert_true(moved > 0.02);
    assert_true(weights_find(opened->weights, "objective.betas") < 0);
    sumi_array samples = {0};
    CHECK_OK(room->context, sumi_model_sample(opened, after, 10, NULL, &samples));
    sumi_array_release(room->context, &samples);
    sumi_solver_free(after);
    sumi_solver_free(before);
    sumi_model_free(opened);
    training_end(&t);
}

static void other_models_are_refused(void **state)
{
    scratch *room = *state;
    static const char *const wrong[] = {"noise.prediction=sample", "noise.variance=fixed_small",
                                        "noise.path=vp", "noise.steps=5000"};
    for (int i = 0; i < 4; i++) {
        struct training t = {.recipe = NULL};
        CHECK_OK(room->context, sumi_recipe_open(room->context, "dpm-swissroll", &t.recipe));
        CHECK_OK(room->context, sumi_recipe_set(t.recipe, wrong[i]));
        CHECK_OK(room->context, sumi_data_open(room->context, t.recipe, &t.data));
        CHECK_OK(room->context,
                 sumi_model_create_from_recipe(room->context, t.recipe, t.data, &t.model));
        assert_int_equal(sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer),
                         SUMI_ERROR_ARGUMENT);
        assert_non_null(strstr(sumi_context_message(room->context), "train.objective = betas"));
        training_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_item_keeps_its_noise_in_every_epoch),
        SCRATCH_TEST(the_loss_is_the_bound_with_the_forward_decoder),
        SCRATCH_TEST(the_gradient_by_the_betas_is_that_of_the_bound),
        SCRATCH_TEST(learned_betas_become_the_models_schedule),
        SCRATCH_TEST(other_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

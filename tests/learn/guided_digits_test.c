/* SPDX-License-Identifier: Apache-2.0 */
/* A small network that is trained on small digits with label dropout, for a few seconds, and
   guided: its samples are more often what was asked for. What a sample shows is the class of the
   nearest of other digits. */
#include "data/data.h"
#include "learn/trained.h"

enum { SIDE = 7, SIZE = SIDE * SIDE, ITEMS = 4000, REFERENCES = 2000, SAMPLES = 500, CLASSES = 10 };

/* Digits of 28x28 as means of blocks of 4x4, between -1 and 1. */
static void fill_digits(sumi_context *context, const char *seed, int count, float *small,
                        int32_t *labels)
{
    enum { LARGE = 28, BLOCK = LARGE / SIDE };
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    float item[LARGE * LARGE];
    char items[32];
    snprintf(items, sizeof items, "data.count=%d", count);
    CHECK_OK(context, sumi_recipe_open(context, "digits", &recipe));
    CHECK_OK(context, sumi_recipe_set(recipe, "data.labels=yes"));
    CHECK_OK(context, sumi_recipe_set(recipe, items));
    CHECK_OK(context, sumi_recipe_set(recipe, seed));
    CHECK_OK(context, sumi_data_open(context, recipe, &data));
    memset(small, 0, (size_t)count * SIZE * sizeof *small);
    for (int64_t i = 0; i < count; i++) {
        CHECK_OK(context, sumi_data_read(data, &i, 1, item, &labels[i]));
        for (int k = 0; k < LARGE * LARGE; k++)
            small[i * SIZE + k / LARGE / BLOCK * SIDE + k % LARGE / BLOCK] +=
                item[k] / (BLOCK * BLOCK);
    }
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

static void train(sumi_context *context, const float *items, const int32_t *labels,
                  struct training *t)
{
    static const char *const settings[] = {"model.class_conditional=yes",
                                           "train.label_dropout=0.15",
                                           "model.width=96",
                                           "model.depth=3",
                                           "train.steps=1500",
                                           "train.batch=64",
                                           "train.learning_rate=0.002",
                                           "train.decay=cosine",
                                           "train.ema=0.99",
                                           "noise.schedule=cosine",
                                           "noise.prediction=v_prediction",
                                           NULL};
    const sumi_array array = {2, {ITEMS, SIZE}, (float *)items};
    memset(t, 0, sizeof *t);
    CHECK_OK(context, sumi_recipe_open(context, "points", &t->recipe));
    for (int i = 0; settings[i]; i++) CHECK_OK(context, sumi_recipe_set(t->recipe, settings[i]));
    CHECK_OK(context, sumi_data_from_array(context, &array, labels, SUMI_POINTS, &t->data));
    CHECK_OK(context, sumi_model_create_from_recipe(context, t->recipe, t->data, &t->model));
    CHECK_OK(context, sumi_trainer_create(context, t->recipe, t->model, t->data, &t->trainer));
    CHECK_OK(context, sumi_trainer_run(t->trainer, NULL, NULL, NULL));
}

static int32_t class_of(const float *references, const int32_t *labels, const float *sample)
{
    double nearest = INFINITY;
    int32_t found = -1;
    for (int i = 0; i < REFERENCES; i++) {
        double distance = 0;
        for (int k = 0; k < SIZE; k++) {
            double away = references[i * SIZE + k] - sample[k];
            distance += away * away;
        }
        if (distance >= nearest) continue;
        nearest = distance;
        found = labels[i];
    }
    return found;
}

/* The share of samples, each class in turn, that show the class asked for. */
static double share_right(sumi_context *context, sumi_model *model, const char *scale,
                          const float *references, const int32_t *labels)
{
    sumi_session *session = NULL;
    sumi_solver *solver = NULL;
    sumi_guide *guide = NULL;
    sumi_array samples = {0};
    int right = 0;
    CHECK_OK(context, sumi_session_create(context, model, &session));
    CHECK_OK(context, sumi_session_solver(session, "ddim", &solver));
    CHECK_OK(context, sumi_solver_set(solver, "steps", "25"));
    CHECK_OK(context, sumi_session_add_guide(session, "classifier-free", &guide));
    CHECK_OK(context, sumi_guide_set(guide, "scale", scale));
    CHECK_OK(context, sumi_session_sample(session, solver, SAMPLES, NULL, NULL, &samples));
    for (int i = 0; i < SAMPLES; i++)
        right += class_of(references, labels, samples.data + i * SIZE) == i % CLASSES;
    sumi_array_release(context, &samples);
    sumi_solver_free(solver);
    sumi_session_free(session);
    return (double)right / SAMPLES;
}

static void guided_samples_are_more_often_of_the_class_asked_for(void **state)
{
    scratch *room = *state;
    static float items[ITEMS * SIZE], references[REFERENCES * SIZE];
    static int32_t labels[ITEMS], classes[REFERENCES];
    struct training t;
    CHECK_OK(room->context, sumi_context_set_threads(room->context, 1));
    fill_digits(room->context, "data.seed=1", ITEMS, items, labels);
    fill_digits(room->context, "data.seed=2", REFERENCES, references, classes);
    train(room->context, items, labels, &t);
    double none = share_right(room->context, t.model, "0", references, classes);
    double plain = share_right(room->context, t.model, "1", references, classes);
    double guided = share_right(room->context, t.model, "3", references, classes);
    if (!(plain > 0.75 && plain < 0.97 && guided > 0.98))
        fail_msg("%.3f of the samples with scale 1 are right, %.3f with scale 3", plain, guided);
    CHECK_CLOSE(none, 1.0 / CLASSES, 0.06); /* whatever was asked for */
    training_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(guided_samples_are_more_often_of_the_class_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Classifiers of noised items: one that is trained on eight Gaussians tells them apart, its
   gradient is that of its likelihood, on any path, and what cannot be trained is refused. */
#include "learn/trained.h"
#include "models/classifier.h"
#include "models/session.h"
#include "models/tiny.h"
#include "solvers/solver.h"

enum { CLASSES = 8, COUNT = 64 };

#define EIGHT                                                                                      \
    "data.kind=gaussians", "data.noise=0.02", "data.count=1000", "data.labels=yes",                \
        "train.objective=classification"
#define TRAINED                                                                                    \
    EIGHT, "model.width=32", "model.depth=2", "train.batch=64", "train.steps=400",                 \
        "train.learning_rate=0.01", NULL

static void train(scratch *room, const char *const *settings, struct training *t)
{
    double loss = 0;
    training_of_recipe(room->context, "points", settings, t);
    for (int step = 0; step < 400; step++)
        CHECK_OK(room->context, sumi_trainer_step(t->trainer, &loss));
    assert_true(loss < log(CLASSES));
}

static void a_trained_classifier_tells_the_classes_apart(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {TRAINED};
    struct training t;
    sumi_classifier *classifier = NULL;
    int64_t indices[COUNT];
    float items[2 * COUNT], chances[COUNT];
    int32_t labels[COUNT], classes[COUNT];
    int right = 0;
    train(room, settings, &t);
    CHECK_OK(room->context, sumi_classifier_create(room->context, t.model, &classifier));
    assert_int_equal(sumi_classifier_classes(classifier), CLASSES);
    for (int i = 0; i < COUNT; i++) indices[i] = i;
    CHECK_OK(room->context, sumi_data_read(t.data, indices, COUNT, items, labels));
    CHECK_OK(room->context, sumi_classifier_judge(classifier, COUNT, items, 0, classes, chances));
    for (int i = 0; i < COUNT; i++) {
        right += classes[i] == labels[i];
        assert_true(chances[i] > 1.0 / CLASSES && chances[i] <= 1);
    }
    if (right < 0.9 * COUNT) fail_msg("%d of %d are right", right, COUNT);
    sumi_classifier_free(classifier);
    training_end(&t);
}

/* log p of class 3 at a state, as the mean of `count` equal rows. */
static double likelihood_at(scratch *room, sumi_classifier *classifier,
                            const struct noise_level *level, const float x[2], float gradient[2])
{
    const int32_t class = 3;
    float log_likelihood = 0;
    CHECK_OK(room->context,
             classifier_gradient(classifier, 1, level, &class, 1, x, &log_likelihood, gradient));
    return log_likelihood;
}

static void the_gradient_is_that_of_the_likelihood_and_the_path_may_be_another(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {TRAINED};
    static const struct noise_level levels[] = {{.signal = 0.8, .noise = 0.6},
                                                {.signal = 1, .noise = 0.75},
                                                {.signal = 0.4 / 0.7, .noise = 0.3 / 0.7}};
    struct training t;
    sumi_classifier *classifier = NULL;
    train(room, settings, &t);
    CHECK_OK(room->context, sumi_classifier_create(room->context, t.model, &classifier));
    double first = 0;
    for (int i = 0; i < 3; i++) { /* one ratio of noise to signal, on three scales */
        double size = levels[i].signal / 0.8, step = 1e-2 * size;
        float gradient[2], unused[2];
        const float x[2] = {(float)(0.5 * size), (float)(-0.7 * size)};
        double here = likelihood_at(room, classifier, &levels[i], x, gradient);
        if (i == 0) first = here;
        CHECK_CLOSE(here, first, 1e-3);
        for (int k = 0; k < 2; k++) {
            float plus[2] = {x[0], x[1]}, minus[2] = {x[0], x[1]};
            plus[k] += (float)step;
            minus[k] -= (float)step;
            double slope = (likelihood_at(room, classifier, &levels[i], plus, unused)
                            - likelihood_at(room, classifier, &levels[i], minus, unused))
                           / (2 * step);
            CHECK_CLOSE(gradient[k], slope, 0.03 * (1 + fabs(slope)));
        }
    }
    sumi_classifier_free(classifier);
    training_end(&t);
}

/* The guide moves the states towards the class. */
static void samples_are_guided_to_the_class(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {TRAINED};
    static const char *const plain[] = {"data.kind=gaussians", "data.count=1000", "train.steps=1",
                                        "model.width=8", NULL};
    struct training t, sampled;
    sumi_classifier *classifier = NULL;
    sumi_session *session = NULL;
    sumi_guide *guide = NULL;
    const int32_t class = 3, outside = CLASSES;
    const float x[4] = {0.5F, -0.7F, 1, 1}, times[2] = {200, 200};
    float alone[4], guided[4];
    train(room, settings, &t);
    training_of_recipe(room->context, "points", plain, &sampled);
    CHECK_OK(room->context, sumi_classifier_create(room->context, t.model, &classifier));
    CHECK_OK(room->context, sumi_session_create(room->context, sampled.model, &session));
    CHECK_OK(room->context, sumi_session_predict(session, 2, x, times, alone));
    CHECK_OK(room->context, sumi_session_add_guide(session, "classifier", &guide));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "classes from 0 to 7",
                sumi_guide_set_classifier(guide, classifier, 1, &outside));
    CHECK_OK(room->context, sumi_guide_set_classifier(guide, classifier, 1, &class));
    CHECK_OK(room->context, sumi_session_predict(session, 2, x, times, guided));
    for (int i = 0; i < 2; i++) { /* epsilon less s times the gradient */
        float gradient[2];
        struct noise_level level = path_level(&session->levels->path, 200);
        likelihood_at(room, classifier, &level, x + 2 * i, gradient);
        for (int k = 0; k < 2; k++)
            CHECK_CLOSE(guided[2 * i + k], alone[2 * i + k] - level.noise * gradient[k],
                        1e-3 * (1 + fabs(gradient[k])));
    }
    sumi_session_free(session);
    sumi_classifier_free(classifier);
    training_end(&sampled);
    training_end(&t);
}

static void check_refused(scratch *room, const char *const *settings, const char *part)
{
    struct training t = {.recipe = NULL};
    CHECK_OK(room->context, sumi_recipe_open(room->context, "points", &t.recipe));
    for (; *settings; settings++) CHECK_OK(room->context, sumi_recipe_set(t.recipe, *settings));
    CHECK_OK(room->context, sumi_data_open(room->context, t.recipe, &t.data));
    sumi_status status = sumi_model_create_from_recipe(room->context, t.recipe, t.data, &t.model);
    if (status == SUMI_OK)
        status = sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer);
    assert_int_equal(status, SUMI_ERROR_ARGUMENT);
    if (!strstr(sumi_context_message(room->context), part))
        fail_msg("'%s' is missing in: %s", part, sumi_context_message(room->context));
    training_end(&t);
}

static void trainings_without_classes_are_refused(void **state)
{
    scratch *room = *state;
    static const char *const unlabelled[] = {"train.objective=classification", NULL};
    static const char *const conditional[] = {EIGHT, "model.class_conditional=yes", NULL};
    check_refused(room, unlabelled, "needs items with labels");
    check_refused(room, conditional, "set model.class_conditional = no");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_trained_classifier_tells_the_classes_apart),
        SCRATCH_TEST(the_gradient_is_that_of_the_likelihood_and_the_path_may_be_another),
        SCRATCH_TEST(samples_are_guided_to_the_class),
        SCRATCH_TEST(trainings_without_classes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

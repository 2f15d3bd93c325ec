/* SPDX-License-Identifier: Apache-2.0 */
/* Label dropout: which items lose their class, in every objective, and that a resumed run goes on
   with the same ones. */
#include "data/data.h"
#include "learn/label_dropout.h"
#include "learn/trained.h"
#include "models/tiny.h"

enum { BATCH = 64, CLASSES = 8 };

/* Eight Gaussians in the plane, and a small network that takes their classes. */
#define CLASSED                                                                                    \
    "data.kind=gaussians", "data.noise=0", "data.count=1000", "data.labels=yes", "model.width=8",  \
        "model.depth=1", "model.class_conditional=yes", "train.batch=64", "train.steps=20"

static void the_share_of_items_without_their_class_is_the_probability(void **state)
{
    scratch *room = *state;
    enum { STEPS = 100, ITEMS = STEPS * BATCH };
    static const char *const settings[] = {CLASSED, "train.label_dropout=0.3", NULL};
    struct training t;
    static float clean[BATCH * 2];
    int32_t labels[BATCH];
    int dropped = 0;
    training_of_recipe(room->context, "points", settings, &t);
    for (int64_t step = 0; step < STEPS; step++) {
        feed(room->context, &t, step);
        CHECK_OK(room->context, data_read_batch(t.data, 0, step, BATCH, clean, labels));
        for (int i = 0; i < BATCH; i++) {
            bool null = fed_classes(&t)[i] == CLASSES;
            dropped += null;
            if (!null) assert_int_equal(fed_classes(&t)[i], labels[i]);
        }
    }
    double deviation = sqrt(0.3 * 0.7 * ITEMS);
    CHECK_CLOSE(dropped, 0.3 * ITEMS, 4 * deviation);
    training_end(&t);
}

static void parts_of_a_step_lose_the_classes_that_the_whole_step_loses(void **state)
{
    scratch *room = *state;
    static const char *const whole[] = {CLASSED, "train.label_dropout=0.5", NULL};
    static const char *const parts[] = {CLASSED, "train.label_dropout=0.5", "train.accumulate=4",
                                        NULL};
    struct training a, b;
    training_of_recipe(room->context, "points", whole, &a);
    training_of_recipe(room->context, "points", parts, &b);
    for (int64_t step = 0; step < 3; step++) {
        feed(room->context, &a, step);
        for (int64_t part = 0; part < 4; part++) {
            feed(room->context, &b, 4 * step + part);
            assert_memory_equal(fed_classes(&b), fed_classes(&a) + part * BATCH / 4,
                                BATCH / 4 * sizeof(int32_t));
        }
    }
    training_end(&a);
    training_end(&b);
}

static void every_objective_that_takes_classes_drops_them(void **state)
{
    scratch *room = *state;
    static const char *const objectives[][4] = {
        {"train.objective=denoising"},
        {"train.objective=denoising", "train.coupling=optimal"},
        {"train.objective=variational", "noise.variance=learned_range"},
        {"train.objective=hybrid", "noise.variance=learned_range"},
        {"train.objective=sliced", "noise.prediction=score"},
        {"train.objective=likelihood", "noise.path=flow", "noise.prediction=flow_prediction",
         "train.segments=2"}};
    for (size_t n = 0; n < sizeof objectives / sizeof *objectives; n++) {
        const char *settings[16] = {CLASSED, "train.label_dropout=0.5"};
        struct training t;
        int dropped = 0;
        for (int i = 0; i < 4; i++) settings[10 + i] = objectives[n][i];
        training_of_recipe(room->context, "points", settings, &t);
        feed(room->context, &t, 0);
        for (int i = 0; i < BATCH; i++) dropped += fed_classes(&t)[i] == CLASSES;
        if (dropped < 10 || dropped > 54) fail_msg("%s: %d", objectives[n][0], dropped);
        training_end(&t);
    }
}

/* Data sets of bits that come with the library have no classes. */
static void bits_lose_their_classes_too(void **state)
{
    scratch *room = *state;
    static float values[BATCH * 6];
    static int32_t labels[BATCH];
    struct training t = {0};
    int dropped = 0;
    for (int i = 0; i < BATCH * 6; i++) values[i] = i % 5 < 2 ? 1 : -1;
    for (int i = 0; i < BATCH; i++) labels[i] = i % 3;
    const sumi_array items = {2, {BATCH, 6}, values};
    static const char *const settings[] = {"data.labels=yes",
                                           "model.class_conditional=yes",
                                           "model.width=8",
                                           "model.depth=1",
                                           "train.batch=64",
                                           "train.label_dropout=0.5",
                                           NULL};
    CHECK_OK(room->context, sumi_recipe_open(room->context, "dpm-heartbeat", &t.recipe));
    for (int i = 0; settings[i]; i++)
        CHECK_OK(room->context, sumi_recipe_set(t.recipe, settings[i]));
    CHECK_OK(room->context,
             sumi_data_from_array(room->context, &items, labels, SUMI_POINTS, &t.data));
    CHECK_OK(room->context,
             sumi_model_create_from_recipe(room->context, t.recipe, t.data, &t.model));
    CHECK_OK(room->context,
             sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer));
    feed(room->context, &t, 0);
    for (int i = 0; i < BATCH; i++) dropped += fed_classes(&t)[i] == 3;
    assert_true(dropped > 10 && dropped < 54);
    training_end(&t);
}

/* ---- Resuming ---- */

static void train(scratch *room, const struct training *t, int steps)
{
    for (int i = 0; i < steps; i++) CHECK_OK(room->context, sumi_trainer_step(t->trainer, NULL));
}

static void check_same_weights(const struct training *a, const struct training *b)
{
    sumi_weight left = {.size = sizeof left}, right = {.size = sizeof right};
    for (int64_t i = 0; sumi_model_weight(a->model, i, &left); i++) {
        assert_true(sumi_model_weight(b->model, i, &right));
        assert_memory_equal(left.data, right.data,
                            (size_t)tiny_count(left.shape, left.rank) * sizeof(float));
    }
}

static void a_resumed_run_is_the_uninterrupted_one_bit_for_bit(void **state)
{
    scratch *room = *state;
    static const char *const settings[] = {CLASSED, "train.label_dropout=0.3", NULL};
    static const char *const never[] = {CLASSED, "train.label_dropout=1e-9", NULL};
    struct training whole, first, second, without;
    CHECK_OK(room->context, sumi_context_set_threads(room->context, 1));
    training_of_recipe(room->context, "points", settings, &whole);
    training_of_recipe(room->context, "points", settings, &first);
    training_of_recipe(room->context, "points", settings, &second);
    training_of_recipe(room->context, "points", never, &without);
    train(room, &whole, 12);
    train(room, &without, 12);
    train(room, &first, 5);
    CHECK_OK(room->context, sumi_trainer_save(first.trainer, scratch_path(room, "half")));
    CHECK_OK(room->context, sumi_trainer_load(second.trainer, scratch_path(room, "half")));
    train(room, &second, 7);
    check_same_weights(&whole, &second);
    sumi_weight with = {.size = sizeof with}, plain = {.size = sizeof plain};
    bool differs = false;
    for (int64_t i = 0; sumi_model_weight(whole.model, i, &with); i++) {
        assert_true(sumi_model_weight(without.model, i, &plain));
        differs |=
            memcmp(with.data, plain.data, (size_t)tiny_count(with.shape, with.rank) * sizeof(float))
            != 0;
    }
    assert_true(differs);
    training_end(&whole);
    training_end(&first);
    training_end(&second);
    training_end(&without);
}

/* ---- The model ---- */

static void a_model_gets_one_class_more_only_for_label_dropout(void **state)
{
    scratch *room = *state;
    static const char *const with[] = {CLASSED, "train.label_dropout=0.1", NULL};
    static const char *const without[] = {CLASSED, NULL};
    for (int i = 0; i < 2; i++) {
        struct training t;
        sumi_input input = {.size = sizeof input};
        training_of_recipe(room->context, "points", i ? with : without, &t);
        assert_int_equal(sumi_model_classes(t.model), CLASSES);
        assert_int_equal(sumi_model_null_class(t.model), i ? CLASSES : -1);
        assert_true(sumi_model_input(t.model, 2, &input));
        assert_int_equal(input.limit, CLASSES + i);
        feed(room->context, &t, 0);
        for (int k = 0; k < BATCH && !i; k++) assert_in_range(fed_classes(&t)[k], 0, CLASSES - 1);
        training_end(&t);
    }
}

/* A trainer of that recipe over a model of the config, which is refused with the sentence. */
static void check_refused(scratch *room, const char *const *settings, const char *config,
                          const char *part)
{
    struct training t = {0};
    CHECK_OK(room->context, sumi_recipe_open(room->context, "points", &t.recipe));
    for (; *settings; settings++) CHECK_OK(room->context, sumi_recipe_set(t.recipe, *settings));
    CHECK_OK(room->context, sumi_data_open(room->context, t.recipe, &t.data));
    CHECK_OK(room->context, sumi_model_create(room->context, config, 1, &t.model));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, part,
                sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer));
    training_end(&t);
}

static void dropout_without_classes_or_a_null_class_is_refused_before_the_first_step(void **state)
{
    scratch *room = *state;
    static const char *const plain[] = {"train.label_dropout=0.1", NULL};
    static const char *const own[] = {"model.config=some.json", "train.label_dropout=0.1",
                                      "data.kind=gaussians",    "data.labels=yes",
                                      "data.noise=0",           NULL};
    static const char *const betas[] = {"model.config=some.json", "train.label_dropout=0.1",
                                        "train.objective=betas", NULL};
    check_refused(room, plain, TINY_MLP,
                  "train.label_dropout = 0.1: model.class_conditional = no does not read it");
    check_refused(room, own,
                  "{\"_class_name\": \"SumiMLPModel\", \"width\": 8, \"num_class_embeds\": 8}",
                  "gives items the null class, but the network has none");
    check_refused(room, own, TINY_MLP, "but the network takes no classes");
    check_refused(room, betas, TINY_MLP, "but the network takes no classes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_share_of_items_without_their_class_is_the_probability),
        SCRATCH_TEST(parts_of_a_step_lose_the_classes_that_the_whole_step_loses),
        SCRATCH_TEST(every_objective_that_takes_classes_drops_them),
        SCRATCH_TEST(bits_lose_their_classes_too),
        SCRATCH_TEST(a_resumed_run_is_the_uninterrupted_one_bit_for_bit),
        SCRATCH_TEST(a_model_gets_one_class_more_only_for_label_dropout),
        SCRATCH_TEST(dropout_without_classes_or_a_null_class_is_refused_before_the_first_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

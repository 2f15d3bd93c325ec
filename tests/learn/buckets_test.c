/* SPDX-License-Identifier: Apache-2.0 */
/* Training on items of several sizes: one model, a batch of one size in each step, resumed bit for
   bit; and what cannot be trained so. */
#include "data/buckets.h"
#include "graph/plan_inside.h"
#include "learn/noised.h"
#include "learn/trained.h"
#include "models/auto_encoder.h"

#define SIZES "data.heights=16, 12, 20", "data.widths=16, 20, 12"
#define SCENES                                                                                     \
    "latents.auto_encoder=", "data.kind=shapes", "data.count=90", "data.labels=yes",               \
        "data.objects=1"
#define SMALL "model.patch=4", "model.width=16", "model.depth=1", "model.heads=2"
#define SHORT "train.batch=4", "train.steps=12", "train.warmup=0", "train.learning_rate=0.002"

static const char *const mmdit[] = {SCENES, SIZES, SMALL, SHORT, NULL};

static void begin(scratch *room, const char *const *settings, struct training *t)
{
    training_of_recipe(room->context, "mmdit-shapes", settings, t);
}

static void take_steps(scratch *room, struct training *t, int count)
{
    for (int i = 0; i < count; i++) {
        double loss = NAN;
        CHECK_OK(room->context, sumi_trainer_step(t->trainer, &loss));
        assert_true(isfinite(loss));
    }
}

static void each_step_has_a_batch_of_one_size_and_all_sizes_have_their_turn(void **state)
{
    scratch *room = *state;
    struct training t;
    bool met[3] = {false};
    begin(room, mmdit, &t);
    assert_int_equal(t.trainer->plan_count, 3);
    for (int step = 0; step < 12; step++) {
        int number = buckets_of_step(t.data, step);
        const struct step_plan *plan = trainer_next_plan(t.trainer);
        const int64_t *size = buckets_at(t.data, number)->shape;
        assert_ptr_equal(plan, &t.trainer->plans[number]);
        const struct noised *noised = plan->objective.user;
        assert_int_equal(noised->item_size, size[0] * size[1] * 3);
        met[number] = true;
        take_steps(room, &t, 1);
    }
    for (int i = 0; i < 3; i++) assert_true(met[i]);
    training_end(&t);
}

static void plans_share_the_memory_of_that_of_the_largest_size(void **state)
{
    scratch *room = *state;
    struct training t;
    begin(room, mmdit, &t);
    for (int i = 1; i < 3; i++) {
        const struct step_plan *plan = &t.trainer->plans[i];
        assert_ptr_equal(plan->plan->memory, t.trainer->plans->plan->memory);
        assert_true(plan_memory(plan->plan) <= plan_memory(t.trainer->plans->plan));
    }
    training_end(&t);
}

static void check_same_weights(const sumi_weights *a, const sumi_weights *b)
{
    assert_int_equal(a->count, b->count);
    for (int64_t i = 0; i < a->count; i++) {
        size_t bytes = (size_t)shape_count(&a->items[i].shape) * sizeof(float);
        assert_memory_equal(a->items[i].data, b->items[i].data, bytes);
    }
}

static void a_resumed_run_on_several_sizes_has_the_same_bits(void **state)
{
    scratch *room = *state;
    struct training whole, half, rest;
    begin(room, mmdit, &whole);
    take_steps(room, &whole, 12);
    begin(room, mmdit, &half);
    take_steps(room, &half, 5);
    CHECK_OK(room->context, sumi_trainer_save(half.trainer, scratch_path(room, "c")));
    training_end(&half);
    begin(room, mmdit, &rest);
    CHECK_OK(room->context, sumi_trainer_load(rest.trainer, scratch_path(room, "c")));
    take_steps(room, &rest, 7);
    check_same_weights(whole.model->weights, rest.model->weights);
    training_end(&whole);
    training_end(&rest);
}

static void a_step_in_parts_has_the_loss_of_the_whole_batch(void **state)
{
    scratch *room = *state;
    const char *const parts[] = {SCENES, SIZES, SMALL, SHORT, "train.accumulate=2", NULL};
    struct training whole, divided;
    begin(room, mmdit, &whole);
    begin(room, parts, &divided);
    for (int i = 0; i < 6; i++) {
        double expected = 0, found = 0;
        CHECK_OK(room->context, sumi_trainer_step(whole.trainer, &expected));
        CHECK_OK(room->context, sumi_trainer_step(divided.trainer, &found));
        CHECK_CLOSE(found, expected, 1e-4 * expected);
    }
    training_end(&whole);
    training_end(&divided);
}

/* The model has a size of 32 x 32. */
static void times_of_smaller_pictures_are_shifted_by_the_root_of_the_ratio_of_pixels(void **state)
{
    scratch *room = *state;
    const char *const fixed[] = {SCENES, SIZES, SMALL, SHORT, "noise.resolution_shift=no", NULL};
    struct training t;
    begin(room, mmdit, &t);
    for (int i = 0; i < 3; i++) {
        const struct noised *noised = t.trainer->plans[i].objective.user;
        double pixels = (double)noised->item_size / 3;
        assert_true(pixels < 32 * 32);
        CHECK_CLOSE(noised->draws.shift, sqrt(pixels / (32 * 32)), 1e-12);
    }
    training_end(&t);
    begin(room, fixed, &t);
    for (int i = 0; i < 3; i++) {
        const struct noised *noised = t.trainer->plans[i].objective.user;
        CHECK_CLOSE(noised->draws.shift, 1, 1e-12);
    }
    training_end(&t);
}

static void auto_encoders_are_trained_on_several_sizes(void **state)
{
    static const char *const settings[] = {SCENES,
                                           SIZES,
                                           SHORT,
                                           "model.kind=autoencoder",
                                           "model.channels=8, 8",
                                           "model.groups=4",
                                           "model.layers_per_block=1",
                                           "train.objective=autoencoder",
                                           "train.disc_weight=0.5",
                                           "train.disc_start=4",
                                           "train.disc_channels=8",
                                           "train.disc_layers=1",
                                           NULL};
    scratch *room = *state;
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_auto_encoder *coder = NULL;
    sumi_trainer *trainer = NULL;
    CHECK_OK(room->context, sumi_recipe_parse(room->context, "", "test", &recipe));
    for (int i = 0; settings[i]; i++) CHECK_OK(room->context, sumi_recipe_set(recipe, settings[i]));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    CHECK_OK(room->context,
             sumi_auto_encoder_create_from_recipe(room->context, recipe, data, &coder));
    CHECK_OK(room->context,
             sumi_trainer_create_auto_encoder(room->context, recipe, coder, data, &trainer));
    assert_int_equal(trainer->plan_count, 6);
    CHECK_OK(room->context, sumi_trainer_run(trainer, scratch_path(room, "run"), NULL, NULL));
    sumi_trainer_free(trainer);
    sumi_auto_encoder_free(coder);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

/* ---- What is refused ---- */

static void check_refused(scratch *room, const char *const *settings, const char *sentence)
{
    struct training t = {.recipe = NULL};
    CHECK_OK(room->context, sumi_recipe_open(room->context, "mmdit-shapes", &t.recipe));
    for (int i = 0; settings[i]; i++)
        CHECK_OK(room->context, sumi_recipe_set(t.recipe, settings[i]));
    CHECK_OK(room->context, sumi_data_open(room->context, t.recipe, &t.data));
    CHECK_OK(room->context,
             sumi_model_create_from_recipe(room->context, t.recipe, t.data, &t.model));
    sumi_status status = sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer);
    assert_true(status != SUMI_OK);
    assert_null(t.trainer);
    if (!strstr(sumi_context_message(room->context), sentence))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(room->context), sentence);
    training_end(&t);
}

static void networks_of_one_size_and_sizes_that_do_not_fit_are_refused(void **state)
{
    scratch *room = *state;
    const char *const unet[] = {
        SCENES, SIZES, SHORT, "model.kind=unet2d", "model.channels=8,8", "model.groups=4", NULL};
    const char *const odd[] = {SCENES, SMALL, SHORT, "data.heights=32, 30", "data.widths=32, 34",
                               NULL};
    check_refused(room, unet, "which cannot become");
    check_refused(room, odd, "multiples of 4");
}

static void what_learns_beside_the_network_is_refused(void **state)
{
    scratch *room = *state;
    const char *const importance[] = {SCENES,
                                      SIZES,
                                      SMALL,
                                      SHORT,
                                      "noise.path=table",
                                      "noise.prediction=epsilon",
                                      "train.times=importance",
                                      NULL};
    check_refused(room, importance, "items of several sizes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(each_step_has_a_batch_of_one_size_and_all_sizes_have_their_turn),
        SCRATCH_TEST(plans_share_the_memory_of_that_of_the_largest_size),
        SCRATCH_TEST(a_resumed_run_on_several_sizes_has_the_same_bits),
        SCRATCH_TEST(a_step_in_parts_has_the_loss_of_the_whole_batch),
        SCRATCH_TEST(times_of_smaller_pictures_are_shifted_by_the_root_of_the_ratio_of_pixels),
        SCRATCH_TEST(auto_encoders_are_trained_on_several_sizes),
        SCRATCH_TEST(networks_of_one_size_and_sizes_that_do_not_fit_are_refused),
        SCRATCH_TEST(what_learns_beside_the_network_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

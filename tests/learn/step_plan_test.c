/* SPDX-License-Identifier: Apache-2.0 */
/* What a step computes, in one part or several, with values kept or computed again: the same. */
#include "base/machine.h"
#include "data/data.h"
#include "graph/plan.h"
#include "learn/regression.h"
#include "learn/trainer.h"
#include "models/model.h"
#include "scratch.h"

/* A U-Net with everything in it: attention, dropout, classes. */
static const char *const settings[] = {
    "data.count=64",
    "data.labels=yes",
    "model.class_conditional=yes",
    "model.dropout=0.2",
    "model.channels=8,16,16",
    "model.layers_per_block=2",
    "model.groups=4",
    "model.attention=no,yes,no",
    "noise.steps=100",
    "train.batch=8",
    "train.warmup=0",
    "train.learning_rate=0.001",
    "data.kind=digits",
};

struct training {
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;
    sumi_trainer *trainer;
};

static sumi_status begin(sumi_context *context, const char *accumulate, const char *recompute,
                         struct training *t)
{
    memset(t, 0, sizeof *t);
    CHECK_OK(context, sumi_recipe_open(context, "ddpm-mnist", &t->recipe));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        CHECK_OK(context, sumi_recipe_set(t->recipe, settings[i]));
    }
    CHECK_OK(context, sumi_recipe_set(t->recipe, accumulate));
    CHECK_OK(context, sumi_recipe_set(t->recipe, recompute));
    CHECK_OK(context, sumi_data_open(context, t->recipe, &t->data));
    CHECK_OK(context, sumi_model_create_from_recipe(context, t->recipe, t->data, &t->model));
    return sumi_trainer_create(context, t->recipe, t->model, t->data, &t->trainer);
}

static void end(struct training *t)
{
    sumi_trainer_free(t->trainer);
    sumi_model_free(t->model);
    sumi_data_free(t->data);
    sumi_recipe_free(t->recipe);
}

/* The gradient of a step before any clipping, of every trained weight in turn. */
static const float *const *descend(sumi_context *context, struct training *t, float *loss)
{
    const float *const *gradients = NULL;
    CHECK_OK(context, trainer_descend(t->trainer, loss, &gradients));
    return gradients;
}

/* ---- Accumulation ---- */

static void parts_of_a_batch_add_up_to_the_gradient_of_the_whole(void **state)
{
    scratch *room = *state;
    static const char *const parts[] = {"train.accumulate=2", "train.accumulate=8"};
    struct training whole, divided;
    float loss = 0, same = 0;
    CHECK_OK(room->context,
             begin(room->context, "train.accumulate=1", "train.recompute=no", &whole));
    const float *const *expected = descend(room->context, &whole, &loss);
    for (int k = 0; k < 2; k++) {
        CHECK_OK(room->context, begin(room->context, parts[k], "train.recompute=no", &divided));
        const float *const *found = descend(room->context, &divided, &same);
        CHECK_CLOSE(same, loss, 1e-6);
        for (int64_t i = 0; i < whole.model->weights->count; i++) {
            if (!expected[i]) continue;
            int64_t count = shape_count(&whole.model->weights->items[i].shape);
            double norm = 0, off = 0;
            for (int64_t j = 0; j < count; j++) {
                norm += (double)expected[i][j] * expected[i][j];
                off += pow((double)found[i][j] - expected[i][j], 2);
            }
            if (sqrt(off) > 1e-4 * sqrt(norm) + 1e-7) {
                fail_msg("%s: off by %g of %g", whole.model->weights->items[i].name, sqrt(off),
                         sqrt(norm));
            }
        }
        end(&divided);
    }
    end(&whole);
}

static void runs_in_parts_record_the_losses_of_the_whole(void **state)
{
    scratch *room = *state;
    struct training whole, divided;
    CHECK_OK(room->context,
             begin(room->context, "train.accumulate=1", "train.recompute=no", &whole));
    CHECK_OK(room->context,
             begin(room->context, "train.accumulate=4", "train.recompute=no", &divided));
    for (int step = 0; step < 5; step++) {
        double expected = 0, found = 0;
        CHECK_OK(room->context, sumi_trainer_step(whole.trainer, &expected));
        CHECK_OK(room->context, sumi_trainer_step(divided.trainer, &found));
        CHECK_CLOSE(found, expected, 1e-4 * expected);
        assert_int_equal(sumi_trainer_steps_done(divided.trainer), step + 1);
    }
    end(&divided);
    end(&whole);
}

static void objectives_of_the_caller_are_fed_once_for_each_part(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    const char *const own[] = {"train.accumulate=4", "train.batch=64", "train.learning_rate=0.05",
                               NULL};
    regression_begin(room->context, 0, own, &t);
    t.regression.bad_step = 9; /* the second feed of step 2 */
    regression_steps(room->context, &t, 2);
    assert_int_equal(sumi_trainer_step(t.trainer, NULL), SUMI_ERROR_NUMBER);
    assert_non_null(strstr(sumi_context_message(room->context), "step 2"));
    regression_end(&t);
}

static void parts_that_are_not_equal_are_refused(void **state)
{
    scratch *room = *state;
    struct training t;
    assert_int_equal(begin(room->context, "train.accumulate=3", "train.recompute=no", &t),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "train.accumulate = 3"));
    end(&t);
}

/* ---- Recomputation ---- */

static void values_computed_again_change_no_bit_and_save_half_the_memory(void **state)
{
    scratch *room = *state;
    struct training kept, again;
    CHECK_OK(room->context,
             begin(room->context, "train.accumulate=1", "train.recompute=no", &kept));
    CHECK_OK(room->context,
             begin(room->context, "train.accumulate=1", "train.recompute=yes", &again));
    size_t before = plan_memory(kept.trainer->plans->plan),
           after = plan_memory(again.trainer->plans->plan);
    print_message("plan memory: %zu bytes kept, %zu computed again\n", before, after);
    assert_true(2 * after <= before);
    for (int step = 0; step < 3; step++) {
        CHECK_OK(room->context, sumi_trainer_step(kept.trainer, NULL));
        CHECK_OK(room->context, sumi_trainer_step(again.trainer, NULL));
        for (int64_t i = 0; i < kept.model->weights->count; i++) {
            const struct weight *weight = &kept.model->weights->items[i];
            assert_memory_equal(again.model->weights->items[i].data, weight->data,
                                (size_t)shape_count(&weight->shape) * sizeof(float));
        }
    }
    end(&again);
    end(&kept);
}

static void auto_keeps_values_while_there_is_memory(void **state)
{
    scratch *room = *state;
    struct training kept, chosen;
    assert_true(machine_free_memory() > 0);
    CHECK_OK(room->context,
             begin(room->context, "train.accumulate=1", "train.recompute=no", &kept));
    CHECK_OK(room->context,
             begin(room->context, "train.accumulate=1", "train.recompute=auto", &chosen));
    assert_int_equal(plan_memory(chosen.trainer->plans->plan),
                     plan_memory(kept.trainer->plans->plan));
    end(&chosen);
    end(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(parts_of_a_batch_add_up_to_the_gradient_of_the_whole),
        SCRATCH_TEST(runs_in_parts_record_the_losses_of_the_whole),
        SCRATCH_TEST(objectives_of_the_caller_are_fed_once_for_each_part),
        SCRATCH_TEST(parts_that_are_not_equal_are_refused),
        SCRATCH_TEST(values_computed_again_change_no_bit_and_save_half_the_memory),
        SCRATCH_TEST(auto_keeps_values_while_there_is_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Training in bf16 compared with float32: the same course of the loss, weights and optimizer in
   float32, less memory. */
#include "base/bfloat16.h"
#include "graph/plan.h"
#include "learn/trained.h"
#include "models/model.h"

enum { STEPS = 60, WINDOW = 15 };

/* Digits of 16 items at a time by a small U-Net with attention. */
#define SETTINGS                                                                                   \
    "data.count=256", "model.channels=16,32,32", "model.layers_per_block=1", "model.groups=4",     \
        "model.attention=no,no,yes", "noise.steps=100", "train.batch=16", "train.warmup=0",        \
        "train.learning_rate=0.0005", "train.recompute=no"

static void begin(sumi_context *context, const char *precision, struct training *t)
{
    const char *const settings[] = {SETTINGS, precision, NULL};
    training_of_recipe(context, "digits", settings, t);
}

/* Whether any number of an array is more exact than bfloat16. */
static bool is_wide(const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (bfloat16_to_float(bfloat16_from_float(values[i])) != values[i]) return true;
    }
    return false;
}

static double mean_of(const float *losses)
{
    double sum = 0;
    for (int i = 0; i < WINDOW; i++) sum += losses[i];
    return sum / WINDOW;
}

/* Both draw the same items, times and noise, so the losses differ only by rounding. They fall
   from 1 to about a quarter; the two courses stay within a twentieth of each other. */
static void a_training_in_bf16_goes_the_way_of_float32(void **state)
{
    scratch *room = *state;
    struct training wide, bf16;
    begin(room->context, "train.precision=float32", &wide);
    begin(room->context, "train.precision=bf16", &bf16);
    for (int step = 0; step < STEPS; step++) {
        CHECK_OK(room->context, sumi_trainer_step(wide.trainer, NULL));
        CHECK_OK(room->context, sumi_trainer_step(bf16.trainer, NULL));
    }
    const float *expected = NULL, *actual = NULL;
    sumi_trainer_losses(wide.trainer, &expected);
    sumi_trainer_losses(bf16.trainer, &actual);
    assert_true(expected[0] != actual[0]);
    CHECK_CLOSE(actual[0], expected[0], ldexp(expected[0], -8));
    for (int first = 0; first < STEPS; first += WINDOW) {
        double mean = mean_of(expected + first);
        CHECK_CLOSE(mean_of(actual + first), mean, 0.01 * mean);
    }
    assert_true(mean_of(expected + STEPS - WINDOW) < 0.5 * mean_of(expected));
    training_end(&wide);
    training_end(&bf16);
}

static void weights_and_the_optimizer_stay_float32(void **state)
{
    scratch *room = *state;
    struct training t;
    begin(room->context, "train.precision=bf16", &t);
    for (int step = 0; step < 2; step++) {
        CHECK_OK(room->context, sumi_trainer_step(t.trainer, NULL));
    }
    for (int64_t i = 0; i < t.trainer->learners->optimizer.count; i++) {
        const struct weight *weight = &t.model->weights->items[i];
        int64_t count = shape_count(&weight->shape);
        if (!weight->trainable || count < 16) continue;
        assert_true(is_wide(weight->data, count));
        assert_true(is_wide(t.trainer->learners->optimizer.first[i], count));
        assert_true(is_wide(t.trainer->learners->optimizer.second[i], count));
        assert_true(is_wide(t.trainer->plans->gradients[i], count));
    }
    training_end(&t);
}

/* What is not an activation, weights' gradients and work space, keeps the share above a half. */
static void a_step_in_bf16_needs_less_memory(void **state)
{
    scratch *room = *state;
    struct training wide, bf16;
    sumi_context_set_tuning(room->context, false);
    begin(room->context, "train.precision=float32", &wide);
    begin(room->context, "train.precision=bf16", &bf16);
    double share = (double)plan_memory(bf16.trainer->plans->plan)
                   / (double)plan_memory(wide.trainer->plans->plan);
    if (!(share < 0.75)) fail_msg("%.3f of the memory of float32", share);
    training_end(&wide);
    training_end(&bf16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_training_in_bf16_goes_the_way_of_float32),
        SCRATCH_TEST(weights_and_the_optimizer_stay_float32),
        SCRATCH_TEST(a_step_in_bf16_needs_less_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

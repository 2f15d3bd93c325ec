/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluations of a model, alone and in batches, and the gradients of its loss. */
#include "models/tiny.h"

/* Rounding depends a little on how many items are computed together. */
static const double ROUNDING = 2e-6;

static void an_item_does_not_depend_on_its_neighbours(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    int64_t size = tiny_size(model);
    float *few = tiny_predict(room, model, 2), *many = tiny_predict(room, model, 5);
    for (int64_t i = 0; i < 2 * size; i++) CHECK_CLOSE(few[i], many[i], ROUNDING);
    free(few);
    free(many);
    sumi_model_free(model);
}

/* More items than one plan takes are computed in parts. */
static void a_large_batch_is_split_and_put_together(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    float *few = tiny_predict(room, model, 7), *many = tiny_predict(room, model, 150);
    for (int64_t i = 0; i < 14; i++) CHECK_CLOSE(few[i], many[i], ROUNDING);
    float *x = tiny_items(model, 150), last[2];
    const float time = 1500;
    CHECK_OK(room->context, once_predict(room->context, model, 1, x + 298, &time, NULL, last));
    for (int i = 0; i < 2; i++) CHECK_CLOSE(last[i], many[298 + i], ROUNDING);
    free(x);
    free(few);
    free(many);
    sumi_model_free(model);
}

static void the_same_call_gives_the_same_bytes(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    float *first = tiny_predict(room, model, 3), *other = tiny_predict(room, model, 1);
    float *again = tiny_predict(room, model, 3);
    assert_memory_equal(first, again, (size_t)(3 * tiny_size(model)) * sizeof *first);
    free(first);
    free(other);
    free(again);
    sumi_model_free(model);
}

static void weights_that_are_changed_count_at_once(void **state)
{
    scratch *room = *state;
    sumi_weight weight = {.size = sizeof weight};
    sumi_model *model = tiny_create(room, TINY_MLP);
    float *before = tiny_predict(room, model, 1);
    int64_t last = 0;
    while (sumi_model_weight(model, last + 1, &weight)) last++;
    assert_true(sumi_model_weight(model, last, &weight));
    assert_string_equal(weight.name, "linear_out.bias");
    weight.data[0] += 2;
    float *after = tiny_predict(room, model, 1);
    CHECK_CLOSE(after[0], before[0] + 2, 1e-6);
    CHECK_CLOSE(after[1], before[1], 1e-6);
    free(before);
    free(after);
    sumi_model_free(model);
}

/* What is kept between evaluations, such as reordered kernels, follows the weights. */
static void kernels_that_are_changed_count_at_once(void **state)
{
    scratch *room = *state;
    sumi_weight weight = {.size = sizeof weight};
    sumi_model *model = tiny_create(room, TINY_UNET);
    float *before = tiny_predict(room, model, 1);
    assert_true(sumi_model_weight(model, 0, &weight));
    for (int64_t i = 0; strcmp(weight.name, "conv_in.weight") != 0; i++) {
        assert_true(sumi_model_weight(model, i, &weight));
    }
    float kept = weight.data[0];
    weight.data[0] += 2;
    float *changed = tiny_predict(room, model, 1);
    assert_true(sumi_model_weight(model, 0, &weight));
    for (int64_t i = 0; strcmp(weight.name, "conv_in.weight") != 0; i++) {
        assert_true(sumi_model_weight(model, i, &weight));
    }
    weight.data[0] = kept;
    float *after = tiny_predict(room, model, 1);
    size_t bytes = (size_t)tiny_size(model) * sizeof *before;
    assert_memory_not_equal(before, changed, bytes);
    assert_memory_equal(before, after, bytes);
    free(before);
    free(changed);
    free(after);
    sumi_model_free(model);
}

static void another_number_of_threads_is_only_rounding(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    int64_t size = tiny_size(model);
    CHECK_OK(room->context, sumi_context_set_threads(room->context, 1));
    float *one = tiny_predict(room, model, 3);
    CHECK_OK(room->context, sumi_context_set_threads(room->context, 3));
    float *three = tiny_predict(room, model, 3);
    for (int64_t i = 0; i < 3 * size; i++) CHECK_CLOSE(one[i], three[i], ROUNDING);
    free(one);
    free(three);
    sumi_model_free(model);
}

/* ---- Labels ---- */

static sumi_status predict_labelled(sumi_context *context, const sumi_model *model,
                                    const int32_t *labels, float *output)
{
    float *x = tiny_items(model, 1);
    float times[] = {4, 4};
    float *pair = malloc((size_t)(2 * tiny_size(model)) * sizeof *pair);
    memcpy(pair, x, (size_t)tiny_size(model) * sizeof *pair);
    memcpy(pair + tiny_size(model), x, (size_t)tiny_size(model) * sizeof *pair);
    sumi_status status = once_predict(context, model, 2, pair, times, labels, output);
    free(pair);
    free(x);
    return status;
}

static void the_class_changes_the_output(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_CONDITIONAL);
    float output[32];
    double difference = 0;
    assert_int_equal(sumi_model_classes(model), 3);
    CHECK_OK(room->context, predict_labelled(room->context, model, (int32_t[]){0, 2}, output));
    for (int i = 0; i < 16; i++) difference += fabs((double)output[i] - output[16 + i]);
    assert_true(difference > 1e-3);
    sumi_model_free(model);
}

static void wrong_labels_are_refused(void **state)
{
    scratch *room = *state;
    float output[32];
    sumi_model *model = tiny_create(room, TINY_CONDITIONAL);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "needs \"class\" for each item",
                predict_labelled(room->context, model, NULL, output));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT,
                "\"class\" of item 1 is 3; it must be from 0 to 2",
                predict_labelled(room->context, model, (int32_t[]){0, 3}, output));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "\"class\" of item 0 is -1",
                predict_labelled(room->context, model, (int32_t[]){-1, 1}, output));
    sumi_model_free(model);
    model = tiny_create(room, TINY_MLP);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "takes no \"class\"",
                predict_labelled(room->context, model, (int32_t[]){0, 1}, output));
    sumi_model_free(model);
}

/* As one whose config says the size. */
static void a_model_of_open_size_takes_a_size_once(void **state)
{
    scratch *room = *state;
    char config[1024];
    const char *whole = TINY_UNET, *key = "\"sample_size\": 8, ", *at = strstr(whole, key);
    snprintf(config, sizeof config, "%.*s%s", (int)(at - whole), whole, at + strlen(key));
    sumi_model *sized = tiny_create(room, whole), *open = tiny_create(room, config);
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "has 2 sizes besides its channels, not 1",
                sumi_model_set_size(open, 1, (int64_t[]){8}));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "multiples of 2 up to 1048576, not 9",
                sumi_model_set_size(open, 2, (int64_t[]){8, 9}));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "not 0",
                sumi_model_set_size(open, 2, (int64_t[]){0, 8}));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "not -2",
                sumi_model_set_size(open, 2, (int64_t[]){-2, 8}));
    CHECK_OK(room->context, sumi_model_set_size(open, 2, (int64_t[]){8, 8}));
    CHECK_OK(room->context, sumi_model_set_size(open, 2, (int64_t[]){8, 8}));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "the size 8 in dimension 1",
                sumi_model_set_size(open, 2, (int64_t[]){8, 16}));
    float *wanted = tiny_predict(room, sized, 2), *found = tiny_predict(room, open, 2);
    assert_memory_equal(wanted, found, 2 * 8 * 8 * sizeof *wanted);
    free(wanted);
    free(found);
    sumi_model_free(sized);
    sumi_model_free(open);
}

static void a_model_of_open_size_says_what_it_lacks(void **state)
{
    scratch *room = *state;
    float number = 0;
    sumi_model *model = tiny_create(room, "{\"block_out_channels\": [32],"
                                          " \"down_block_types\": [\"DownBlock2D\"],"
                                          " \"up_block_types\": [\"UpBlock2D\"]}");
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "\"sample_size\"",
                once_predict(room->context, model, 1, &number, &number, NULL, &number));
    sumi_model_free(model);
}

/* ---- Gradients ---- */

static double loss_of(scratch *room, sumi_model *model, const float *x)
{
    double loss = 0;
    const float times[] = {3, 500};
    CHECK_OK(room->context, once_gradient(room->context, model, 2, x, times, &loss, NULL));
    return loss;
}

static void the_loss_is_the_mean_square_of_the_output(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_SIGNAL);
    const float times[] = {3, 500};
    float *x = tiny_items(model, 2), output[32];
    double sum = 0;
    CHECK_OK(room->context, once_predict(room->context, model, 2, x, times, NULL, output));
    for (int i = 0; i < 32; i++) sum += (double)output[i] * output[i];
    CHECK_CLOSE(loss_of(room, model, x), sum / 32, 1e-6);
    free(x);
    sumi_model_free(model);
}

/* Central differences of the loss by single weights, against the gradient. */
static void gradients_are_the_slopes_of_the_loss(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_SIGNAL);
    const float times[] = {3, 500}, step = 4e-3F;
    float *x = tiny_items(model, 2), *gradients[256] = {NULL};
    sumi_weight weight = {.size = sizeof weight};
    int64_t count = 0;
    double loss = 0;
    for (; sumi_model_weight(model, count, &weight); count++) {
        assert_true(count < 256);
        gradients[count] = malloc((size_t)tiny_count(weight.shape, weight.rank) * sizeof(float));
    }
    CHECK_OK(room->context, once_gradient(room->context, model, 2, x, times, &loss, gradients));
    for (int64_t i = 0; i < count; i += 5) {
        assert_true(sumi_model_weight(model, i, &weight));
        float kept = weight.data[0];
        weight.data[0] = kept + step;
        double above = loss_of(room, model, x);
        weight.data[0] = kept - step;
        double below = loss_of(room, model, x);
        weight.data[0] = kept;
        CHECK_CLOSE(gradients[i][0], (above - below) / (2 * (double)step),
                    1e-4 + 2e-3 * fabs(gradients[i][0]));
    }
    for (int64_t i = 0; i < count; i++) free(gradients[i]);
    free(x);
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_item_does_not_depend_on_its_neighbours),
        SCRATCH_TEST(a_large_batch_is_split_and_put_together),
        SCRATCH_TEST(the_same_call_gives_the_same_bytes),
        SCRATCH_TEST(weights_that_are_changed_count_at_once),
        SCRATCH_TEST(kernels_that_are_changed_count_at_once),
        SCRATCH_TEST(another_number_of_threads_is_only_rounding),
        SCRATCH_TEST(the_class_changes_the_output),
        SCRATCH_TEST(wrong_labels_are_refused),
        SCRATCH_TEST(a_model_of_open_size_says_what_it_lacks),
        SCRATCH_TEST(a_model_of_open_size_takes_a_size_once),
        SCRATCH_TEST(the_loss_is_the_mean_square_of_the_output),
        SCRATCH_TEST(gradients_are_the_slopes_of_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

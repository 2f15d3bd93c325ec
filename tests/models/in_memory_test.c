/* SPDX-License-Identifier: Apache-2.0 */
/* Models from and to memory. */
#include <string.h>

#include "models/tiny.h"

/* The weights' bytes are overwritten and released before the model is used. */
static void a_model_through_memory_predicts_what_it_did(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET), *again = NULL;
    void *bytes = NULL;
    size_t size = 0;
    float *expected = tiny_predict(room, model, 2);
    CHECK_OK(room->context, sumi_model_write_weights(model, &bytes, &size));
    CHECK_OK(room->context,
             sumi_model_read_memory(room->context, sumi_model_config(model),
                                    sumi_model_scheduler(model), bytes, size, &again));
    memset(bytes, 0xff, size);
    sumi_bytes_release(room->context, bytes);
    float *output = tiny_predict(room, again, 2);
    assert_memory_equal(output, expected, (size_t)(2 * tiny_size(model)) * sizeof *output);
    assert_string_equal(sumi_model_scheduler(again), sumi_model_scheduler(model));
    free(output);
    free(expected);
    sumi_model_free(again);
    sumi_model_free(model);
}

static void weights_in_memory_have_the_bytes_of_the_saved_file(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    void *bytes = NULL, *in_file = NULL;
    size_t size = 0, file_size = 0;
    const char *folder = scratch_path(room, "saved");
    CHECK_OK(room->context, sumi_model_save(model, folder));
    CHECK_OK(room->context, sumi_model_write_weights(model, &bytes, &size));
    const char *path = scratch_path(room, "saved/unet/diffusion_pytorch_model.safetensors");
    CHECK_OK(room->context, file_read(room->context, path, 1 << 20, &in_file, &file_size));
    assert_int_equal(size, file_size);
    assert_memory_equal(bytes, in_file, size);
    context_release(room->context, in_file);
    sumi_bytes_release(room->context, bytes);
    sumi_model_free(model);
}

static void assert_refused(scratch *room, const char *config, const char *scheduler,
                           const void *bytes, size_t size, const char *reason)
{
    sumi_model *model = NULL;
    assert_int_equal(sumi_model_read_memory(room->context, config, scheduler, bytes, size, &model),
                     SUMI_ERROR_FORMAT);
    assert_null(model);
    if (!strstr(sumi_context_message(room->context), reason)) {
        fail_msg("\"%s\" lacks \"%s\"", sumi_context_message(room->context), reason);
    }
}

static void each_of_the_three_parts_is_checked(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP), *again = NULL;
    void *bytes = NULL;
    size_t size = 0;
    CHECK_OK(room->context, sumi_model_write_weights(model, &bytes, &size));
    const char *config = sumi_model_config(model);
    assert_refused(room, "{", NULL, bytes, size, "config.json");
    assert_refused(room, config, "[", bytes, size, "scheduler_config.json");
    assert_refused(room, config, NULL, bytes, size - 1, "weights in memory");
    assert_refused(room, TINY_UNET, NULL, bytes, size, "config.json describes");
    CHECK_OK(room->context, sumi_model_read_memory(room->context, config, NULL, bytes, size,
                                                   &again)); /* the default scheduler */
    assert_non_null(strstr(sumi_model_scheduler(again), "DDPMScheduler"));
    sumi_model_free(again);
    sumi_bytes_release(room->context, bytes);
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_model_through_memory_predicts_what_it_did),
        SCRATCH_TEST(weights_in_memory_have_the_bytes_of_the_saved_file),
        SCRATCH_TEST(each_of_the_three_parts_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

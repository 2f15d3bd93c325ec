/* SPDX-License-Identifier: Apache-2.0 */
/* A model that is saved and opened again is the same model. */
#include "base/json.h"
#include "models/model.h"
#include "models/tiny.h"

static void saves_and_opens(scratch *room, const char *config)
{
    sumi_model *model = tiny_create(room, config), *opened = NULL;
    const char *folder = scratch_path(room, "model");
    CHECK_OK(room->context, sumi_model_save(model, folder));
    CHECK_OK(room->context, sumi_model_open(room->context, folder, &opened));
    assert_string_equal(sumi_model_class(model), sumi_model_class(opened));
    assert_string_equal(sumi_model_config(model), sumi_model_config(opened));
    assert_string_equal(sumi_model_scheduler(model), sumi_model_scheduler(opened));
    float *before = tiny_predict(room, model, 3), *after = tiny_predict(room, opened, 3);
    assert_memory_equal(before, after, (size_t)(3 * tiny_size(model)) * sizeof *before);
    free(before);
    free(after);
    sumi_model_free(opened);
    sumi_model_free(model);
}

static void a_picture_model_comes_back_bit_for_bit(void **state)
{
    saves_and_opens(*state, TINY_UNET);
}

static void a_signal_model_comes_back_bit_for_bit(void **state)
{
    saves_and_opens(*state, TINY_SIGNAL);
}

static void a_point_model_comes_back_bit_for_bit(void **state)
{
    saves_and_opens(*state, TINY_MLP);
}

/* Networks with conditions, whose weights are compared. */
static void networks_of_every_class_come_back_with_their_weights(void **state)
{
    static const char *const configs[] = {
        "{\"_class_name\": \"PriorTransformer\", \"num_attention_heads\": 2, "
        "\"attention_head_dim\": 4, \"num_layers\": 1, \"embedding_dim\": 6, \"num_embeddings\": "
        "5}",
        "{\"_class_name\": \"LatteTransformer3DModel\", \"num_attention_heads\": 2, "
        "\"attention_head_dim\": 4, \"in_channels\": 2, \"num_layers\": 1, \"sample_size\": 4, "
        "\"patch_size\": 2, \"caption_channels\": 3, \"cross_attention_dim\": 8, "
        "\"video_length\": 3, \"norm_type\": \"ada_norm_single\"}",
        "{\"_class_name\": \"CogVideoXTransformer3DModel\", \"num_attention_heads\": 1, "
        "\"attention_head_dim\": 16, \"in_channels\": 2, \"out_channels\": 2, \"num_layers\": 1, "
        "\"time_embed_dim\": 8, \"text_embed_dim\": 3, \"sample_width\": 4, "
        "\"sample_height\": 4, \"sample_frames\": 5}",
        "{\"_class_name\": \"UNet1DModel\", \"sample_size\": 32, \"extra_in_channels\": 64}",
        "{\"_class_name\": \"UNet1DModel\", \"sample_size\": 8, \"time_embedding_type\": "
        "\"positional\", \"use_timestep_embedding\": true, \"act_fn\": \"mish\", "
        "\"down_block_types\": [\"DownResnetBlock1D\", \"DownResnetBlock1D\"], "
        "\"up_block_types\": [\"UpResnetBlock1D\"], \"mid_block_type\": "
        "\"MidResTemporalBlock1D\", \"out_block_type\": \"OutConv1DBlock\", "
        "\"block_out_channels\": [8, 16]}"};
    scratch *room = *state;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        sumi_model *model = tiny_create(room, configs[i]), *opened = NULL;
        const char *folder = scratch_path(room, "model");
        CHECK_OK(room->context, sumi_model_save(model, folder));
        CHECK_OK(room->context, sumi_model_open(room->context, folder, &opened));
        assert_string_equal(sumi_model_config(model), sumi_model_config(opened));
        assert_int_equal(model->weights->count, opened->weights->count);
        for (int64_t k = 0; k < model->weights->count; k++) {
            const struct weight *weight = &model->weights->items[k];
            const struct weight *same = &opened->weights->items[k];
            assert_string_equal(weight->name, same->name);
            assert_int_equal(weight->trainable, same->trainable);
            assert_memory_equal(weight->data, weight_values(same),
                                (size_t)shape_count(&weight->shape) * sizeof *weight->data);
        }
        sumi_model_free(opened);
        sumi_model_free(model);
        scratch_remove(folder);
    }
}

static json_object *read_json(scratch *room, const char *name)
{
    json_object *value = NULL;
    CHECK_OK(room->context, json_read_file(room->context, scratch_path(room, name), &value));
    return value;
}

static void check_part(json_object *index, const char *part, const char *library,
                       const char *class_name)
{
    json_object *pair = json_object_object_get(index, part);
    assert_int_equal(json_object_array_length(pair), 2);
    assert_string_equal(json_object_get_string(json_object_array_get_idx(pair, 0)), library);
    assert_string_equal(json_object_get_string(json_object_array_get_idx(pair, 1)), class_name);
}

/* What DDPMPipeline.from_pretrained reads. */
static void the_index_names_the_classes_of_diffusers(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "m")));
    json_object *index = read_json(room, "m/model_index.json");
    assert_string_equal(json_object_get_string(json_object_object_get(index, "_class_name")),
                        "DDPMPipeline");
    assert_true(json_object_object_get_ex(index, "_diffusers_version", NULL));
    check_part(index, "unet", "diffusers", "UNet2DModel");
    check_part(index, "scheduler", "diffusers", "DDPMScheduler");
    json_object_put(index);
    json_object *scheduler = read_json(room, "m/scheduler/scheduler_config.json");
    assert_string_equal(json_object_get_string(json_object_object_get(scheduler, "_class_name")),
                        "DDPMScheduler");
    json_object_put(scheduler);
    sumi_model_free(model);
}

static void networks_of_sumi_s_own_are_not_passed_off_as_diffusers(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "m")));
    json_object *index = read_json(room, "m/model_index.json");
    assert_string_equal(json_object_get_string(json_object_object_get(index, "_class_name")),
                        "SumiPipeline");
    check_part(index, "unet", "sumi", "SumiMLPModel");
    json_object_put(index);
    sumi_model_free(model);
}

static void weights_are_written_as_float32_with_the_mark_of_torch(void **state)
{
    scratch *room = *state;
    safetensors *file = NULL;
    sumi_weight weight = {.size = sizeof weight};
    sumi_model *model = tiny_create(room, TINY_UNET);
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "m")));
    const char *path = scratch_path(room, "m/unet/diffusion_pytorch_model.safetensors");
    CHECK_OK(room->context, safetensors_open(room->context, path, &file));
    assert_string_equal(safetensors_metadata(file, "format"), "pt");
    int64_t count = 0;
    for (; sumi_model_weight(model, count, &weight); count++) {
        const safetensors_tensor *tensor = safetensors_find(file, weight.name);
        assert_non_null(tensor);
        assert_int_equal(tensor->type, NUMBER_F32);
        assert_int_equal(tensor->rank, weight.rank);
    }
    assert_int_equal(safetensors_count(file), count);
    safetensors_free(file);
    sumi_model_free(model);
}

static void saving_over_a_model_replaces_it(void **state)
{
    scratch *room = *state;
    sumi_model *first = tiny_create(room, TINY_UNET), *second = tiny_create(room, TINY_MLP);
    sumi_model *opened = NULL;
    const char *folder = scratch_path(room, "m");
    CHECK_OK(room->context, sumi_model_save(first, folder));
    CHECK_OK(room->context, sumi_model_save(second, folder));
    CHECK_OK(room->context, sumi_model_open(room->context, folder, &opened));
    assert_string_equal(sumi_model_class(opened), "SumiMLPModel");
    sumi_model_free(opened);
    sumi_model_free(second);
    sumi_model_free(first);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    tiny_write(room, "file", "in the way");
    CHECK_FAILS(room->context, SUMI_ERROR_FILE, "file",
                sumi_model_save(model, scratch_path(room, "file/m")));
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_picture_model_comes_back_bit_for_bit),
        SCRATCH_TEST(a_signal_model_comes_back_bit_for_bit),
        SCRATCH_TEST(a_point_model_comes_back_bit_for_bit),
        SCRATCH_TEST(networks_of_every_class_come_back_with_their_weights),
        SCRATCH_TEST(the_index_names_the_classes_of_diffusers),
        SCRATCH_TEST(networks_of_sumi_s_own_are_not_passed_off_as_diffusers),
        SCRATCH_TEST(weights_are_written_as_float32_with_the_mark_of_torch),
        SCRATCH_TEST(saving_over_a_model_replaces_it),
        SCRATCH_TEST(a_folder_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

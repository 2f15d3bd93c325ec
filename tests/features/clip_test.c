/* SPDX-License-Identifier: Apache-2.0 */
/* CLIP's encoder of pictures of a folder against the network on pictures that were prepared apart.
 */
#include "features/features.h"
#include "nets/clip.h"
#include "scratch.h"

static const double MEAN[] = {0.48145466, 0.4578275, 0.40821073};
static const double DEVIATION[] = {0.26862954, 0.26130258, 0.27577711};

static const char CONFIG[] =
    "{\"architectures\": [\"CLIPVisionModelWithProjection\"], \"hidden_size\": 16,"
    " \"intermediate_size\": 32, \"num_hidden_layers\": 2, \"num_attention_heads\": 2,"
    " \"image_size\": 16, \"patch_size\": 8, \"projection_dim\": 12}";

/* Writes a folder of a small encoder, and its vectors of a prepared picture to expected[12]. */
static void write_encoder(scratch *room, const float *input, float *expected)
{
    sumi_context *context = room->context;
    struct clip_vision vision;
    struct clip_output output;
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    sumi_plan *plan = NULL;
    safetensors_entry entries[64] = {{.name = NULL}};
    CHECK_OK(context, clip_vision_parse(context, CONFIG, "config.json", &vision));
    CHECK_OK(context, sumi_weights_create(context, 3, &weights));
    CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
    sumi_node x = sumi_graph_input(graph, "x", 4, (int64_t[]){1, 16, 16, 3});
    clip_vision_build(&vision, graph, x, &output);
    CHECK_OK(context, sumi_plan_create(graph, 1, &output.vector, &plan));
    memcpy(sumi_plan_data(plan, x), input, 16 * 16 * 3 * sizeof *input);
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    memcpy(expected, sumi_plan_data(plan, output.vector), 12 * sizeof *expected);
    assert_true(weights->count < 63);
    for (int64_t i = 0; i < weights->count; i++) {
        const struct weight *weight = &weights->items[i];
        entries[i] = (safetensors_entry){.name = weight->name,
                                         .type = NUMBER_F32,
                                         .rank = weight->shape.rank,
                                         .data = weight->data};
        memcpy(entries[i].shape, weight->shape.size, sizeof entries[i].shape);
    }
    static const int32_t places[5] = {0, 1, 2, 3, 4}; /* older files have them, unused */
    entries[weights->count] = (safetensors_entry){.name = "vision_model.embeddings.position_ids",
                                                  .type = NUMBER_I32,
                                                  .rank = 2,
                                                  .shape = {1, 5},
                                                  .data = places};
    CHECK_OK(context, safetensors_write(context, scratch_path(room, "model.safetensors"), entries,
                                        (size_t)weights->count + 1, NULL, 0));
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    FILE *file = fopen(scratch_path(room, "config.json"), "w");
    assert_non_null(file);
    fputs(CONFIG, file);
    fclose(file);
}

static void a_folder_of_an_encoder_gives_its_projected_vectors(void **state)
{
    scratch *room = *state;
    static float values[3 * 16 * 16], prepared[16 * 16 * 3];
    float expected[12];
    sumi_array pictures = {4, {3, 16, 16, 1}, values}, rows = {0};
    sumi_features *features = NULL;
    sumi_features_info info = {.size = sizeof info};
    for (int i = 0; i < 3 * 16 * 16; i++) values[i] = (float)sin(0.1 * i);
    for (int i = 0; i < 16 * 16 * 3; i++) { /* the second picture, grey as three colours */
        double byte = rint((values[16 * 16 + i / 3] + 1) * 127.5);
        prepared[i] = (float)((byte / 255 - MEAN[i % 3]) / DEVIATION[i % 3]);
    }
    write_encoder(room, prepared, expected);
    CHECK_OK(room->context, sumi_features_open(room->context, room->folder, &features));
    assert_true(sumi_features_describe(features, &info));
    assert_true(info.count == 12 && info.classes == 0 && info.side == 16);
    CHECK_OK(room->context, sumi_features_set(features, "batch", "2"));
    CHECK_OK(room->context, sumi_features_measure(features, &pictures, NULL, NULL, &rows));
    assert_true(rows.rank == 2 && rows.shape[0] == 3 && rows.shape[1] == 12);
    for (int i = 0; i < 12; i++) CHECK_CLOSE(rows.data[12 + i], expected[i], 1e-5);
    assert_int_equal(sumi_features_set(features, "output", "logits"), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "no classes"));
    sumi_array_release(room->context, &rows);
    sumi_features_free(features);
}

static void what_is_no_picture_is_refused(void **state)
{
    scratch *room = *state;
    static float values[2 * 16 * 16], prepared[16 * 16 * 3];
    float unused[12];
    sumi_array pictures = {4, {2, 16, 16, 1}, values}, rows = {0},
               two = {4, {1, 16, 16, 2}, values};
    sumi_features *features = NULL;
    write_encoder(room, prepared, unused);
    CHECK_OK(room->context, sumi_features_open(room->context, room->folder, &features));
    assert_int_equal(sumi_features_measure(features, &two, NULL, NULL, &rows), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "[n, height, width, 1 or 3]"));
    values[7] = NAN;
    assert_int_equal(sumi_features_measure(features, &pictures, NULL, NULL, &rows),
                     SUMI_ERROR_NUMBER);
    assert_null(rows.data);
    values[7] = 0;
    sumi_features_free(features);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_folder_of_an_encoder_gives_its_projected_vectors),
        SCRATCH_TEST(what_is_no_picture_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

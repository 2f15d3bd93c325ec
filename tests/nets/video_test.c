/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers of videos, LatteTransformer3DModel and CogVideoXTransformer3DModel: which frames see
   each other, positions, and configs that cannot be. The numbers that diffusers gives are compared
   by nets/vectors_test.c. */
#include "nets/latte.h"

#include "forward.h"

#define LATTE                                                                                      \
    "{\"_class_name\": \"LatteTransformer3DModel\", \"num_attention_heads\": 2, "                  \
    "\"attention_head_dim\": 4, \"in_channels\": 2, \"out_channels\": 2, \"num_layers\": 2, "      \
    "\"attention_bias\": true, \"sample_size\": 4, \"patch_size\": 2, \"caption_channels\": 3, "   \
    "\"video_length\": 3, \"norm_type\": \"ada_norm_single\", "                                    \
    "\"norm_elementwise_affine\": false"
#define TEXT ", \"cross_attention_dim\": 8"
#define COG                                                                                        \
    "{\"_class_name\": \"CogVideoXTransformer3DModel\", \"num_attention_heads\": 2, "              \
    "\"attention_head_dim\": 16, \"in_channels\": 2, \"out_channels\": 2, \"num_layers\": 1, "     \
    "\"time_embed_dim\": 8, \"text_embed_dim\": 3, \"sample_width\": 4, \"sample_height\": 4, "    \
    "\"sample_frames\": 9, \"max_text_seq_length\": 5"
enum { FRAMES = 3, FRAME = 4 * 4 * 2, VIDEO = FRAMES * FRAME, STATES = 2, TOKENS = 5 };

static void open_video(struct forward *f, const char *config, int64_t frames, int64_t side)
{
    struct shape shapes[NET_INPUTS] = {{5, {1, frames, side, side, 2}}};
    shapes[STATES] = (struct shape){3, {1, TOKENS, 3}};
    forward_open(f, config, shapes, 1);
    for (int i = 0; i <= STATES; i++) forward_wave(f, f->nodes.at[i], 0.4 + 0.1 * i, 0.3);
}

/* Changes the last frame, and returns by how much the first changes. */
static double first_by_last(struct forward *f)
{
    float before[VIDEO], after[VIDEO];
    forward_run(f, 0, before);
    sumi_plan_data(f->plan, f->nodes.at[NET_X])[VIDEO - 1] += 3;
    forward_run(f, 0, after);
    assert_true(forward_apart(before + VIDEO - FRAME, after + VIDEO - FRAME, FRAME) > 1e-4);
    return forward_apart(before, after, FRAME);
}

static void frames_see_each_other_in_temporal_blocks(void **state)
{
    (void)state;
    struct forward f;
    open_video(&f, LATTE TEXT "}", FRAMES, 4);
    assert_true(first_by_last(&f) > 1e-6);
    forward_close(&f);
}

static void without_temporal_blocks_each_frame_is_a_picture(void **state)
{
    (void)state;
    struct forward f;
    struct shape shapes[NET_INPUTS] = {{5, {1, FRAMES, 4, 4, 2}}};
    shapes[STATES] = (struct shape){3, {1, TOKENS, 3}};
    forward_begin(&f);
    CHECK_OK(f.context, net_parse(f.context, LATTE TEXT "}", "config", &f.net));
    latte_set_temporal(f.net, false);
    net_add_inputs(f.net, f.graph, 1, shapes, &f.nodes);
    forward_output(&f, net_build(f.net, f.graph, &f.nodes));
    forward_fill(&f);
    forward_plan(&f);
    for (int i = 0; i <= STATES; i++) forward_wave(&f, f.nodes.at[i], 0.4, 0.3);
    assert_true(weights_find(f.weights, "temporal_transformer_blocks.1.scale_shift_table") >= 0);
    assert_true(first_by_last(&f) == 0);
    forward_close(&f);
}

static void all_frames_see_each_other_in_cogvideox(void **state)
{
    (void)state;
    static const char *const kinds[] = {
        COG "}", COG ", \"use_rotary_positional_embeddings\": true}",
        COG ", \"use_rotary_positional_embeddings\": true, "
            "\"use_learned_positional_embeddings\": true, \"ofs_embed_dim\": 8}",
        COG ", \"use_rotary_positional_embeddings\": true, \"patch_size_t\": 1, "
            "\"norm_elementwise_affine\": false, \"attention_bias\": false}",
        COG ", \"patch_size_t\": 3, \"activation_fn\": \"geglu\"}"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct forward f;
        open_video(&f, kinds[i], FRAMES, 4);
        assert_true(first_by_last(&f) > 1e-6);
        forward_close(&f);
    }
}

/* A video whose patches are all the same is distinguished by positions only. */
static void positions_tell_equal_patches_apart(void **state)
{
    (void)state;
    static const char *const kinds[] = {LATTE TEXT "}", COG "}"};
    for (size_t i = 0; i < 2; i++) {
        struct forward f;
        float values[VIDEO];
        open_video(&f, kinds[i], FRAMES, 4);
        float *x = sumi_plan_data(f.plan, f.nodes.at[NET_X]);
        for (int k = 0; k < VIDEO; k++) x[k] = 0.5f;
        forward_run(&f, 0, values);
        assert_true(forward_apart(values, values + FRAME, FRAME) > 1e-5);
        assert_true(forward_apart(values, values + 4, 2) > 1e-5); /* the next patch */
        forward_close(&f);
    }
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    forward_refuse("{\"_class_name\": \"LatteTransformer3DModel\"}", "norm_type");
    forward_refuse(LATTE ", \"cross_attention_dim\": 9}", "should be 8, the width");
    forward_refuse("{\"_class_name\": \"LatteTransformer3DModel\", \"norm_type\": "
                   "\"ada_norm_single\", \"in_channels\": 4, \"patch_size\": 2}",
                   "caption_channels");
    forward_refuse(COG ", \"use_learned_positional_embeddings\": true}", "only with");
    forward_refuse(COG ", \"ofs_embed_dim\": 4}", "\"ofs_embed_dim\" should be");
    forward_refuse(COG ", \"patch_size\": 3}", "should be multiples of");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_see_each_other_in_temporal_blocks),
        cmocka_unit_test(without_temporal_blocks_each_frame_is_a_picture),
        cmocka_unit_test(all_frames_see_each_other_in_cogvideox),
        cmocka_unit_test(positions_tell_equal_patches_apart),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* UNet1DModel: its families of blocks, the filter that changes lengths, the network of values, and
   configs that cannot be. The numbers that diffusers gives are compared by nets/vectors_test.c. */
#include "nets/unet1d_model.h"

#include "forward.h"

#define CLASS "{\"_class_name\": \"UNet1DModel\", \"in_channels\": 2, \"out_channels\": 2, "
#define TRAJECTORIES                                                                               \
    "\"time_embedding_type\": \"positional\", \"use_timestep_embedding\": true, "                  \
    "\"act_fn\": \"mish\", \"freq_shift\": 1, "
#define SOUNDS CLASS "\"sample_size\": 32, \"extra_in_channels\": 64"
enum { LENGTH = 32 };

/* All taps that halve a length, and every second one of those that double it, sum to 1. */
static void filters_that_change_lengths_keep_a_constant(void **state)
{
    (void)state;
    struct forward f;
    const struct shape shapes[NET_INPUTS] = {{3, {1, LENGTH, 2}}};
    forward_open(&f, SOUNDS "}", shapes, 1);
    int64_t taps = weights_find(f.weights, "down_blocks.1.down.kernel");
    int64_t doubled = weights_find(f.weights, "mid_block.up.kernel");
    double sum = 0, twice[2] = {0};
    assert_true(taps >= 0 && doubled >= 0);
    assert_false(f.weights->items[taps].trainable);
    for (int i = 0; i < 8; i++) {
        sum += f.weights->items[taps].data[i];
        twice[i % 2] += f.weights->items[doubled].data[i];
    }
    CHECK_CLOSE(sum, 1, 1e-6);
    CHECK_CLOSE(twice[0], 1, 1e-6);
    CHECK_CLOSE(twice[1], 1, 1e-6);
    forward_close(&f);
}

/* Janner et al. 2022: the value of a trajectory, one number for each. */
static void a_network_of_values_gives_one_number_for_an_item(void **state)
{
    (void)state;
    struct forward f;
    float values[2];
    const struct shape shapes[NET_INPUTS] = {{3, {2, LENGTH, 2}}};
    forward_open(&f,
                 CLASS TRAJECTORIES
                 "\"down_block_types\": [\"DownResnetBlock1D\", \"DownResnetBlock1D\", "
                 "\"DownResnetBlock1D\"], \"up_block_types\": [], \"mid_block_type\": "
                 "\"ValueFunctionMidBlock1D\", \"out_block_type\": \"ValueFunction\", "
                 "\"downsample_each_block\": true, \"block_out_channels\": [8, 16, 32]}",
                 shapes, 2);
    const struct shape *shape = graph_shape(f.graph, f.outputs[0]);
    assert_true(f.net->values);
    assert_int_equal(shape->rank, 2);
    assert_int_equal(shape->size[0], 2);
    assert_int_equal(shape->size[1], 1);
    for (int i = 0; i < 2; i++) forward_wave(&f, f.nodes.at[i], 0.4, 0.3);
    forward_run(&f, 0, values);
    assert_true(values[0] != values[1]);
    forward_close(&f);
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    forward_refuse(CLASS "\"extra_in_channels\": 0}", "should be 64, the channels of the time");
    forward_refuse(SOUNDS ", \"use_timestep_embedding\": true, \"act_fn\": \"silu\"}",
                   "needs \"use_timestep_embedding\" false");
    forward_refuse(SOUNDS ", \"mid_block_type\": \"MidResTemporalBlock1D\"}",
                   "need \"use_timestep_embedding\" true");
    forward_refuse(SOUNDS ", \"out_block_type\": \"OutConv1DBlock\"}", "\"act_fn\"");
    forward_refuse(SOUNDS ", \"up_block_types\": [\"UpBlock2D\"]}", "up_block_types");
    forward_refuse(SOUNDS ", \"block_out_channels\": [32, 32]}", "same number of entries");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_that_change_lengths_keep_a_constant),
        cmocka_unit_test(a_network_of_values_gives_one_number_for_an_item),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

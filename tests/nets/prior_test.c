/* SPDX-License-Identifier: Apache-2.0 */
/* PriorTransformer: what it sees, its statistics, and configs that cannot be. The numbers that
   diffusers gives are compared by nets/vectors_test.c. */
#include "forward.h"

#define TINY                                                                                       \
    "{\"_class_name\": \"PriorTransformer\", \"num_attention_heads\": 2, "                         \
    "\"attention_head_dim\": 4, \"num_layers\": 2, \"embedding_dim\": 6"
#define FIVE ", \"num_embeddings\": 5"
enum { WIDTH = 6, TOKENS = 5, POOLED = 2, STATES, MASK };

static void open_prior(struct forward *f, bool masked)
{
    struct shape shapes[NET_INPUTS] = {{2, {1, WIDTH}}};
    shapes[STATES] = (struct shape){3, {1, TOKENS, WIDTH}};
    if (masked) shapes[MASK] = (struct shape){2, {1, TOKENS}};
    forward_open(f, TINY FIVE "}", shapes, 1);
    for (int i = 0; i <= STATES; i++) forward_wave(f, f->nodes.at[i], 0.4 + 0.1 * i, 0.3);
}

static void padding_of_the_text_is_not_seen(void **state)
{
    (void)state;
    struct forward f;
    float first[WIDTH], second[WIDTH];
    open_prior(&f, true);
    float *mask = sumi_plan_data(f.plan, f.nodes.at[MASK]);
    float *states = sumi_plan_data(f.plan, f.nodes.at[STATES]);
    for (int i = 0; i < TOKENS; i++) mask[i] = i < 3;
    forward_run(&f, 0, first);
    states[4 * WIDTH] += 3;
    forward_run(&f, 0, second);
    assert_true(forward_apart(first, second, WIDTH) < 1e-6);
    states[2 * WIDTH] += 3;
    forward_run(&f, 0, second);
    assert_true(forward_apart(first, second, WIDTH) > 1e-4);
    forward_close(&f);
}

/* Without a mask there is no causal one either, so a mask of ones changes the result. */
static void a_mask_makes_attention_causal(void **state)
{
    (void)state;
    struct forward plain, masked;
    float first[WIDTH], second[WIDTH];
    open_prior(&plain, false);
    open_prior(&masked, true);
    for (int i = 0; i < TOKENS; i++) sumi_plan_data(masked.plan, masked.nodes.at[MASK])[i] = 1;
    forward_run(&plain, 0, first);
    forward_run(&masked, 0, second);
    assert_true(forward_apart(first, second, WIDTH) > 1e-4);
    forward_close(&plain);
    forward_close(&masked);
}

/* The statistics of embeddings are kept with the weights and are not trained. */
static void statistics_of_the_data_are_weights_that_are_not_trained(void **state)
{
    (void)state;
    struct forward f;
    open_prior(&f, false);
    for (int i = 0; i < 2; i++) {
        int64_t number = weights_find(f.weights, i ? "clip_std" : "clip_mean");
        assert_true(number >= 0);
        assert_false(f.weights->items[number].trainable);
        for (int k = 0; k < WIDTH; k++) assert_true(f.weights->items[number].data[k] == i);
    }
    forward_close(&f);
}

/* Jun and Nichol 2023: without the learned token, items are sequences of embeddings, and positions
   are those of their members. */
static void without_a_last_token_items_are_sequences(void **state)
{
    (void)state;
    struct forward f;
    const struct shape shapes[NET_INPUTS] = {{3, {2, TOKENS, WIDTH}}};
    forward_open(&f,
                 TINY FIVE ", \"added_emb_type\": null, \"encoder_hid_proj_type\": null, "
                           "\"additional_embeddings\": 0, \"clip_embed_dim\": 3}",
                 shapes, 2);
    const struct shape *shape = graph_shape(f.graph, f.outputs[0]);
    assert_int_equal(f.net->kind, SUMI_SEQUENCE);
    assert_int_equal(shape->rank, 3);
    assert_int_equal(shape->size[1], TOKENS);
    assert_int_equal(shape->size[2], 3);
    forward_close(&f);
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    forward_refuse(TINY FIVE ", \"norm_in_type\": \"group\"}", "norm_in_type");
    forward_refuse(TINY ", \"added_emb_type\": \"two\"}", "added_emb_type");
    forward_refuse(TINY ", \"embedding_proj_norm_type\": 3}", "embedding_proj_norm_type");
    forward_refuse(TINY ", \"time_embed_act_fn\": \"tanh\"}", "time_embed_act_fn");
    forward_refuse(TINY ", \"num_embeddings\": 1, \"additional_embeddings\": 0}",
                   "there are at least 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_of_the_text_is_not_seen),
        cmocka_unit_test(a_mask_makes_attention_causal),
        cmocka_unit_test(statistics_of_the_data_are_weights_that_are_not_trained),
        cmocka_unit_test(without_a_last_token_items_are_sequences),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* T5's encoder: buckets of distances, hidden padding, and configs that cannot be. The numbers that
   transformers gives are compared by nets/vectors_test.c. */
#include "nets/t5.h"

#include "forward.h"

#define TINY                                                                                       \
    "{\"architectures\": [\"T5EncoderModel\"], \"vocab_size\": 20, \"d_model\": 8, \"d_kv\": 3, "  \
    "\"d_ff\": 12, \"num_layers\": 2, \"num_heads\": 2"
enum { TEXTS = 2, LENGTH = 5, CHANNELS = 8 };

/* Raffel et al. 2020, 2.1: 32 buckets, distances up to 128; above 8 each bucket ends at sqrt(2)
   times the last end. */
static void buckets_grow_by_the_root_of_two(void **state)
{
    (void)state;
    const struct t5 t5 = {.buckets = 32, .distance = 128};
    static const int64_t known[][2] = {{0, 0},   {1, 1},    {7, 7},    {8, 8},    {11, 8},
                                       {12, 9},  {15, 9},   {16, 10},  {22, 10},  {23, 11},
                                       {32, 12}, {45, 12},  {46, 13},  {64, 14},  {90, 14},
                                       {91, 15}, {127, 15}, {128, 15}, {5000, 15}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(t5_bucket(&t5, -known[i][0]), known[i][1]);
        if (known[i][0]) assert_int_equal(t5_bucket(&t5, known[i][0]), 16 + known[i][1]);
    }
}

static void open_encoder(struct forward *f, const char *config)
{
    struct t5 t5;
    forward_begin(f);
    CHECK_OK(f->context, t5_parse(f->context, config, "config", &t5));
    const int64_t shape[2] = {TEXTS, LENGTH};
    f->nodes.at[0] = sumi_graph_typed_input(f->graph, "ids", SUMI_INT32, 2, shape);
    f->nodes.at[1] = sumi_graph_input(f->graph, "mask", 2, shape);
    forward_output(f, t5_build(&t5, f->graph, f->nodes.at[0], f->nodes.at[1]));
    forward_fill(f);
    forward_plan(f);
}

/* Of two texts with the same beginning, the second has another token behind it. */
static void padding_changes_no_state_of_a_token(void **state)
{
    (void)state;
    enum { SEEN = 3 };
    struct forward f;
    float states[TEXTS * LENGTH * CHANNELS];
    const int32_t ids[TEXTS * LENGTH] = {4, 5, 6, 0, 0, 4, 5, 6, 7, 9};
    open_encoder(&f, TINY "}");
    memcpy(sumi_plan_typed_data(f.plan, f.nodes.at[0], SUMI_INT32), ids, sizeof ids);
    for (int seen = SEEN; seen <= LENGTH; seen += LENGTH - SEEN) {
        float *mask = sumi_plan_data(f.plan, f.nodes.at[1]);
        for (int i = 0; i < TEXTS * LENGTH; i++) mask[i] = i % LENGTH < seen;
        forward_run(&f, 0, states);
        double apart = forward_apart(states, states + LENGTH * CHANNELS, SEEN * CHANNELS);
        assert_true(seen == SEEN ? apart < 1e-6 : apart > 1e-4);
    }
    forward_close(&f);
}

/* Every name of feed_forward_proj: gated ones have two layers, and "gated-gelu" is computed by
   tanh, as "gated-gelu_new". */
static void activations_are_those_of_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum t5_activation activation;
        bool gated;
    } known[] = {{"relu", T5_RELU, false},           {"gelu", T5_GELU, false},
                 {"gelu_new", T5_GELU_TANH, false},  {"silu", T5_SILU, false},
                 {"gated-gelu", T5_GELU_TANH, true}, {"gated-silu", T5_SILU, true},
                 {"gated-relu", T5_RELU, true},      {"gated-gelu_new", T5_GELU_TANH, true}};
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct t5 t5;
        char config[512];
        snprintf(config, sizeof config, TINY ", \"feed_forward_proj\": \"%s\"}", known[i].name);
        CHECK_OK(context, t5_parse(context, config, "config", &t5));
        assert_int_equal(t5.activation, known[i].activation);
        assert_int_equal(t5.gated, known[i].gated);
    }
    sumi_context_free(context);
}

static void refuse(const char *config, const char *part)
{
    sumi_context *context = NULL;
    struct t5 t5;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    assert_true(t5_parse(context, config, "config", &t5) != SUMI_OK);
    if (!strstr(sumi_context_message(context), part))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), part);
    sumi_context_free(context);
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    refuse("[]", "{...}");
    refuse("{\"architectures\": [\"UMT5EncoderModel\"]}",
           "\"UMT5EncoderModel\" are not supported; the supported class is \"T5EncoderModel\"");
    refuse(TINY ", \"feed_forward_proj\": \"gated-tanh\"}", "feed_forward_proj");
    refuse(TINY ", \"relative_attention_max_distance\": 8}", "should be above 8");
    refuse(TINY ", \"layer_norm_epsilon\": -1}", "layer_norm_epsilon");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_grow_by_the_root_of_two),
        cmocka_unit_test(padding_changes_no_state_of_a_token),
        cmocka_unit_test(activations_are_those_of_their_names),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

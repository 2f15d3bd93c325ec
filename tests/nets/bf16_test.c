/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers in bf16 compared with float32: output and the gradients of the weights, within a
   bound that follows from the number of roundings, and the memory of a step. The weights are
   numbers of bfloat16, as in a file of that type. */
#include "../check.h"
#include "base/bfloat16.h"
#include "graph/plan.h"
#include "nets/net.h"
#include "ops/ops.h"
#include "vectors/formula.h"

enum { ITEMS = 2, MOST = 512 };
static const double ROUNDING = 0x1p-8; /* the largest relative error of a rounding to bfloat16 */

#define SIZES                                                                                      \
    "\"num_attention_heads\": 2, \"attention_head_dim\": 16, \"in_channels\": 4, "                 \
    "\"num_layers\": 2, \"sample_size\": 16, \"patch_size\": 2"

/* A network over its own weights, with mean(output^2) and its gradient by every weight. */
struct trial {
    sumi_context *context;
    sumi_weights *weights;
    sumi_graph *graph;
    int leaves, inputs;
    sumi_node leaf[MOST], outputs[MOST]; /* outputs: the output, then the gradients */
    sumi_node input[NET_INPUTS];
};

static void begin(struct trial *t)
{
    *t = (struct trial){0};
    assert_int_equal(sumi_context_create(NULL, &t->context), SUMI_OK);
    CHECK_OK(t->context, sumi_weights_create(t->context, 7, &t->weights));
    CHECK_OK(t->context, sumi_graph_create(t->context, t->weights, false, &t->graph));
}

static void end(struct trial *t)
{
    sumi_graph_free(t->graph);
    sumi_weights_free(t->weights);
    sumi_context_free(t->context);
}

/* Numbers of about one, those of weights as they are after reading a file in bfloat16. */
static void fill_weights(struct trial *t)
{
    for (int64_t n = 0; n < t->weights->count; n++) {
        struct weight *weight = &t->weights->items[n];
        struct formula_weight formula = {.name = weight->name,
                                         .number = n,
                                         .rank = weight->shape.rank,
                                         .first_size = weight->shape.size[0],
                                         .count = shape_count(&weight->shape)};
        assert_true(formula_fill("mix", &formula, weight->data));
        for (int64_t i = 0; i < formula.count; i++)
            weight->data[i] = bfloat16_to_float(bfloat16_from_float(weight->data[i]));
    }
}

/* Adds the loss and its gradients. */
static void differentiate(struct trial *t, sumi_node output)
{
    if (output < 0) fail_msg("%s", sumi_context_message(t->context));
    sumi_node gradients[MOST];
    sumi_node square = sumi_op_multiply(t->graph, output, output);
    sumi_node loss = sumi_op_mean(t->graph, square, 15);
    for (sumi_node n = 0; n < loss; n++) {
        const struct node *node = graph_node(t->graph, n);
        if (node->op != &op_weight || !t->weights->items[node->weight].trainable) continue;
        assert_true(t->leaves < MOST - 1);
        t->leaf[t->leaves++] = n;
    }
    CHECK_OK(t->context, sumi_graph_gradients(t->graph, loss, t->leaves, t->leaf, gradients));
    t->outputs[0] = output;
    for (int i = 0; i < t->leaves; i++) t->outputs[1 + i] = gradients[i];
    fill_weights(t);
}

/* A network of src/nets/ for pictures of `side` pixels, with conditions of five tokens. */
static void build_network(struct trial *t, int64_t side, const char *config)
{
    struct net *net = NULL;
    struct net_nodes nodes;
    struct shape shapes[NET_INPUTS] = {{4, {ITEMS, side, side, 4}}};
    begin(t);
    CHECK_OK(t->context, net_parse(t->context, config, "config", &net));
    for (int i = NET_TIMES + 1; i < net->input_count; i++) {
        shapes[i] = net_input_shape(net, i, ITEMS);
        if (net->inputs[i].rank > 1 && shapes[i].size[1] == 0) shapes[i].size[1] = 5;
    }
    net_add_inputs(net, t->graph, ITEMS, shapes, &nodes);
    for (; t->inputs < net->input_count; t->inputs++) t->input[t->inputs] = nodes.at[t->inputs];
    differentiate(t, net_build(net, t->graph, &nodes));
    net_free(net);
}

static void fill_inputs(const struct trial *t, sumi_plan *plan)
{
    for (int i = 0; i < t->inputs; i++) {
        const struct node *node = graph_node(t->graph, t->input[i]);
        int64_t count = shape_count(&node->shape);
        if (node->element == SUMI_INT32) {
            int32_t *values = sumi_plan_typed_data(plan, t->input[i], SUMI_INT32);
            for (int64_t k = 0; k < count; k++) values[k] = (int32_t)k;
            continue;
        }
        float *values = sumi_plan_data(plan, t->input[i]);
        bool times = i == NET_TIMES && node->shape.rank == 1;
        for (int64_t k = 0; k < count; k++)
            values[k] = times ? 10 + 300 * (float)k : (float)formula_mix(900 + i, (uint32_t)k);
        if (node->shape.rank == 2 && node->shape.size[1] == 5)
            for (int64_t k = 0; k < count; k++) values[k] = k % 4 != 3; /* a mask */
    }
}

static sumi_plan *run(struct trial *t, const char *precision)
{
    sumi_plan *plan = NULL;
    CHECK_OK(t->context, sumi_graph_set_precision(t->graph, precision));
    CHECK_OK(t->context, sumi_plan_create(t->graph, 1 + t->leaves, t->outputs, &plan));
    fill_inputs(t, plan);
    CHECK_OK(t->context, sumi_plan_run(plan, 1, 1));
    return plan;
}

struct difference {
    double error, square;
};

static void add_difference(const struct trial *t, sumi_node node, sumi_plan *wide, sumi_plan *bf16,
                           struct difference *sum)
{
    const float *expected = sumi_plan_data(wide, node), *actual = sumi_plan_data(bf16, node);
    for (int64_t i = 0; i < shape_count(graph_shape(t->graph, node)); i++) {
        sum->error += ((double)actual[i] - expected[i]) * ((double)actual[i] - expected[i]);
        sum->square += (double)expected[i] * expected[i];
    }
}

static double relative(const struct difference *sum)
{
    return sqrt(sum->error / sum->square);
}

/* Each of `roundings` in a row is independent and at most ROUNDING, so the output is off by at most
   sqrt(roundings) ROUNDING; the gradient has the roundings of both directions. */
static void expect_close(struct trial *t, int roundings)
{
    struct difference output = {0}, gradient = {0};
    sumi_plan *wide = run(t, "float32"), *bf16 = run(t, "bf16");
    add_difference(t, t->outputs[0], wide, bf16, &output);
    for (int i = 0; i < t->leaves; i++) add_difference(t, t->outputs[1 + i], wide, bf16, &gradient);
    double forward = relative(&output), backward = relative(&gradient);
    if (!(forward > 0 && forward < sqrt(roundings) * ROUNDING))
        fail_msg("the output differs by %.2e", forward);
    if (!(backward > 0 && backward < sqrt(2 * roundings) * ROUNDING))
        fail_msg("the gradient differs by %.2e", backward);
    sumi_plan_free(wide);
    sumi_plan_free(bf16);
}

/* In a block: two norms, their modulations, q, k, v, attention, its projection, both layers of the
   feed-forward network, its activation, and twice gate and sum. */
enum { OF_BLOCK = 12, OF_ENDS = 4 };

static void dit_in_bf16_agrees_with_float32(void **state)
{
    (void)state;
    struct trial t;
    build_network(&t, 16,
                  "{\"_class_name\": \"DiTTransformer2DModel\", " SIZES
                  ", \"num_embeds_ada_norm\": 3}");
    expect_close(&t, 2 * OF_BLOCK + OF_ENDS);
    end(&t);
}

static void pixart_in_bf16_agrees_with_float32(void **state)
{
    (void)state;
    struct trial t;
    build_network(&t, 16,
                  "{\"_class_name\": \"PixArtTransformer2DModel\", " SIZES
                  ", \"cross_attention_dim\": 32, \"caption_channels\": 12}");
    expect_close(&t, 2 * (OF_BLOCK + 4) + OF_ENDS);
    end(&t);
}

static void sd3_in_bf16_agrees_with_float32(void **state)
{
    (void)state;
    struct trial t;
    build_network(&t, 16,
                  "{\"_class_name\": \"SD3Transformer2DModel\", " SIZES
                  ", \"joint_attention_dim\": 12, \"caption_projection_dim\": 32,"
                  " \"pooled_projection_dim\": 8, \"pos_embed_max_size\": 8,"
                  " \"qk_norm\": \"rms_norm\", \"out_channels\": 4}");
    expect_close(&t, 2 * (OF_BLOCK + 1) + OF_ENDS);
    end(&t);
}

static size_t memory_of(struct trial *t, const char *precision)
{
    sumi_plan *plan = NULL;
    CHECK_OK(t->context, sumi_graph_set_precision(t->graph, precision));
    CHECK_OK(t->context, sumi_plan_create(t->graph, 1 + t->leaves, t->outputs, &plan));
    size_t bytes = plan_memory(plan);
    sumi_plan_free(plan);
    return bytes;
}

/* The activations and their derivatives are halved; the gradients of the weights are not. */
static void a_step_of_a_transformer_in_bf16_needs_less_memory(void **state)
{
    (void)state;
    struct trial t;
    build_network(&t, 64,
                  "{\"_class_name\": \"DiTTransformer2DModel\", \"num_attention_heads\": 2,"
                  " \"attention_head_dim\": 32, \"in_channels\": 4, \"num_layers\": 4,"
                  " \"sample_size\": 64, \"num_embeds_ada_norm\": 3}");
    double share = (double)memory_of(&t, "bf16") / (double)memory_of(&t, "float32");
    if (!(share < 0.65)) fail_msg("%.3f of the memory of float32", share);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dit_in_bf16_agrees_with_float32),
        cmocka_unit_test(pixart_in_bf16_agrees_with_float32),
        cmocka_unit_test(sd3_in_bf16_agrees_with_float32),
        cmocka_unit_test(a_step_of_a_transformer_in_bf16_needs_less_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

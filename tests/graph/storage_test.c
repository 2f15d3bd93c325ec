/* SPDX-License-Identifier: Apache-2.0 */
/* Which values a plan in bf16 keeps as bfloat16, and that its results are those of float32 within
   the roundings made. */
#include "base/philox.h"
#include "graph/plan.h"
#include "ops/ops.h"
#include "one_context.h"

enum { N = 2, SIDE = 8, CHANNELS = 16 };

/* A small residual network: x, time -> conv, + time, norm, conv, +, loss. */
struct network {
    sumi_weights *weights;
    sumi_graph *graph;
    sumi_node x, time, target;
    sumi_node first, let_in, norm, second, sum, prediction, error, loss;
    sumi_node leaves[4], gradients[4];
};

static sumi_node weight(struct network *w, const char *name, int rank, const int64_t *shape)
{
    double fan = rank == 4 ? (double)(shape[1] * 9) : 1;
    return sumi_graph_weight(w->graph, name, rank, shape, SUMI_START_FAN_IN, fan);
}

static void build(struct network *w)
{
    const sumi_convolution same = {{1, 1}, {1, 1}, {1, 1}};
    const int64_t image[] = {N, SIDE, SIDE, 3}, times[] = {N, CHANNELS}, c = CHANNELS;
    const int64_t over[] = {N, 1, 1, CHANNELS};
    CHECK_OK(context, sumi_weights_create(context, 3, &w->weights));
    CHECK_OK(context, sumi_graph_create(context, w->weights, true, &w->graph));
    sumi_graph *g = w->graph;
    w->x = sumi_graph_input(g, "x", 4, image);
    w->target = sumi_graph_input(g, "target", 4, image);
    w->time = sumi_op_sin(g, sumi_graph_input(g, "time", 2, times));
    w->leaves[0] = weight(w, "a", 4, (int64_t[]){CHANNELS, 3, 3, 3});
    w->leaves[1] = weight(w, "b", 4, (int64_t[]){CHANNELS, CHANNELS, 3, 3});
    w->leaves[2] = weight(w, "c", 4, (int64_t[]){3, CHANNELS, 3, 3});
    w->leaves[3] = sumi_graph_weight(g, "scale", 1, &c, SUMI_START_ONE, 0);
    sumi_node shift = sumi_graph_weight(g, "shift", 1, &c, SUMI_START_ZERO, 0);
    w->first = sumi_op_convolution(g, w->x, w->leaves[0], -1, &same);
    w->let_in = sumi_op_add(g, w->first, sumi_op_reshape(g, w->time, 4, over));
    w->norm = sumi_op_group_norm(g, w->let_in, w->leaves[3], shift, 4, 1e-5, true);
    w->second = sumi_op_convolution(g, w->norm, w->leaves[1], -1, &same);
    w->sum = sumi_op_add(g, w->let_in, w->second);
    w->prediction = sumi_op_convolution(g, w->sum, w->leaves[2], -1, &same);
    w->error = sumi_op_subtract(g, w->prediction, w->target);
    w->loss = sumi_op_mean(g, sumi_op_multiply(g, w->error, w->error), 15);
    CHECK_OK(context, sumi_graph_gradients(g, w->loss, 4, w->leaves, w->gradients));
}

static void release(struct network *w)
{
    sumi_graph_free(w->graph);
    sumi_weights_free(w->weights);
}

static void choose(const struct network *w, int count, const sumi_node *outputs,
                   sumi_element *elements)
{
    int32_t *uses = calloc((size_t)w->graph->count, sizeof *uses);
    for (sumi_node n = 0; n < w->graph->count; n++) {
        const struct node *node = graph_node(w->graph, n);
        for (int i = 0; i < node->input_count; i++) uses[node->inputs[i]]++;
    }
    storage_choose(w->graph->nodes, w->graph->count, uses, count, outputs, elements);
    free(uses);
}

static void activations_are_bfloat16_and_statistics_vectors_and_losses_float32(void **state)
{
    (void)state;
    struct network w = {0};
    build(&w);
    sumi_element elements[400];
    assert_true(w.graph->count < 400);
    sumi_node outputs[5] = {w.gradients[0], w.gradients[1], w.gradients[2], w.gradients[3], w.loss};
    choose(&w, 5, outputs, elements);
    const sumi_node bf16[] = {w.first, w.let_in, w.norm, w.second, w.sum, w.prediction};
    for (size_t i = 0; i < sizeof bf16 / sizeof *bf16; i++) {
        assert_int_equal(elements[bf16[i]], SUMI_BFLOAT16);
    }
    const sumi_node wide[] = {w.x, w.time, w.target, w.error, w.loss, w.leaves[0]};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        assert_int_equal(elements[wide[i]], SUMI_FLOAT32);
    }
    for (sumi_node n = 0; n < w.graph->count; n++) {
        const struct op *op = graph_node(w.graph, n)->op;
        bool data = op == &op_convolution_data_gradient || op == &op_group_norm_data_gradient;
        bool sums = op == &op_group_moments || op == &op_group_norm_sums
                    || op == &op_convolution_weight_gradient || op == &op_sum;
        if (data) assert_int_equal(elements[n], SUMI_BFLOAT16);
        if (sums) assert_int_equal(elements[n], SUMI_FLOAT32);
    }
    release(&w);
}

/* The last convolution writes float32 by itself; a factor behind it is float32 with it. */
static void what_leads_to_an_output_alone_is_float32(void **state)
{
    (void)state;
    struct network w = {0};
    build(&w);
    sumi_element elements[400];
    sumi_node scaled = sumi_op_affine(w.graph, w.prediction, 0.5, 0);
    const int64_t flat[] = {N, SIDE * SIDE * CHANNELS};
    sumi_node view = sumi_op_reshape(w.graph, w.sum, 2, flat);
    const sumi_node outputs[] = {w.prediction, scaled, view};
    choose(&w, 3, outputs, elements);
    assert_int_equal(elements[w.prediction], SUMI_FLOAT32);
    assert_int_equal(elements[scaled], SUMI_FLOAT32);
    assert_int_equal(elements[w.sum], SUMI_FLOAT32); /* shares the memory of its view */
    assert_int_equal(elements[w.second], SUMI_FLOAT32);
    assert_int_equal(elements[w.first], SUMI_BFLOAT16);
    release(&w);
}

/* Two layers with an activation between them over x[..., 8]: how the result of the first is stored,
   and the derivative by it. */
static void choose_for_layers(int rank, const int64_t *shape, sumi_element *first,
                              sumi_element *gradient)
{
    struct network w = {0};
    sumi_element elements[400];
    const int64_t matrix[] = {8, 8};
    CHECK_OK(context, sumi_weights_create(context, 3, &w.weights));
    CHECK_OK(context, sumi_graph_create(context, w.weights, true, &w.graph));
    sumi_node x = sumi_graph_input(w.graph, "x", rank, shape);
    sumi_node a = sumi_op_linear(w.graph, x, weight(&w, "a", 2, matrix), -1);
    sumi_node b = sumi_op_linear(w.graph, sumi_op_silu(w.graph, a), weight(&w, "b", 2, matrix), -1);
    sumi_node c = sumi_op_linear(w.graph, b, weight(&w, "c", 2, matrix), -1);
    sumi_node loss = sumi_op_sum(w.graph, c, (1U << rank) - 1), slope = -1, output = -1;
    CHECK_OK(context, sumi_graph_gradients(w.graph, loss, 1, &a, &slope));
    output = sumi_op_sum(w.graph, slope, (1U << rank) - 1);
    choose(&w, 1, &output, elements);
    *first = elements[a];
    *gradient = elements[slope];
    release(&w);
}

static void layers_over_positions_are_bfloat16_and_over_items_float32(void **state)
{
    (void)state;
    sumi_element first, gradient;
    choose_for_layers(3, (int64_t[]){2, 5, 8}, &first, &gradient);
    assert_int_equal(first, SUMI_BFLOAT16);
    assert_int_equal(gradient, SUMI_BFLOAT16);
    choose_for_layers(2, (int64_t[]){2, 8}, &first, &gradient);
    assert_int_equal(first, SUMI_FLOAT32);
    assert_int_equal(gradient, SUMI_FLOAT32);
}

static sumi_plan *plan_and_run(struct network *w, const char *precision, const sumi_node *outputs)
{
    sumi_plan *plan = NULL;
    CHECK_OK(context, sumi_graph_set_precision(w->graph, precision));
    CHECK_OK(context, sumi_plan_create(w->graph, 6, outputs, &plan));
    for (sumi_node n = 0; n < w->graph->count; n++) {
        if (graph_node(w->graph, n)->op != &op_input) continue;
        philox_stream stream = {(uint64_t)n, PURPOSE_DATA, 0};
        philox_normal(&stream, 0, shape_count(graph_shape(w->graph, n)), sumi_plan_data(plan, n));
    }
    for (int run = 0; run < 2; run++) CHECK_OK(context, sumi_plan_run(plan, 1, 2));
    return plan;
}

/* Each of about ten values in a row is rounded by at most 2^-8 of itself, at random. */
static void a_plan_in_bf16_gives_what_float32_gives(void **state)
{
    (void)state;
    struct network w = {0};
    build(&w);
    sumi_node outputs[6] = {w.gradients[0], w.gradients[1], w.gradients[2],
                            w.gradients[3], w.loss,         w.prediction};
    sumi_plan *wide = plan_and_run(&w, "float32", outputs);
    sumi_plan *bf16 = plan_and_run(&w, "bf16", outputs);
    bool differs = false;
    for (int i = 0; i < 6; i++) {
        int64_t count = shape_count(graph_shape(w.graph, outputs[i]));
        const float *expected = sumi_plan_data(wide, outputs[i]);
        const float *actual = sumi_plan_data(bf16, outputs[i]);
        double error = 0, square = 0;
        for (int64_t k = 0; k < count; k++) {
            error += ((double)actual[k] - expected[k]) * ((double)actual[k] - expected[k]);
            square += (double)expected[k] * expected[k];
        }
        differs |= error > 0;
        if (!(sqrt(error / square) < 5 * ldexp(1, -8))) {
            fail_msg("output %d: relative error %.3g", i, sqrt(error / square));
        }
    }
    assert_true(differs);
    assert_true(sumi_plan_data(wide, w.sum) != NULL);
    assert_null(sumi_plan_data(bf16, w.sum));
    sumi_plan_free(wide);
    sumi_plan_free(bf16);
    release(&w);
}

static void a_precision_of_another_name_is_refused(void **state)
{
    (void)state;
    sumi_graph *graph = NULL;
    CHECK_OK(context, sumi_graph_create(context, NULL, false, &graph));
    assert_int_equal(sumi_graph_set_precision(graph, "half"), SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(context),
                        "the precision is \"float32\" or \"bf16\", not \"half\"");
    sumi_graph_free(graph);
}

#define STORAGE_TEST(name) CONTEXT_TEST(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_TEST(activations_are_bfloat16_and_statistics_vectors_and_losses_float32),
        STORAGE_TEST(what_leads_to_an_output_alone_is_float32),
        STORAGE_TEST(layers_over_positions_are_bfloat16_and_over_items_float32),
        STORAGE_TEST(a_plan_in_bf16_gives_what_float32_gives),
        STORAGE_TEST(a_precision_of_another_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

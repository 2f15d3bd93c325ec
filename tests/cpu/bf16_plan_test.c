/* SPDX-License-Identifier: Apache-2.0 */
/* A network of convolutions, linear layers, products and attention, planned in bf16, forward and
   with the gradients by all of its weights: nothing is converted around these ops, less memory is
   taken, and the results are those of double within the roundings of its values. */
#include "base/philox.h"
#include "check.h"
#include "cpu/cpu.h"
#include "graph/plan_inside.h"
#include "ops/attention.h"
#include "ops/linear.h"
#include "ops/one_graph.h"

enum { N = 2, SIDE = 12, C = 48, LENGTH = SIDE * SIDE, WEIGHTS = 8, OUTPUTS = WEIGHTS + 1 };

static sumi_node weight(const char *name, int rank, const int64_t *shape)
{
    double fan = rank == 4 ? (double)(shape[1] * shape[2] * shape[3]) : (double)shape[1];
    return sumi_graph_weight(graph, name, rank, shape, SUMI_START_FAN_IN, fan);
}

static sumi_node project(sumi_node x, sumi_node w)
{
    return sumi_op_linear(graph, x, w, -1);
}

/* Image -> convolution -> attention with a residual -> product with itself -> linear layers ->
   convolution; the gradients by the weights of a random linear function of the result. */
static void build(sumi_node outputs[OUTPUTS])
{
    const sumi_convolution same = {{1, 1}, {1, 1}, {1, 1}};
    const int64_t image[] = {N, SIDE, SIDE, C}, rows[] = {N, LENGTH, C}, bias_shape[] = {2 * C};
    sumi_node w[WEIGHTS] = {weight("in", 4, (int64_t[]){C, 3, 3, 3}),
                            weight("q", 2, (int64_t[]){C, C}),
                            weight("k", 2, (int64_t[]){C, C}),
                            weight("v", 2, (int64_t[]){C, C}),
                            weight("up", 2, (int64_t[]){2 * C, C}),
                            weight("down", 2, (int64_t[]){C, 2 * C}),
                            weight("out", 4, (int64_t[]){3, C, 3, 3}),
                            sumi_graph_weight(graph, "bias", 1, bias_shape, SUMI_START_ONE, 0)};
    sumi_node x = sumi_op_convolution(graph, INPUT(N, SIDE, SIDE, 3), w[0], -1, &same);
    x = sumi_op_reshape(graph, x, 3, rows);
    sumi_node mixed =
        sumi_op_attention(graph, project(x, w[1]), project(x, w[2]), project(x, w[3]), 3, 0.25);
    x = sumi_op_add(graph, mixed, x);
    sumi_node likeness = sumi_op_matmul(graph, x, x, true, false); /* [n, c, c] */
    x = sumi_op_matmul(graph, x, sumi_op_affine(graph, likeness, 1.0 / LENGTH, 0), false, false);
    sumi_node y = sumi_op_silu(graph, sumi_op_linear(graph, x, w[4], w[7]));
    x = sumi_op_add(graph, project(y, w[5]), x);
    x = sumi_op_convolution(graph, sumi_op_reshape(graph, x, 4, image), w[6], -1, &same);
    sumi_node loss =
        sumi_op_sum(graph, sumi_op_multiply(graph, x, INPUT(N, SIDE, SIDE, 3)), (1u << 4) - 1);
    outputs[0] = x;
    CHECK_OK(context, sumi_graph_gradients(graph, loss, WEIGHTS, w, outputs + 1));
}

static bool takes_bf16(const struct op *op)
{
    return op == &op_matmul || op == &op_linear_whole || op == &op_attention
           || op == &op_attention_gradient;
}

/* Random numbers into the plan's inputs and, as doubles, into values. */
static void fill_inputs(sumi_plan *plan, double **values)
{
    for (sumi_node n = 0; n < graph->count; n++) {
        if (graph_node(graph, n)->op != &op_input) continue;
        int64_t count = shape_count(graph_shape(graph, n));
        float *data = sumi_plan_data(plan, n);
        philox_stream stream = {(uint64_t)n, PURPOSE_DATA, 0};
        philox_normal(&stream, 0, count, data);
        free(values[n]);
        values[n] = malloc((size_t)count * sizeof(double));
        for (int64_t i = 0; i < count; i++) values[n][i] = data[i];
    }
}

/* The difference of norms rather than of elements: roundings are independent of each other. */
static double relative_error(sumi_plan *plan, sumi_node n, const double *expected)
{
    const float *actual = sumi_plan_data(plan, n);
    double difference = 0, size = 0;
    for (int64_t i = 0; i < shape_count(graph_shape(graph, n)); i++) {
        difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
        size += expected[i] * expected[i];
    }
    return sqrt(difference / size);
}

static void products_and_attention_take_what_convolutions_give(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        sumi_weights *weights = NULL;
        sumi_node outputs[OUTPUTS];
        sumi_plan *plans[2] = {NULL};
        sumi_graph_free(graph);
        CHECK_OK(context, sumi_context_set_threads(context, threads));
        CHECK_OK(context, sumi_weights_create(context, 3, &weights));
        CHECK_OK(context, sumi_graph_create(context, weights, true, &graph));
        build(outputs);
        for (int bf16 = 0; bf16 < 2; bf16++) {
            CHECK_OK(context, sumi_graph_set_precision(graph, bf16 ? "bf16" : "float32"));
            CHECK_OK(context, sumi_plan_create(graph, OUTPUTS, outputs, &plans[bf16]));
        }
        int taken = 0;
        for (int32_t i = 0; i < plans[1]->step_count; i++) {
            const struct step *step = &plans[1]->steps[i];
            if (!takes_bf16(step->problem.node->op)) continue;
            for (int k = 0; k < step->problem.node->input_count; k++)
                taken += step->problem.input_elements[k] == SUMI_BFLOAT16;
            if (step->conversion.any) fail_msg("converts around %s", step->problem.node->op->name);
        }
        assert_true(taken > 30);
        double **values = calloc((size_t)graph->count, sizeof *values);
        bool *owned = calloc((size_t)graph->count, sizeof *owned);
        fill_inputs(plans[0], values);
        fill_inputs(plans[1], values);
        const struct run_key key = {.seed = 1, .step = 1};
        CHECK_OK(context, interpret(graph, OUTPUTS, outputs, values, owned, &key));
        for (int bf16 = 0; bf16 < 2; bf16++) {
            CHECK_OK(context, sumi_plan_run(plans[bf16], key.seed, key.step));
            for (int i = 0; i < OUTPUTS; i++) {
                double error = relative_error(plans[bf16], outputs[i], values[outputs[i]]);
                if (!(error < (bf16 ? 3e-2 : 1e-5)))
                    fail_msg("bf16 %d, output %d: %.3g", bf16, i, error);
            }
            sumi_plan_free(plans[bf16]);
        }
        interpret_release(graph, values, owned);
        for (sumi_node n = 0; n < graph->count; n++) free(values[n]);
        free(values);
        free(owned);
        sumi_graph_free(graph);
        graph = NULL;
        sumi_weights_free(weights);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(products_and_attention_take_what_convolutions_give),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

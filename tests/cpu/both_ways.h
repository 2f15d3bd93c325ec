/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a graph by the CPU backend and by the reference kernels in double on the same inputs, and
   compares all outputs. */
#ifndef TESTS_CPU_BOTH_WAYS_H
#define TESTS_CPU_BOTH_WAYS_H

#include "base/philox.h"
#include "check.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"

/* Random numbers into every input of the graph, keyed by its place; of a plan and as doubles. */
static inline void fill_inputs(const sumi_graph *graph, sumi_plan *plan, double **values)
{
    for (sumi_node n = 0; n < graph->count; n++) {
        const struct node *node = graph_node(graph, n);
        if (node->op != &op_input) continue;
        int64_t count = shape_count(&node->shape);
        float *data = sumi_plan_data(plan, n);
        philox_stream stream = {(uint64_t)n, PURPOSE_DATA, 0};
        philox_normal(&stream, 0, count, data);
        values[n] = malloc((size_t)count * sizeof(double));
        for (int64_t i = 0; i < count; i++) values[n][i] = data[i];
    }
}

/* Fails unless output n agrees: error below `tolerance` times the largest reference value. */
static inline void compare_output(const sumi_graph *graph, sumi_plan *plan, sumi_node n,
                                  const double *expected, double tolerance)
{
    int64_t count = shape_count(graph_shape(graph, n));
    const float *actual = sumi_plan_data(plan, n);
    double largest = 0, error = 0;
    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(expected[i]));
        error = fmax(error, fabs(actual[i] - expected[i]));
    }
    if (!(error <= tolerance * fmax(largest, 1e-3))) {
        fail_msg("%s (node %d): error %.3g, largest value %.3g", graph_node(graph, n)->op->name,
                 (int)n, error, largest);
    }
}

/* The run is made twice, to show that nothing is left over from the first. */
static inline void check_both_ways(sumi_graph *graph, int count, const sumi_node *outputs,
                                   double tolerance)
{
    sumi_context *context = graph->context;
    CHECK_OK(context, graph->status);
    sumi_plan *plan = NULL;
    CHECK_OK(context, sumi_plan_create(graph, count, outputs, &plan));
    double **values = calloc((size_t)graph->count, sizeof *values);
    bool *owned = calloc((size_t)graph->count, sizeof *owned);
    fill_inputs(graph, plan, values);
    struct run_key key = {.seed = 5, .step = 2};
    CHECK_OK(context, interpret(graph, count, outputs, values, owned, &key));
    for (int run = 0; run < 2; run++) {
        CHECK_OK(context, sumi_plan_run(plan, key.seed, key.step));
        for (int i = 0; i < count; i++) {
            compare_output(graph, plan, outputs[i], values[outputs[i]], tolerance);
        }
    }
    interpret_release(graph, values, owned);
    for (sumi_node n = 0; n < graph->count; n++) free(values[n]);
    free(values);
    free(owned);
    sumi_plan_free(plan);
}

/* The same for node `y` and the gradients of a random linear function of it by wrt[count]. */
static inline void check_with_gradients(sumi_graph *graph, sumi_node y, int count,
                                        const sumi_node *wrt, double tolerance)
{
    CHECK_OK(graph->context, graph->status);
    struct shape shape = *graph_shape(graph, y);
    sumi_node direction = sumi_graph_input(graph, "direction", shape.rank, shape.size);
    sumi_node product = sumi_op_multiply(graph, y, direction);
    sumi_node loss = sumi_op_sum(graph, product, (1u << shape.rank) - 1);
    sumi_node outputs[16];
    outputs[0] = y;
    CHECK_OK(graph->context, sumi_graph_gradients(graph, loss, count, wrt, outputs + 1));
    check_both_ways(graph, count + 1, outputs, tolerance);
}

#endif

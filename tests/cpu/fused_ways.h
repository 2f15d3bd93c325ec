/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a graph with and without fusion, and by the reference kernels in double, and compares. */
#ifndef TESTS_CPU_FUSED_WAYS_H
#define TESTS_CPU_FUSED_WAYS_H

#include "cpu/both_ways.h"
#include "ops/fusion.h"

/* Makes a plan of the CPU backend, with or without its fusions, and fills the inputs. */
static inline sumi_plan *plan_way(sumi_graph *graph, int count, const sumi_node *outputs,
                                  bool fused, double **values)
{
    static struct backend apart;
    apart = cpu_backend;
    apart.rules = NULL;
    sumi_plan *plan = NULL;
    CHECK_OK(graph->context,
             plan_create(graph, fused ? &cpu_backend : &apart, count, outputs, &plan));
    for (sumi_node n = 0; n < graph->count; n++) {
        free(values[n]);
        values[n] = NULL;
    }
    fill_inputs(graph, plan, values);
    CHECK_OK(graph->context, sumi_plan_run(plan, 5, 2));
    return plan;
}

/* Steps of the two plans that have this op. */
struct fused_steps {
    const struct op *op;
    int apart, fused;
};

/* Fails unless the outputs of both plans agree to `tolerance` of the largest value with each other
   and with the double interpreter, and the plans have the steps[step_count] expected. */
static inline void check_fused(sumi_graph *graph, int count, const sumi_node *outputs,
                               double tolerance, int step_count, const struct fused_steps *steps)
{
    CHECK_OK(graph->context, graph->status);
    size_t size = (size_t)graph->count;
    double **values = calloc(size, sizeof *values);
    bool *owned = calloc(size, sizeof *owned);
    sumi_plan *apart = plan_way(graph, count, outputs, false, values);
    sumi_plan *fused = plan_way(graph, count, outputs, true, values);
    for (int i = 0; i < step_count; i++) {
        const char *name = steps[i].op ? steps[i].op->name : "all";
        if (plan_steps(apart, steps[i].op) == steps[i].apart
            && plan_steps(fused, steps[i].op) == steps[i].fused) {
            continue;
        }
        fail_msg("%s: %d steps apart and %d fused, expected %d and %d", name,
                 (int)plan_steps(apart, steps[i].op), (int)plan_steps(fused, steps[i].op),
                 steps[i].apart, steps[i].fused);
    }
    struct run_key key = {.seed = 5, .step = 2};
    CHECK_OK(graph->context, interpret(graph, count, outputs, values, owned, &key));
    for (int i = 0; i < count; i++) {
        sumi_node n = outputs[i];
        int64_t elements = shape_count(graph_shape(graph, n));
        compare_output(graph, apart, n, values[n], tolerance);
        compare_output(graph, fused, n, values[n], tolerance);
        for (int64_t k = 0; k < elements; k++) values[n][k] = sumi_plan_data(apart, n)[k];
        compare_output(graph, fused, n, values[n], 2e-6);
    }
    interpret_release(graph, values, owned);
    for (sumi_node n = 0; n < graph->count; n++) free(values[n]);
    free(values);
    free(owned);
    sumi_plan_free(apart);
    sumi_plan_free(fused);
}

#endif

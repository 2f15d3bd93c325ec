/* SPDX-License-Identifier: Apache-2.0 */
/* Any op by its reference kernel: inputs widened to double, the result rounded to float32. This is
   slow, but every op runs without a kernel of its own. */
#include "cpu/cpu.h"

static sumi_status prepare(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    int64_t count = shape_count(&problem->node->shape);
    for (int i = 0; i < problem->node->input_count; i++) count += shape_count(problem->inputs[i]);
    *scratch = (size_t)count * sizeof(double);
    return SUMI_OK;
}

static void widen(sumi_element element, int64_t count, const float *values, double *wide)
{
    if (element == SUMI_INT32) {
        const int32_t *integers = (const void *)values;
        for (int64_t k = 0; k < count; k++) wide[k] = integers[k];
    } else {
        for (int64_t k = 0; k < count; k++) wide[k] = values[k];
    }
}

static sumi_status run(const struct call *call)
{
    const struct problem *problem = call->problem;
    const double *inputs[MAX_INPUTS] = {0};
    double *next = call->scratch;
    for (int i = 0; i < problem->node->input_count; i++) {
        int64_t count = shape_count(problem->inputs[i]);
        widen(problem->input_elements[i], count, call->inputs[i], next);
        inputs[i] = next;
        next += count;
    }
    problem->node->op->reference(problem->graph, problem->node, inputs, next, &call->key);
    int64_t count = shape_count(&problem->node->shape);
    for (int64_t k = 0; k < count; k++) call->output[k] = (float)next[k];
    return SUMI_OK;
}

const struct kernel kernel_fallback = {.prepare = prepare, .run = run};

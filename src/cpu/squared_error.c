/* SPDX-License-Identifier: Apache-2.0 */
/* The squared error of each item and its gradient, in one pass over prediction and target. */
#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"

enum { ELEMENTS_IN_FLOAT = 4096 };

/* Shared among a team. */
static void pass_items(const struct call *call, int64_t items, int64_t size)
{
    const struct loops *loops = loops_select();
    const float *coefficients = call->problem->node->input_count > 2 ? call->inputs[2] : NULL;
    float *losses = call->output + items * size;
#pragma omp for schedule(static)
    for (int64_t item = 0; item < items; item++) {
        double total = 0, c = coefficients ? coefficients[item] : 1.0 / (double)items;
        for (int64_t at = item * size; at < (item + 1) * size; at += ELEMENTS_IN_FLOAT) {
            int64_t left = (item + 1) * size - at;
            total += loops->squared_error(left < ELEMENTS_IN_FLOAT ? left : ELEMENTS_IN_FLOAT,
                                          call->inputs[0] + at, call->inputs[1] + at,
                                          (float)(2 * c / (double)size), call->output + at);
        }
        losses[item] = (float)(total / (double)size);
    }
}

static sumi_status run(const struct call *call)
{
    const struct shape *x = call->problem->inputs[0];
    int64_t items = x->size[0], size = shape_count(x) / items;
    int threads = worthwhile_threads(call->problem->threads, 4 * items * size);
    BY_TEAM(threads, pass_items(call, items, size));
    const float *coefficients = call->problem->node->input_count > 2 ? call->inputs[2] : NULL;
    const float *losses = call->output + items * size;
    double total = 0;
    for (int64_t i = 0; i < items; i++) {
        total += (coefficients ? coefficients[i] : 1.0 / (double)items) * losses[i];
    }
    call->output[items * size + items] = (float)total;
    return SUMI_OK;
}

const struct kernel kernel_squared_error = {.run = run};

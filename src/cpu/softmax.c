/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax over the last axis. */
#include <string.h>

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"

/* Shared among a team. */
static void softmax_rows(const struct call *call, int64_t rows, int64_t n)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        float *out = call->output + row * n;
        memcpy(out, call->inputs[0] + row * n, (size_t)n * sizeof *out);
        loops->softmax(n, 1, out);
    }
}

static sumi_status run_softmax(const struct call *call)
{
    const struct shape *shape = &call->problem->node->shape;
    int64_t n = shape->size[shape->rank - 1], rows = shape_count(shape) / n;
    int threads = worthwhile_threads(call->problem->threads, 4 * rows * n);
    BY_TEAM(threads, softmax_rows(call, rows, n));
    return SUMI_OK;
}

const struct kernel kernel_softmax = {.run = run_softmax};

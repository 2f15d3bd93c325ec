/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a table by number. */
#include "ops/gather.h"

#include <string.h>

#include "cpu/cpu.h"

/* The row of index i. */
static int64_t row_at(const struct call *call, int64_t i, int64_t rows)
{
    const void *indices = call->inputs[GATHER_INDICES];
    bool integers = call->problem->input_elements[GATHER_INDICES] == SUMI_INT32;
    double index = integers ? ((const int32_t *)indices)[i] : ((const float *)indices)[i];
    return gather_row(index, rows);
}

static sumi_status run(const struct call *call)
{
    const struct shape *y = &call->problem->node->shape;
    int64_t rows = call->problem->inputs[0]->size[0], width = y->size[1];
    sumi_element element = call->problem->input_elements[0];
    size_t row = (size_t)width * element_size(element);
    for (int64_t i = 0; i < y->size[0]; i++) {
        const char *from = (const char *)call->inputs[0] + (size_t)row_at(call, i, rows) * row;
        float *to = call->output + i * width;
        if (element == SUMI_FLOAT32) memcpy(to, from, row);
        else widen_floats(1, element, width, from, to);
    }
    return SUMI_OK;
}

static unsigned bf16_table(const struct problem *problem)
{
    return bf16_together(problem, BF16_INPUT(0));
}

const struct kernel kernel_gather = {.run = run, .bf16 = bf16_table, .f16 = BF16_INPUT(0)};

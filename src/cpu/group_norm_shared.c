/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernels of group normalisation share; see group_norm.h. */
#include <string.h>

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/group_norm.h"

enum { ROWS_IN_FLOAT = 64 };

struct norm_pass norm_measure(const struct problem *problem, int x, int second)
{
    const struct shape *shape = problem->inputs[x];
    const struct attributes *attributes = &problem->node->attributes;
    int64_t first = shape->size[shape->rank - 1], more = 0;
    if (second) more = problem->inputs[second]->size[shape->rank - 1];
    struct norm_pass pass = {.items = shape->size[0],
                             .rows = shape_span(shape, 1, shape->rank - 1),
                             .c = first + more,
                             .groups = attributes->norm.groups,
                             .silu = attributes->norm.silu,
                             .epsilon = attributes->norm.epsilon,
                             .bf16 = problem->input_elements[x] == SUMI_BFLOAT16,
                             .loops = loops_select(),
                             .arrays = {{NULL, 0, first}, {NULL, first, more}},
                             .array_count = second ? 2 : 1};
    pass.threads = worthwhile_threads(problem->threads, pass.items * pass.rows * pass.c * 2);
    pass.parts = pass.items >= pass.threads ? 1 : pass.threads;
    if (pass.parts > pass.rows) pass.parts = (int)pass.rows;
    return pass;
}

static size_t cells(const struct norm_pass *pass)
{
    return (size_t)(pass->items * pass->parts * 2 * pass->c);
}

size_t norm_scratch(const struct norm_pass *pass)
{
    size_t tables = (size_t)(pass->items * COEFFICIENTS * pass->c) * sizeof(float);
    return cells(pass) * (sizeof(double) + sizeof(float)) + tables;
}

void norm_divide_scratch(struct norm_pass *pass, void *scratch)
{
    pass->partial = scratch;
    pass->blocks = (float *)(pass->partial + cells(pass));
    pass->tables = pass->blocks + cells(pass);
}

void norm_take_inputs(struct norm_pass *pass, const struct call *call, int x, int moments,
                      int second)
{
    const struct shape *const *shapes = call->problem->inputs;
    pass->arrays[0].x = call->inputs[x];
    if (second) pass->arrays[1].x = call->inputs[second];
    pass->moments = (float *)call->inputs[moments];
    pass->scale = call->inputs[moments + 1];
    pass->shift = call->inputs[moments + 2];
    pass->scale_by_item = shapes[moments + 1]->rank == 2;
    pass->shift_by_item = shapes[moments + 2]->rank == 2;
}

/* Shared among a team: all steps of an item one after the other. */
static void run_items(const struct norm_pass *pass, int count, const struct norm_step *steps)
{
#pragma omp for schedule(static)
    for (int64_t item = 0; item < pass->items; item++) {
        for (int i = 0; i < count; i++) steps[i].run(pass, item, 0);
    }
}

/* Shared among a team: one step of all parts of all items. */
static void run_parts(const struct norm_pass *pass, const struct norm_step *step, int parts)
{
#pragma omp for schedule(static)
    for (int64_t task = 0; task < pass->items * parts; task++) {
        step->run(pass, task / parts, (int)(task % parts));
    }
}

void norm_run(const struct norm_pass *pass, int count, const struct norm_step *steps)
{
    if (pass->parts == 1) {
        BY_TEAM(pass->threads, run_items(pass, count, steps));
        return;
    }
    for (int i = 0; i < count; i++) {
        int parts = steps[i].by_part ? pass->parts : 1;
        BY_TEAM(parts > 1 ? pass->threads : 1, run_parts(pass, &steps[i], parts));
    }
}

int64_t norm_part_start(const struct norm_pass *pass, int part)
{
    return pass->rows * part / pass->parts;
}

void norm_sum_part(const struct norm_pass *pass, int64_t item, int part, norm_add add)
{
    int64_t width = 2 * pass->c, task = item * pass->parts + part;
    double *totals = pass->partial + task * width;
    float *block = pass->blocks + task * width;
    int64_t end = norm_part_start(pass, part + 1);
    memset(totals, 0, (size_t)width * sizeof *totals);
    for (int64_t row = norm_part_start(pass, part); row < end; row += ROWS_IN_FLOAT) {
        int64_t count = end - row < ROWS_IN_FLOAT ? end - row : ROWS_IN_FLOAT;
        memset(block, 0, (size_t)width * sizeof *block);
        add(pass, item, row, count, block);
        for (int64_t i = 0; i < width; i++) totals[i] += block[i];
    }
}

const double *norm_fold(const struct norm_pass *pass, int64_t item)
{
    int64_t width = 2 * pass->c;
    double *totals = pass->partial + item * pass->parts * width;
    for (int part = 1; part < pass->parts; part++) {
        for (int64_t i = 0; i < width; i++) totals[i] += totals[part * width + i];
    }
    return totals;
}

struct norm_coefficients norm_coefficients_at(const struct norm_pass *pass, int64_t item,
                                              int64_t first)
{
    int64_t c = pass->c;
    const float *table = pass->tables + item * COEFFICIENTS * c + first;
    return (struct norm_coefficients){.slope = table,
                                      .offset = table + c,
                                      .mean = table + 2 * c,
                                      .inverse = table + 3 * c,
                                      .of_gradient = table + 4 * c,
                                      .constant = table + 5 * c,
                                      .of_x = table + 6 * c};
}

void norm_fill_coefficients(const struct norm_pass *pass, int64_t item, int part)
{
    (void)part;
    int64_t c = pass->c, width = c / pass->groups;
    const float *scale = pass->scale + (pass->scale_by_item ? item * c : 0);
    const float *shift = pass->shift + (pass->shift_by_item ? item * c : 0);
    float *table = pass->tables + item * COEFFICIENTS * c;
    for (int64_t i = 0; i < c; i++) {
        const float *moment = pass->moments + (item * pass->groups + i / width) * 2;
        float slope = moment[1] * scale[i];
        table[i] = slope;
        table[c + i] = shift[i] - moment[0] * slope;
        table[2 * c + i] = moment[0];
        table[3 * c + i] = moment[1];
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Layer normalisation and its gradients: rows are shared among threads, an item's sums over its
   rows are taken in parts, each in blocks of few rows in float32 and then in double. */
#include "ops/layer_norm.h"

#include <string.h>

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/transformer.h"

enum { BLOCK_ROWS = 64 };

/* A pass over x[items, rows, d]; NULL pointers are skipped. */
struct row_pass {
    int64_t items, rows, d;
    struct layer_norm_rows rule;
    int64_t scale_step, shift_step; /* from item to item: 0 or d */
    const char *x, *dy;
    char *out;
    float *sums; /* [2, items, d] */
    int parts, threads;
    double *totals; /* of each part of each item, [2, d] */
    float *block;
};

static struct row_pass measure(const struct problem *problem)
{
    const struct shape *shape = problem->inputs[LAYER_NORM_X];
    const struct attributes *attributes = &problem->node->attributes;
    struct row_pass pass = {.items = shape->rank > 1 ? shape->size[0] : 1,
                            .rows = shape->rank > 1 ? shape_span(shape, 1, shape->rank - 1) : 1,
                            .d = shape->size[shape->rank - 1]};
    pass.rule =
        (struct layer_norm_rows){.bf16 = problem->input_elements[LAYER_NORM_X] == SUMI_BFLOAT16,
                                 .rms = attributes->layer_norm.rms,
                                 .d = pass.d,
                                 .epsilon = (float)attributes->layer_norm.epsilon};
    pass.threads = worthwhile_threads(problem->threads, pass.items * pass.rows * pass.d * 4);
    pass.parts = pass.items >= pass.threads ? 1 : pass.threads;
    if (pass.parts > pass.rows) pass.parts = (int)pass.rows;
    return pass;
}

static const char *place(const struct row_pass *pass, const char *data, int64_t row)
{
    return data + row * pass->d * (int64_t)(pass->rule.bf16 ? sizeof(bfloat16) : sizeof(float));
}

/* Rows first to before end of an item, for which the rule's scale and shift were set. */
static void run_rows(const struct row_pass *pass, const struct layer_norm_rows *rule, int64_t first,
                     int64_t end, float *sums)
{
    const struct transformer_loops *loops = transformer_loops_select();
    const char *x = place(pass, pass->x, first);
    char *out = pass->out ? (char *)place(pass, pass->out, first) : NULL;
    if (!pass->dy) loops->layer_norm(rule, end - first, x, out);
    else loops->layer_norm_gradient(rule, end - first, x, place(pass, pass->dy, first), out, sums);
}

/* Sums over a part of an item's rows, and computes the results of these rows. */
static void run_summed(const struct row_pass *pass, const struct layer_norm_rows *rule,
                       int64_t task, int64_t first, int64_t end)
{
    const int64_t width = 2 * pass->d;
    double *totals = pass->totals + task * width;
    float *block = pass->block + task * width;
    memset(totals, 0, (size_t)width * sizeof *totals);
    for (int64_t row = first; row < end; row += BLOCK_ROWS) {
        memset(block, 0, (size_t)width * sizeof *block);
        run_rows(pass, rule, row, row + BLOCK_ROWS < end ? row + BLOCK_ROWS : end, block);
        for (int64_t i = 0; i < width; i++) totals[i] += block[i];
    }
}

/* Shared among a team. */
static void run_tasks(const struct row_pass *pass)
{
#pragma omp for schedule(static)
    for (int64_t task = 0; task < pass->items * pass->parts; task++) {
        int64_t item = task / pass->parts, part = task % pass->parts;
        int64_t first = item * pass->rows + pass->rows * part / pass->parts;
        int64_t end = item * pass->rows + pass->rows * (part + 1) / pass->parts;
        struct layer_norm_rows rule = pass->rule;
        if (rule.scale) rule.scale += item * pass->scale_step;
        if (rule.shift) rule.shift += item * pass->shift_step;
        if (pass->sums) run_summed(pass, &rule, task, first, end);
        else run_rows(pass, &rule, first, end, NULL);
    }
    if (!pass->sums) return;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < pass->items * 2 * pass->d; i++) {
        int64_t item = i / pass->d % pass->items, at = i / pass->d / pass->items * pass->d;
        const double *totals = pass->totals + item * pass->parts * 2 * pass->d + at + i % pass->d;
        double total = 0;
        for (int part = 0; part < pass->parts; part++) total += totals[part * 2 * pass->d];
        pass->sums[i] = (float)total;
    }
}

static void take_parameter(const struct call *call, int input, const float **data, int64_t *step)
{
    if (call->problem->node->input_count <= input) return;
    const struct shape *shape = call->problem->inputs[input];
    *data = call->inputs[input];
    *step = shape->rank == 2 ? shape->size[1] : 0;
}

static sumi_status run_forward(const struct call *call)
{
    struct row_pass pass = measure(call->problem);
    take_parameter(call, LAYER_NORM_SCALE, &pass.rule.scale, &pass.scale_step);
    take_parameter(call, LAYER_NORM_SHIFT, &pass.rule.shift, &pass.shift_step);
    pass.x = (const char *)call->inputs[LAYER_NORM_X];
    pass.out = (char *)call->output;
    BY_TEAM(pass.threads, run_tasks(&pass));
    return SUMI_OK;
}

static bool gives_sums(const struct node *node)
{
    return node->op == &op_layer_norm_sums || node->input_count > LAYER_NORM_GRADIENT_SUMS;
}

static sumi_status prepare_gradient(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct row_pass pass = measure(problem);
    size_t cells = (size_t)(pass.items * pass.parts * 2 * pass.d);
    if (gives_sums(problem->node)) *scratch = cells * (sizeof(double) + sizeof(float));
    return SUMI_OK;
}

static sumi_status run_gradient(const struct call *call)
{
    struct row_pass pass = measure(call->problem);
    const struct node *node = call->problem->node;
    const bool only_sums = node->op == &op_layer_norm_sums;
    pass.x = (const char *)call->inputs[LAYER_NORM_X];
    pass.dy = (const char *)call->inputs[LAYER_NORM_UPSTREAM];
    if (!only_sums) {
        take_parameter(call, LAYER_NORM_GRADIENT_SCALE, &pass.rule.scale, &pass.scale_step);
        pass.out = (char *)call->output;
    }
    if (gives_sums(node)) {
        pass.sums = only_sums ? call->output : (float *)call->inputs[LAYER_NORM_GRADIENT_SUMS];
        pass.totals = call->scratch;
        pass.block = (float *)(pass.totals + pass.items * pass.parts * 2 * pass.d);
    }
    BY_TEAM(pass.threads, run_tasks(&pass));
    return SUMI_OK;
}

static unsigned bf16_forward(const struct problem *problem)
{
    return bf16_together(problem, BF16_INPUT(LAYER_NORM_X) | BF16_OUTPUT);
}

static unsigned bf16_gradient(const struct problem *problem)
{
    unsigned result = problem->node->op == &op_layer_norm_sums ? 0 : BF16_OUTPUT;
    return bf16_together(problem,
                         BF16_INPUT(LAYER_NORM_X) | BF16_INPUT(LAYER_NORM_UPSTREAM) | result);
}

const struct kernel kernel_layer_norm = {.run = run_forward, .bf16 = bf16_forward};
const struct kernel kernel_layer_norm_gradient = {
    .prepare = prepare_gradient, .run = run_gradient, .bf16 = bf16_gradient};

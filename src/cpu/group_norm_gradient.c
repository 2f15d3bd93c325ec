/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of group normalisation: the sums that it and the weights need, the gradient by x
   from given sums, and both in one go. The first pass stores d = upstream act'(z) in the memory of
   the result, so that the second does not compute the activation again. */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/group_norm.h"
#include "ops/group_norm.h"
#include "ops/ops.h"

/* Rows of array i of the gradient by x. */
static void *gradient_rows(const struct norm_pass *pass, int i, int64_t item, int64_t row)
{
    return norm_place(pass, pass->gradients[i], (item * pass->rows + row) * pass->arrays[i].c);
}

static void add_norm_sums(const struct norm_pass *pass, int64_t item, int64_t row, int64_t count,
                          float *block)
{
    int64_t at = item * pass->rows + row;
    for (int i = 0; i < pass->array_count; i++) {
        const struct norm_channels *array = &pass->arrays[i];
        struct norm_coefficients k = norm_coefficients_at(pass, item, array->first);
        void *d = pass->gradients[i] ? gradient_rows(pass, i, item, row) : NULL;
        pass->loops->norm_sums(
            pass->bf16, count, array->c, norm_place(pass, array->x, at * array->c),
            norm_place(pass, pass->upstream, at * pass->c + array->first), pass->c, &k, pass->silu,
            block + array->first, block + pass->c + array->first, d);
    }
}

static void sum_gradient(const struct norm_pass *pass, int64_t item, int part)
{
    norm_sum_part(pass, item, part, add_norm_sums);
}

static void fill_sums(const struct norm_pass *pass, int64_t item, int part)
{
    (void)part;
    const double *totals = norm_fold(pass, item);
    for (int64_t i = 0; i < pass->c; i++) {
        pass->sums[item * pass->c + i] = (float)totals[i];
        pass->sums[(pass->items + item) * pass->c + i] = (float)totals[pass->c + i];
    }
}

/* With m elements in a group, G1 = sum of scale S0 and G2 = sum of scale S1 over its channels,
   dx = inverse (scale d - (G1 + xhat G2) / m), written as a linear function of d and x. */
static void fill_gradient_coefficients(const struct norm_pass *pass, int64_t item, int part)
{
    (void)part;
    int64_t c = pass->c, width = c / pass->groups;
    const float *scale = pass->scale + (pass->scale_by_item ? item * c : 0);
    const float *sum = pass->sums + item * c, *product = sum + pass->items * c;
    float *table = pass->tables + item * COEFFICIENTS * c;
    double m = (double)(pass->rows * width);
    for (int64_t g = 0; g < pass->groups; g++) {
        double g1 = 0, g2 = 0;
        for (int64_t i = g * width; i < (g + 1) * width; i++) {
            g1 += (double)scale[i] * sum[i];
            g2 += (double)scale[i] * product[i];
        }
        for (int64_t i = g * width; i < (g + 1) * width; i++) {
            double mean = table[2 * c + i], inverse = table[3 * c + i];
            table[4 * c + i] = table[i];
            table[5 * c + i] = (float)(-inverse / m * (g1 - g2 * inverse * mean));
            table[6 * c + i] = (float)(-inverse / m * g2 * inverse);
        }
    }
}

/* Computes the gradient from d in place, and sums the channels of the first array if requested. */
static void add_columns(const struct norm_pass *pass, int64_t item, int64_t row, int64_t count,
                        float *block)
{
    int64_t at = (item * pass->rows + row) * pass->c;
    for (int i = 0; i < pass->array_count; i++) {
        const struct norm_channels *array = &pass->arrays[i];
        struct norm_coefficients k = norm_coefficients_at(pass, item, array->first);
        const void *x = norm_place(pass, array->x, (item * pass->rows + row) * array->c);
        const void *residual = pass->residual;
        if (residual) residual = norm_place(pass, residual, at + array->first);
        float *columns = pass->columns && i == 0 ? block : NULL;
        pass->loops->norm_gradient(pass->bf16, count, array->c, x, &k, residual, pass->c, columns,
                                   gradient_rows(pass, i, item, row));
    }
}

static void finish_gradient(const struct norm_pass *pass, int64_t item, int part)
{
    norm_sum_part(pass, item, part, add_columns);
}

static void fill_columns(const struct norm_pass *pass, int64_t item, int part)
{
    (void)part;
    if (!pass->columns) return;
    const double *totals = norm_fold(pass, item);
    int64_t c = pass->arrays[0].c;
    for (int64_t i = 0; i < c; i++) pass->columns[item * c + i] = (float)totals[i];
}

/* ---- the two halves: inputs x, moments, scale, shift, upstream (, sums) ---- */

static sumi_status prepare_half(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct norm_pass pass = norm_measure(problem, 0, 0);
    *scratch = norm_scratch(&pass);
    return SUMI_OK;
}

static struct norm_pass begin_half(const struct call *call)
{
    struct norm_pass pass = norm_measure(call->problem, 0, 0);
    norm_divide_scratch(&pass, call->scratch);
    norm_take_inputs(&pass, call, 0, 1, 0);
    pass.upstream = call->inputs[4];
    return pass;
}

static sumi_status run_sums(const struct call *call)
{
    static const struct norm_step steps[] = {
        {norm_fill_coefficients, false}, {sum_gradient, true}, {fill_sums, false}};
    struct norm_pass pass = begin_half(call);
    pass.sums = call->output;
    norm_run(&pass, 3, steps);
    return SUMI_OK;
}

static unsigned bf16_sums(const struct problem *problem)
{
    return bf16_together(problem, BF16_INPUT(0) | BF16_INPUT(4));
}

const struct kernel kernel_group_norm_sums = {
    .prepare = prepare_half, .run = run_sums, .bf16 = bf16_sums};

static sumi_status run_data_gradient(const struct call *call)
{
    static const struct norm_step steps[] = {{norm_fill_coefficients, false},
                                             {sum_gradient, true},
                                             {fill_gradient_coefficients, false},
                                             {finish_gradient, true}};
    struct norm_pass pass = begin_half(call);
    pass.sums = (float *)call->inputs[5];
    pass.gradients[0] = call->output;
    norm_run(&pass, 4, steps);
    return SUMI_OK;
}

static unsigned bf16_data_gradient(const struct problem *problem)
{
    return bf16_together(problem, BF16_INPUT(0) | BF16_INPUT(4) | BF16_OUTPUT);
}

const struct kernel kernel_group_norm_data_gradient = {
    .prepare = prepare_half, .run = run_data_gradient, .bf16 = bf16_data_gradient};

/* ---- both in one go ---- */

static sumi_status prepare_backward(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    int second = group_norm_backward_input(problem->node, BACKWARD_SECOND);
    struct norm_pass pass = norm_measure(problem, BACKWARD_X, second);
    *scratch = norm_scratch(&pass);
    return SUMI_OK;
}

static sumi_status run_backward(const struct call *call)
{
    static const struct norm_step steps[] = {
        {norm_fill_coefficients, false},     {sum_gradient, true},    {fill_sums, false},
        {fill_gradient_coefficients, false}, {finish_gradient, true}, {fill_columns, false}};
    const struct node *node = call->problem->node;
    int second = group_norm_backward_input(node, BACKWARD_SECOND);
    int residual = group_norm_backward_input(node, BACKWARD_RESIDUAL);
    int columns = group_norm_backward_input(node, BACKWARD_COLUMNS);
    struct norm_pass pass = norm_measure(call->problem, BACKWARD_X, second);
    norm_divide_scratch(&pass, call->scratch);
    norm_take_inputs(&pass, call, BACKWARD_X, BACKWARD_MOMENTS, second);
    pass.upstream = call->inputs[BACKWARD_UPSTREAM];
    pass.sums = (float *)call->inputs[BACKWARD_SUMS];
    pass.gradients[0] = call->output;
    if (second) pass.gradients[1] = (float *)call->inputs[second + 1];
    if (residual) pass.residual = call->inputs[residual];
    if (columns) pass.columns = (float *)call->inputs[columns];
    norm_run(&pass, 6, steps);
    return SUMI_OK;
}

static unsigned bf16_backward(const struct problem *problem)
{
    int second = group_norm_backward_input(problem->node, BACKWARD_SECOND);
    int residual = group_norm_backward_input(problem->node, BACKWARD_RESIDUAL);
    unsigned arrays = BF16_INPUT(BACKWARD_X) | BF16_INPUT(BACKWARD_UPSTREAM) | BF16_OUTPUT;
    if (second) arrays |= BF16_INPUT(second) | BF16_INPUT(second + 1);
    if (residual) arrays |= BF16_INPUT(residual);
    return bf16_together(problem, arrays);
}

const struct kernel kernel_group_norm_backward = {
    .prepare = prepare_backward, .run = run_backward, .bf16 = bf16_backward};

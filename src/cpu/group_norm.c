/* SPDX-License-Identifier: Apache-2.0 */
/* Group normalisation with an optional SiLU, forward: moments, the norm from given moments, and
   both in one go. */
#include "cpu/group_norm.h"

#include <math.h>

#include "cpu/cpu.h"
#include "ops/ops.h"

/* Sums are of differences from the item's first row, so that a large mean does not reduce the
   accuracy. */
static void add_moments(const struct norm_pass *pass, int64_t item, int64_t row, int64_t count,
                        float *block)
{
    for (int i = 0; i < pass->array_count; i++) {
        const struct norm_channels *array = &pass->arrays[i];
        int64_t start = item * pass->rows;
        pass->loops->moments(pass->bf16, count, array->c,
                             norm_place(pass, array->x, (start + row) * array->c),
                             norm_place(pass, array->x, start * array->c), block + array->first,
                             block + pass->c + array->first);
    }
}

static void sum_moments(const struct norm_pass *pass, int64_t item, int part)
{
    norm_sum_part(pass, item, part, add_moments);
}

/* The first row's element of a channel. */
static double centre_of(const struct norm_pass *pass, int64_t item, int64_t channel)
{
    const struct norm_channels *array =
        &pass->arrays[channel >= pass->arrays[1].first && pass->array_count == 2];
    const void *x =
        norm_place(pass, array->x, item * pass->rows * array->c + channel - array->first);
    return pass->bf16 ? bfloat16_to_float(*(const bfloat16 *)x) : *(const float *)x;
}

static void fill_moments(const struct norm_pass *pass, int64_t item, int part)
{
    (void)part;
    const double *first = norm_fold(pass, item), *second = first + pass->c;
    double rows = (double)pass->rows;
    int64_t width = pass->c / pass->groups;
    for (int64_t g = 0; g < pass->groups; g++) {
        double mean = 0, square = 0, count = rows * (double)width;
        for (int64_t i = g * width; i < (g + 1) * width; i++) {
            mean += (first[i] + rows * centre_of(pass, item, i)) / count;
        }
        for (int64_t i = g * width; i < (g + 1) * width; i++) {
            double d = centre_of(pass, item, i) - mean; /* x - mean = (x - centre) + d */
            square += second[i] + 2 * d * first[i] + rows * d * d;
        }
        double variance = square / count;
        float *out = pass->moments + (item * pass->groups + g) * 2;
        out[0] = (float)mean;
        out[1] = (float)(1 / sqrt((variance > 0 ? variance : 0) + pass->epsilon));
    }
}

static void normalize(const struct norm_pass *pass, int64_t item, int part)
{
    int64_t row = norm_part_start(pass, part), count = norm_part_start(pass, part + 1) - row;
    int64_t at = item * pass->rows + row;
    for (int i = 0; i < pass->array_count; i++) {
        const struct norm_channels *array = &pass->arrays[i];
        struct norm_coefficients k = norm_coefficients_at(pass, item, array->first);
        pass->loops->norm(pass->bf16, count, array->c, norm_place(pass, array->x, at * array->c),
                          &k, pass->silu, norm_place(pass, pass->out, at * pass->c + array->first),
                          pass->c);
    }
}

static const struct norm_step STEPS[] = {
    {sum_moments, true}, {fill_moments, false}, {norm_fill_coefficients, false}, {normalize, true}};

/* Number of the input that is x's second array; 0 for none. */
static int second_array(const struct problem *problem)
{
    return problem->node->op == &op_group_norm_whole && problem->node->input_count == 5 ? 4 : 0;
}

static sumi_status prepare(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct norm_pass pass = norm_measure(problem, 0, second_array(problem));
    *scratch = norm_scratch(&pass);
    return SUMI_OK;
}

static sumi_status run_moments(const struct call *call)
{
    struct norm_pass pass = norm_measure(call->problem, 0, 0);
    norm_divide_scratch(&pass, call->scratch);
    pass.arrays[0].x = call->inputs[0];
    pass.moments = call->output;
    norm_run(&pass, 2, STEPS);
    return SUMI_OK;
}

static struct norm_pass begin_norm(const struct call *call)
{
    int second = second_array(call->problem);
    struct norm_pass pass = norm_measure(call->problem, 0, second);
    norm_divide_scratch(&pass, call->scratch);
    norm_take_inputs(&pass, call, 0, 1, second);
    pass.out = call->output;
    return pass;
}

static sumi_status run_norm(const struct call *call)
{
    struct norm_pass pass = begin_norm(call);
    norm_run(&pass, 2, STEPS + 2);
    return SUMI_OK;
}

static sumi_status run_whole(const struct call *call)
{
    struct norm_pass pass = begin_norm(call);
    norm_run(&pass, 4, STEPS);
    return SUMI_OK;
}

static unsigned bf16_moments(const struct problem *problem)
{
    return bf16_together(problem, BF16_INPUT(0));
}

static unsigned bf16_norm(const struct problem *problem)
{
    int second = second_array(problem);
    unsigned arrays = BF16_INPUT(0) | (second ? BF16_INPUT(second) : 0);
    return bf16_together(problem, arrays | BF16_OUTPUT);
}

const struct kernel kernel_group_moments = {
    .prepare = prepare, .run = run_moments, .bf16 = bf16_moments};
const struct kernel kernel_group_norm = {.prepare = prepare, .run = run_norm, .bf16 = bf16_norm};
const struct kernel kernel_group_norm_whole = {
    .prepare = prepare, .run = run_whole, .bf16 = bf16_norm};

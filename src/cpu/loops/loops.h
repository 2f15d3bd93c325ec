/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops, compiled once for each instruction set; loops_select gives the best set that
   this processor runs. All arrays are float32; `n` counts elements. */
#ifndef SUMI_CPU_LOOPS_LOOPS_H
#define SUMI_CPU_LOOPS_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bfloat16.h"
#include "base/float16.h"
#include "base/philox.h"
#include "graph/backend.h"

/* Coefficients of a normalisation of one item, each [c]. */
struct norm_coefficients {
    const float *slope, *offset;                /* before the activation: slope x + offset */
    const float *mean, *inverse;                /* (x - mean) inverse is the normalised x */
    const float *of_gradient, *constant, *of_x; /* dx = of_gradient d + constant + of_x x */
};

/* A query's softmax: its weights are exp(scale x - largest) inverse. */
struct softmax_row {
    float scale, largest, inverse, mean; /* mean of the slopes by its weights */
};

struct loops {
    /* out = a op b; a step of 0 repeats the operand's first element. */
    void (*add)(int64_t n, const float *a, int step_a, const float *b, int step_b, float *out);
    void (*subtract)(int64_t n, const float *a, int step_a, const float *b, int step_b, float *out);
    void (*multiply)(int64_t n, const float *a, int step_a, const float *b, int step_b, float *out);
    void (*divide)(int64_t n, const float *a, int step_a, const float *b, int step_b, float *out);
    void (*affine)(int64_t n, const float *x, float scale, float shift, float *out);
    void (*exp)(int64_t n, const float *x, float *out);
    void (*sigmoid)(int64_t n, const float *x, float *out);
    void (*silu)(int64_t n, const float *x, float *out);
    void (*tanh)(int64_t n, const float *x, float *out);
    void (*relu)(int64_t n, const float *x, float *out);
    void (*step)(int64_t n, const float *x, float *out);
    /* sums[c] += the rows of x[rows, c] */
    void (*sum_rows)(int64_t rows, int64_t c, const float *x, float *sums);
    float (*sum)(int64_t n, const float *x);
    float (*dot)(int64_t n, const float *x, const float *y);
    /* x[n] to softmax in place, scaled first */
    void (*softmax)(int64_t n, float scale, float *x);
    /* x[n] to exp(scale x - largest) in place, where *largest is first raised to scale x and
     *total, the sum of what came before, corrected for that by the factor returned and added to
     */
    float (*soften)(int64_t n, float scale, float *x, float *largest, float *total);
    /* x = scale x + bias, but not below HIDDEN_SCORE (ops/attention.h) */
    void (*bias_scores)(int64_t n, float scale, const float *bias, float *x);
    /* x[n] to weights p, slopes[n] to scale p (slope - mean) */
    void (*attention_slopes)(int64_t n, const struct softmax_row *row, float *x, float *slopes);
    /* takes the sum of slopes[n] away from them in proportion to the weights, which sum to 1 */
    void (*balance)(int64_t n, const float *weights, float *slopes);
    /* Elements first .. first + n - 1 of the stream's uniform numbers, as philox_uniform. */
    void (*uniform)(int64_t n, const philox_stream *stream, uint64_t first, float *out);
    /* Of normalisation. Arrays of the size of x, `const void *` or `void *`, are bfloat16 where
       `bf16`; all the others, and the arithmetic, are float32. */
    /* first[c] += (x - shift), second[c] += (x - shift)^2 over the rows of x[rows, c]; shift[c] is
       a row of the same array */
    void (*moments)(bool bf16, int64_t rows, int64_t c, const void *x, const void *shift,
                    float *first, float *second);
    /* out = act(slope x + offset); the rows of out are `step` apart */
    void (*norm)(bool bf16, int64_t rows, int64_t c, const void *x,
                 const struct norm_coefficients *k, bool silu, void *out, int64_t step);
    /* d = upstream act'(slope x + offset), of which d[rows, c] is left where that is not NULL;
       first[c] += d, second[c] += d * normalised x. The rows of upstream are `step` apart. */
    void (*norm_sums)(bool bf16, int64_t rows, int64_t c, const void *x, const void *upstream,
                      int64_t step, const struct norm_coefficients *k, bool silu, float *first,
                      float *second, void *d);
    /* d[rows, c] to dx in place, plus the residual, whose rows are `step` apart; what comes out is
       added to sums[c]. Either may be NULL. */
    void (*norm_gradient)(bool bf16, int64_t rows, int64_t c, const void *x,
                          const struct norm_coefficients *k, const void *residual, int64_t step,
                          float *sums, void *d);
    /* y[rows, c] = scale (x + bias[c] + item[c] + residual[rows, c]), absent parts NULL; y and the
       residual are bfloat16 where `bf16`, and x may then be too (x_bf16). x may be y. */
    void (*epilogue)(bool x_bf16, bool bf16, int64_t rows, int64_t c, const void *x,
                     const float *bias, const float *item, const void *residual, float scale,
                     void *y);
    /* gradient = factor (x - target); returns the sum of (x - target)^2 */
    float (*squared_error)(int64_t n, const float *x, const float *target, float factor,
                           float *gradient);
    /* AdamW (Loshchilov & Hutter 2019) and the running average, in one pass. */
    void (*adamw)(int64_t n, const struct optimizer_step *s, const float *gradient, float *weight,
                  float *first, float *second, float *average);
    void (*from_f16)(int64_t n, const float16 *x, float *out);
    void (*from_bf16)(int64_t n, const bfloat16 *x, float *out);
    void (*to_bf16)(int64_t n, const float *x, bfloat16 *out);
};

const struct loops *loops_select(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of transformers: layer normalisation, GELU and gated units, rotary positions.
   Compiled once for each instruction set, like loops.h. Arrays of activations, `const void *` or
   `void *`, are bfloat16 where `bf16`; all others, and the arithmetic, are float32. */
#ifndef SUMI_CPU_LOOPS_TRANSFORMER_H
#define SUMI_CPU_LOOPS_TRANSFORMER_H

#include <stdbool.h>
#include <stdint.h>

/* How rows are normalised. Scale and shift are [d]; NULL where there are none. */
struct layer_norm_rows {
    bool bf16, rms;
    int64_t d;
    float epsilon;
    const float *scale, *shift;
};

struct transformer_loops {
    /* out[rows, d] = (x - mean) / deviation scale + shift */
    void (*layer_norm)(const struct layer_norm_rows *k, int64_t rows, const void *x, void *out);
    /* dx[rows, d] from dy[rows, d], and sums[0, d] += dy, sums[1, d] += dy xhat; either dx or sums
       may be NULL */
    void (*layer_norm_gradient)(const struct layer_norm_rows *k, int64_t rows, const void *x,
                                const void *dy, void *dx, float *sums);
    /* out = act(x); dx = act'(x) dy. `form` is an enum activation_form. */
    void (*activate)(bool bf16, int form, int64_t n, const void *x, void *out);
    void (*activate_gradient)(bool bf16, int form, int64_t n, const void *x, const void *dy,
                              void *dx);
    /* out[rows, d] from x[rows, 2 d], and back: dx[rows, 2 d] */
    void (*gate)(bool bf16, int form, int64_t rows, int64_t d, const void *x, void *out);
    void (*gate_gradient)(bool bf16, int form, int64_t rows, int64_t d, const void *x,
                          const void *dy, void *dx);
    /* out[2 pairs] = each pair of x turned; the sines are multiplied by `direction` */
    void (*rotary)(bool bf16, int64_t pairs, const void *x, const float *cosine, const float *sine,
                   float direction, void *out);
};

const struct transformer_loops *transformer_loops_select(void);

#endif

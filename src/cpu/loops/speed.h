/* SPDX-License-Identifier: Apache-2.0 */
/* Loops that do nothing but arithmetic, or nothing but reading and writing: they measure the limits
   of a processor. */
#ifndef SUMI_CPU_LOOPS_SPEED_H
#define SUMI_CPU_LOOPS_SPEED_H

#include <stdint.h>

struct speed_loops {
    const char *instructions; /* the usual name of the instruction set that they were compiled
                                 for */
    /* `rounds` rounds of multiplications and additions in registers, each round of `operations`
       (a fused multiply-add counts as two). The result depends on all of them. */
    float (*multiply_add)(int64_t rounds);
    int64_t operations;
    /* out = x + factor y, [n] each */
    void (*triad)(int64_t n, const float *x, const float *y, float factor, float *out);
};

const struct speed_loops *speed_loops_select(void);

#endif

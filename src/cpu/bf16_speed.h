/* SPDX-License-Identifier: Apache-2.0 */
/* Multiplications and additions of bfloat16 numbers in registers; see cpu/loops/speed.h. */
#ifndef SUMI_CPU_BF16_SPEED_H
#define SUMI_CPU_BF16_SPEED_H

#include <stdint.h>

struct bf16_loop {
    float (*multiply_add)(int64_t rounds);
    int64_t operations; /* of a round; 0 if the processor has no instruction for them */
};

struct bf16_loop bf16_loop_select(void);

#endif

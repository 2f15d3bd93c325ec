/* SPDX-License-Identifier: Apache-2.0 */
/* bfloat16: the upper half of a float32, 8 bits of significand. Numbers are stored in it, and
   computed with in float32. */
#ifndef SUMI_BASE_BFLOAT16_H
#define SUMI_BASE_BFLOAT16_H

#include <stdint.h>
#include <string.h>

typedef uint16_t bfloat16;

static inline float bfloat16_to_float(bfloat16 x)
{
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Rounds to nearest even; numbers beyond the largest bfloat16 become infinity, NaN stays NaN. */
static inline bfloat16 bfloat16_from_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    return (bfloat16)((bits & 0x7fffffffu) > 0x7f800000u ? bits >> 16 | 0x40u : rounded);
}

#endif

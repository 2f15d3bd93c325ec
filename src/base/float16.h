/* SPDX-License-Identifier: Apache-2.0 */
/* float16 (IEEE 754 binary16): 5 bits of exponent and 10 of significand. Numbers are read in it,
   and computed with in float32. */
#ifndef SUMI_BASE_FLOAT16_H
#define SUMI_BASE_FLOAT16_H

#include <stdint.h>
#include <string.h>

typedef uint16_t float16;

/* Exact, and without branches so that loops vectorise: a multiplication corrects the exponent's
   bias, also for subnormals. */
static inline float float16_to_float(float16 x)
{
    uint32_t bits = (uint32_t)(x & 0x7fffu) << 13, special;
    float value;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    memcpy(&special, &value, sizeof special);
    bits = (x & 0x7c00u) == 0x7c00u ? bits | 0x7f800000u : special; /* infinity and NaN */
    bits |= (uint32_t)(x & 0x8000u) << 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif

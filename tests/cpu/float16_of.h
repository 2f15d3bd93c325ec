/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding to float16, which the library only reads. */
#ifndef TESTS_CPU_FLOAT16_OF_H
#define TESTS_CPU_FLOAT16_OF_H

#include <math.h>

#include "base/float16.h"

/* The nearest float16 of a number below 2^15, or zero where it would be subnormal. */
static inline float16 float16_of(float x)
{
    int exponent;
    double fraction = frexp(fabs((double)x), &exponent);
    if (fraction == 0 || exponent < -13) return 0;
    int bits = ((exponent + 14) << 10) + ((int)rint(fraction * 2048) - 1024);
    return (float16)(bits | (x < 0 ? 0x8000 : 0));
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of one number for the inner loops: without branches or calls, so that compilers turn
   loops over them into vector code. */
#ifndef SUMI_CPU_LOOPS_FUNCTIONS_H
#define SUMI_CPU_LOOPS_FUNCTIONS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* e^x = 2^n p: x = n ln 2 + r, |r| <= ln 2 / 2, and p the Taylor polynomial of e^r to degree 7
   (remainder below 6e-9). */
static inline float split_exp(float x, int32_t *n)
{
    float shifted = x * 1.44269504088896341f + 12582912.0f; /* 1.5 * 2^23 rounds to nearest */
    float rounded = shifted - 12582912.0f;
    float r = x - rounded * 0.693145751953125f; /* ln 2 in two parts */
    r = r - rounded * 1.428606765330187e-6f;
    float p = 1.98412698e-4f;
    p = p * r + 1.38888889e-3f;
    p = p * r + 8.33333333e-3f;
    p = p * r + 4.16666667e-2f;
    p = p * r + 1.66666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    /* n as a whole number stands in the low bits of the shifted sum; NaN gives any, and stays NaN
       by way of p. Unsigned, so that nothing overflows. */
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    *n = (int32_t)(bits - 0x4b400000u); /* the bits of 1.5 * 2^23 */
    return p;
}

/* 2^n for -126 <= n <= 127. */
static inline float power_of_two(uint32_t n)
{
    uint32_t bits = (n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* e^x within 2 ulp on the float range, saturating at its ends. */
static inline float fast_exp(float x)
{
    int32_t n;
    x = x < -87.3f ? -87.3f : x;
    x = x > 88.7f ? 88.7f : x;
    float p = split_exp(x, &n);
    uint32_t half = (uint32_t)(n >> 1); /* two factors, since 2^128 is not a number */
    return p * power_of_two(half) * power_of_two((uint32_t)n - half);
}

/* Saturates at +-50, where it is within 2e-22 of its limit: smaller results would lead to denormal
   numbers, which processors handle slowly even in lanes whose value is thrown away. */
static inline float fast_sigmoid(float x)
{
    int32_t n;
    x = x < -50.0f ? -50.0f : x;
    x = x > 50.0f ? 50.0f : x;
    float p = split_exp(-x, &n);
    return 1.0f / (1.0f + p * power_of_two((uint32_t)n));
}

/* 1 - Phi(|x|) = erfc(|x| / sqrt 2) / 2 of the standard normal distribution, within 2e-7, and
   e^(-x^2 / 2) to *bell. erfc(u) = e^(-u^2) R(1 / (1 + 0.4 u)) with R the polynomial of degree 6
   that fits best for 0 <= u <= 4.5 (error 1.2e-8 before rounding); beyond, both are next to 0. */
static inline float normal_tail(float x, float *bell)
{
    float square = 0.5f * x * x;
    *bell = fast_exp(-square);
    float t = 1.0f / (1.0f + 0.282842712f * fabsf(x));
    float r = -0.17961949f;
    r = r * t + 0.60763335f;
    r = r * t - 0.16406704f;
    r = r * t + 0.24484299f;
    r = r * t + 0.29674080f;
    r = r * t + 0.18875255f;
    r = r * t + 0.00571685f;
    return 0.5f * *bell * r;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of speed.h; SUMI_LEVEL names the instruction set this copy is compiled for. */
#include "cpu/loops/speed.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/* The widest vectors, and as many sums at a time as fit the registers beside the two operands: each
   has to wait for the one before it, some 4 cycles, and there may be 2 or more units to fill. */
#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64, SUMS = 24 };
#define INSTRUCTIONS "AVX-512"
#elif defined(__AVX__)
enum { VECTOR_BYTES = 32, SUMS = 12 };
#define INSTRUCTIONS "AVX2"
#elif defined(__aarch64__)
enum { VECTOR_BYTES = 16, SUMS = 24 };
#define INSTRUCTIONS "NEON"
#else
enum { VECTOR_BYTES = 16, SUMS = 12 };
#define INSTRUCTIONS "baseline"
#endif

typedef float vector __attribute__((vector_size(VECTOR_BYTES)));
enum { LANES = VECTOR_BYTES / (int)sizeof(float) };

/* Each lane goes to shift / (1 - scale), so no number grows without bound or becomes denormal. */
static float multiply_add(int64_t rounds)
{
    const vector scale = (vector){0} + 0.75f, shift = (vector){0} + 0.5f;
    vector sums[SUMS];
    for (int i = 0; i < SUMS; i++) sums[i] = (vector){0} + (float)i;
    for (int64_t round = 0; round < rounds; round++) {
#pragma GCC unroll 32
        for (int i = 0; i < SUMS; i++) sums[i] = sums[i] * scale + shift;
    }
    float total = 0;
    for (int i = 0; i < SUMS; i++) {
        for (int lane = 0; lane < LANES; lane++) total += sums[i][lane];
    }
    return total;
}

static void triad(int64_t n, const float *x, const float *y, float factor, float *out)
{
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++) out[i] = x[i] + factor * y[i];
}

extern const struct speed_loops JOIN(speed_loops_, SUMI_LEVEL);
const struct speed_loops JOIN(speed_loops_, SUMI_LEVEL) = {INSTRUCTIONS, multiply_add,
                                                           2 * SUMS *LANES, triad};

/* SPDX-License-Identifier: Apache-2.0 */
/* The instruction for sums of products of bfloat16 numbers, as an intrinsic where the compiler and
   the CPU have it, because C has no expression for it. */
#include "cpu/bf16_speed.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { SUMS = 16, LANES = 16, PRODUCTS = 2 };

__attribute__((target("avx512f,avx512bf16"))) static float multiply_add(int64_t rounds)
{
    const __m512bh one = (__m512bh)_mm512_set1_epi16(0x3f80); /* 1 in bfloat16 */
    const __m512bh small = (__m512bh)_mm512_set1_epi16(0x3b80);
    __m512 sums[SUMS];
    for (int i = 0; i < SUMS; i++) sums[i] = _mm512_set1_ps((float)i);
    for (int64_t round = 0; round < rounds; round++) {
#pragma GCC unroll 16
        for (int i = 0; i < SUMS; i++) sums[i] = _mm512_dpbf16_ps(sums[i], one, small);
    }
    float total = 0;
    for (int i = 0; i < SUMS; i++) total += _mm512_reduce_add_ps(sums[i]);
    return total;
}

struct bf16_loop bf16_loop_select(void)
{
    if (!__builtin_cpu_supports("avx512bf16")) return (struct bf16_loop){0};
    return (struct bf16_loop){multiply_add, 2 * SUMS * LANES * PRODUCTS};
}

#else

struct bf16_loop bf16_loop_select(void)
{
    return (struct bf16_loop){0};
}

#endif

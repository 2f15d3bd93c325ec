/* SPDX-License-Identifier: Apache-2.0 */
/* The widest vector of float32 that the instruction set of this copy of the loops has, as the
   compilers' own vector type: arithmetic on it is written like arithmetic on numbers. */
#ifndef SUMI_CPU_LOOPS_VECTOR_H
#define SUMI_CPU_LOOPS_VECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__F16C__)
#include <immintrin.h>
#endif

#include "base/bfloat16.h"
#include "base/element.h"
#include "base/float16.h"

#if defined(__AVX512F__)
#define LANE_COUNT 16
#elif defined(__AVX__)
#define LANE_COUNT 8
#else
#define LANE_COUNT 4
#endif

typedef float lanes __attribute__((vector_size(LANE_COUNT * 4)));

/* Reads and writes of any alignment. `count` below LANE_COUNT leaves the other lanes zero, or the
   memory behind them alone. */
static inline lanes lanes_load(const float *from, int64_t count)
{
    lanes value = {0};
    if (count >= LANE_COUNT) memcpy(&value, from, sizeof value);
    else memcpy(&value, from, (size_t)count * sizeof *from);
    return value;
}

static inline void lanes_store(float *to, lanes value, int64_t count)
{
    if (count >= LANE_COUNT) memcpy(to, &value, sizeof value);
    else memcpy(to, &value, (size_t)count * sizeof *to);
}

/* The same with numbers kept as bfloat16; see base/bfloat16.h. */
typedef uint32_t lanes_bits __attribute__((vector_size(LANE_COUNT * 4)));
typedef bfloat16 lanes_bf16 __attribute__((vector_size(LANE_COUNT * 2)));

static inline lanes lanes_from_bf16(const bfloat16 *from, int64_t count)
{
    lanes_bf16 value = {0};
    if (count >= LANE_COUNT) memcpy(&value, from, sizeof value);
    else memcpy(&value, from, (size_t)count * sizeof *from);
    return (lanes)(__builtin_convertvector(value, lanes_bits) << 16);
}

static inline void lanes_to_bf16(bfloat16 *to, lanes value, int64_t count)
{
    lanes_bits bits = (lanes_bits)value, upper = bits >> 16;
    lanes_bits rounded = (bits + 0x7fffu + (upper & 1u)) >> 16;
    lanes_bits not_a_number = (lanes_bits)((bits & 0x7fffffffu) > 0x7f800000u);
    rounded = (not_a_number & (upper | 0x40u)) | (~not_a_number & rounded);
    lanes_bf16 result = __builtin_convertvector(rounded, lanes_bf16);
    if (count >= LANE_COUNT) memcpy(to, &result, sizeof result);
    else memcpy(to, &result, (size_t)count * sizeof *to);
}

/* The same from float16; see base/float16.h. */
static inline lanes lanes_from_f16(const float16 *from, int64_t count)
{
    float16 halves[LANE_COUNT] = {0};
    if (count >= LANE_COUNT) memcpy(halves, from, sizeof halves);
    else memcpy(halves, from, (size_t)count * sizeof *from);
#if defined(__AVX512F__)
    return (lanes)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)halves));
#elif defined(__F16C__)
    return (lanes)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)halves));
#else
    lanes value;
    for (int i = 0; i < LANE_COUNT; i++) value[i] = float16_to_float(halves[i]);
    return value;
#endif
}

/* From element `at` of an array of floating-point numbers of that type. */
static inline lanes lanes_widen(const void *data, sumi_element element, int64_t at, int64_t count)
{
    if (element == SUMI_BFLOAT16) return lanes_from_bf16((const bfloat16 *)data + at, count);
    if (element == SUMI_FLOAT16) return lanes_from_f16((const float16 *)data + at, count);
    return lanes_load((const float *)data + at, count);
}

/* One such number. */
static inline float widened(const void *data, sumi_element element, int64_t at)
{
    if (element == SUMI_BFLOAT16) return bfloat16_to_float(((const bfloat16 *)data)[at]);
    if (element == SUMI_FLOAT16) return float16_to_float(((const float16 *)data)[at]);
    return ((const float *)data)[at];
}

/* From or to element `at` of an array, of bfloat16 where `bf16`. */
static inline lanes lanes_load_from(const void *data, int64_t at, bool bf16, int64_t count)
{
    return bf16 ? lanes_from_bf16((const bfloat16 *)data + at, count)
                : lanes_load((const float *)data + at, count);
}

static inline void lanes_store_to(void *data, int64_t at, bool bf16, lanes value, int64_t count)
{
    if (bf16) lanes_to_bf16((bfloat16 *)data + at, value, count);
    else lanes_store((float *)data + at, value, count);
}

#endif

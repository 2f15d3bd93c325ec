/* The widest vector of float32 that the instruction set of this copy of the loops has, as the
   compilers' own vector type: arithmetic on it is written like arithmetic on numbers. */
#ifndef SUMI_CPU_LOOPS_VECTOR_H
#define SUMI_CPU_LOOPS_VECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bfloat16.h"

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
typedef bfloat16 lanes_narrow __attribute__((vector_size(LANE_COUNT * 2)));

static inline lanes lanes_widen(const bfloat16 *from, int64_t count)
{
    lanes_narrow value = {0};
    if (count >= LANE_COUNT) memcpy(&value, from, sizeof value);
    else memcpy(&value, from, (size_t)count * sizeof *from);
    return (lanes)(__builtin_convertvector(value, lanes_bits) << 16);
}

static inline void lanes_round(bfloat16 *to, lanes value, int64_t count)
{
    lanes_bits bits = (lanes_bits)value, upper = bits >> 16;
    lanes_bits rounded = (bits + 0x7fffu + (upper & 1u)) >> 16;
    lanes_bits not_a_number = (lanes_bits)((bits & 0x7fffffffu) > 0x7f800000u);
    rounded = (not_a_number & (upper | 0x40u)) | (~not_a_number & rounded);
    lanes_narrow result = __builtin_convertvector(rounded, lanes_narrow);
    if (count >= LANE_COUNT) memcpy(to, &result, sizeof result);
    else memcpy(to, &result, (size_t)count * sizeof *to);
}

/* From or to element `at` of an array, of bfloat16 where `narrow`. */
static inline lanes lanes_load_from(const void *data, int64_t at, bool narrow, int64_t count)
{
    return narrow ? lanes_widen((const bfloat16 *)data + at, count)
                  : lanes_load((const float *)data + at, count);
}

static inline void lanes_store_to(void *data, int64_t at, bool narrow, lanes value, int64_t count)
{
    if (narrow) lanes_round((bfloat16 *)data + at, value, count);
    else lanes_store((float *)data + at, value, count);
}

#endif

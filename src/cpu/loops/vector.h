/* The widest vector of float32 that the instruction set of this copy of the loops has, as the
   compilers' own vector type: arithmetic on it is written like arithmetic on numbers. */
#ifndef SUMI_CPU_LOOPS_VECTOR_H
#define SUMI_CPU_LOOPS_VECTOR_H

#include <stdint.h>
#include <string.h>

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

#endif

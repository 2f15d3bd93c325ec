/* SPDX-License-Identifier: Apache-2.0 */
/* Whole arrays between float32 and the 16-bit types, for kernels that compute in float32 alone. */
#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"

enum { CHUNK = 1 << 14 }; /* elements a thread takes at a time */

/* Shared among a team. */
static void from_bf16(int64_t n, const bfloat16 *from, float *to)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t first = 0; first < n; first += CHUNK) {
        loops->from_bf16(n - first < CHUNK ? n - first : CHUNK, from + first, to + first);
    }
}

void bfloat16_to_floats(int threads, int64_t n, const bfloat16 *from, float *to)
{
    BY_TEAM(worthwhile_threads(threads, n), from_bf16(n, from, to));
}

static void from_f16(int64_t n, const float16 *from, float *to)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t first = 0; first < n; first += CHUNK) {
        loops->from_f16(n - first < CHUNK ? n - first : CHUNK, from + first, to + first);
    }
}

void widen_floats(int threads, sumi_element element, int64_t n, const void *from, float *to)
{
    if (element == SUMI_BFLOAT16) bfloat16_to_floats(threads, n, from, to);
    else BY_TEAM(worthwhile_threads(threads, n), from_f16(n, from, to));
}

static void to_bf16(int64_t n, const float *from, bfloat16 *to)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t first = 0; first < n; first += CHUNK) {
        loops->to_bf16(n - first < CHUNK ? n - first : CHUNK, from + first, to + first);
    }
}

void bfloat16_from_floats(int threads, int64_t n, const float *from, bfloat16 *to)
{
    BY_TEAM(worthwhile_threads(threads, n), to_bf16(n, from, to));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whole arrays between bfloat16 and float32, for kernels that compute in float32 alone. */
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

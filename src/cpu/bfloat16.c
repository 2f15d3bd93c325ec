/* Whole arrays between bfloat16 and float32, for kernels that compute in float32 alone. */
#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"

enum { CHUNK = 1 << 14 }; /* elements a thread takes at a time */

/* Shared among a team. */
static void widen(int64_t n, const bfloat16 *from, float *to)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t first = 0; first < n; first += CHUNK) {
        loops->widen(n - first < CHUNK ? n - first : CHUNK, from + first, to + first);
    }
}

void bfloat16_widen_all(int threads, int64_t n, const bfloat16 *from, float *to)
{
    BY_TEAM(worthwhile_threads(threads, n), widen(n, from, to));
}

static void narrow(int64_t n, const float *from, bfloat16 *to)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t first = 0; first < n; first += CHUNK) {
        loops->narrow(n - first < CHUNK ? n - first : CHUNK, from + first, to + first);
    }
}

void bfloat16_narrow_all(int threads, int64_t n, const float *from, bfloat16 *to)
{
    BY_TEAM(worthwhile_threads(threads, n), narrow(n, from, to));
}

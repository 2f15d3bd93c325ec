/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the peak performance of this machine: floating-point operations in registers, and bytes
   between the processor and memory, with one thread and with all. */
#include <math.h>
#include <string.h>

#include "base/profile.h"
#include "base/structure.h"
#include "cpu/bf16_speed.h"
#include "cpu/loops/speed.h"

enum { ROUNDS = 500000, TRIALS = 20, PASSES = 8 };

/* Numbers in each of the three arrays of the memory test, more than the caches of one processor
   usually hold. */
static const int64_t ARRAY = (int64_t)16 << 20;

/* Operations a second of the best of several trials. Writes the result to *result, so that the
   compiler does not remove the computation. */
static double arithmetic_rate(int threads, float (*loop)(int64_t rounds), int64_t operations,
                              float *result)
{
    double best = INFINITY;
    float sum = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double begin = profile_clock();
#pragma omp parallel for num_threads(threads) schedule(static, 1) reduction(+ : sum)
        for (int i = 0; i < threads; i++) sum += loop(ROUNDS);
        best = fmin(best, profile_clock() - begin);
    }
    *result += sum;
    return (double)threads * ROUNDS * (double)operations / best;
}

/* Bytes a second of out = x + factor y, of the best of several passes over arrays[3 * ARRAY]. */
static double memory_rate(int threads, float *arrays)
{
    const struct speed_loops *loops = speed_loops_select();
    float *x = arrays, *y = x + ARRAY, *out = y + ARRAY;
    double best = INFINITY;
    for (int pass = 0; pass < PASSES; pass++) {
        double begin = profile_clock();
#pragma omp parallel for num_threads(threads) schedule(static, 1)
        for (int i = 0; i < threads; i++) {
            int64_t first = ARRAY * i / threads, past = ARRAY * (i + 1) / threads;
            loops->triad(past - first, x + first, y + first, 0.5f, out + first);
        }
        best = fmin(best, profile_clock() - begin);
    }
    return 3.0 * (double)ARRAY * (double)sizeof(float) / best;
}

sumi_status sumi_machine_measure(sumi_context *context, sumi_machine *machine)
{
    const struct speed_loops *loops = speed_loops_select();
    const struct bf16_loop bf16 = bf16_loop_select();
    int threads = context->threads;
    TRY(structure_check(context, "sumi_machine", machine));
    float *arrays = context_allocate_zeroed(context, 3 * (size_t)ARRAY, sizeof *arrays);
    if (!arrays) return SUMI_ERROR_MEMORY;
    float result = 0;
    sumi_machine all = {.threads = threads, .instructions = loops->instructions};
    all.f32_one = arithmetic_rate(1, loops->multiply_add, loops->operations, &result);
    all.f32_all = arithmetic_rate(threads, loops->multiply_add, loops->operations, &result);
    if (bf16.operations) {
        all.bf16_one = arithmetic_rate(1, bf16.multiply_add, bf16.operations, &result);
        all.bf16_all = arithmetic_rate(threads, bf16.multiply_add, bf16.operations, &result);
    }
    all.bytes_one = memory_rate(1, arrays);
    all.bytes_all = memory_rate(threads, arrays);
    context_release(context, arrays);
    structure_fill(machine, &all, sizeof all);
    if (isfinite(result)) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_NUMBER,
                        "the arithmetic of this machine gives wrong results");
}

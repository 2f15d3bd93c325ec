/* SPDX-License-Identifier: Apache-2.0 */
/* The optimizer's pass over all weights: the norm of the gradient, then AdamW (Loshchilov & Hutter
   2019, algorithm 2) and the average together. */
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"

/* Threads for a pass over all chunks. */
static int pass_threads(int threads, int64_t count, const struct optimizer_chunk *chunks)
{
    int64_t elements = 0;
    for (int64_t i = 0; i < count; i++) elements += chunks[i].size;
    return worthwhile_threads(threads, elements);
}

/* Shared among a team. */
static void square_chunks(int64_t count, struct optimizer_chunk *chunks)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        struct optimizer_chunk *chunk = &chunks[i];
        chunk->square =
            chunk->gradient ? loops->dot(chunk->size, chunk->gradient, chunk->gradient) : 0;
    }
}

double optimizer_squared_norm(int threads, int64_t count, struct optimizer_chunk *chunks)
{
    double total = 0;
    BY_TEAM(pass_threads(threads, count, chunks), square_chunks(count, chunks));
    for (int64_t i = 0; i < count; i++) total += chunks[i].square;
    return total;
}

/* Shared among a team. */
static void apply_to_chunks(const struct optimizer_step *step, int64_t count,
                            const struct optimizer_chunk *chunks)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        const struct optimizer_chunk *chunk = &chunks[i];
        if (!chunk->gradient) continue;
        loops->adamw(chunk->size, step, chunk->gradient, chunk->weight, chunk->first, chunk->second,
                     chunk->average);
    }
}

void optimizer_adamw(int threads, const struct optimizer_step *step, int64_t count,
                     const struct optimizer_chunk *chunks)
{
    BY_TEAM(pass_threads(threads, count, chunks), apply_to_chunks(step, count, chunks));
}

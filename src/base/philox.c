/* SPDX-License-Identifier: Apache-2.0 */
/* Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011),
   and the random numbers made from it. */
#include "base/philox.h"

#include <math.h>

void philox_block(const philox_stream *stream, uint64_t block, uint32_t words[4])
{
    philox_words(stream, block, words, words + 1, words + 2, words + 3);
}

float philox_uniform(const philox_stream *stream, uint64_t index)
{
    uint32_t words[4];
    philox_block(stream, index / 4, words);
    return philox_below_one(philox_unit(words[index % 4]));
}

uint64_t philox_below(const philox_stream *stream, uint64_t index, uint64_t limit)
{
    uint32_t words[4];
    philox_block(stream, index, words);
    uint64_t word = (uint64_t)words[0] << 32 | words[1];
    return (uint64_t)(((unsigned __int128)word * limit) >> 64);
}

/* Box-Muller on one block: four uniform words to four normal numbers. */
static void normal_block(const philox_stream *stream, uint64_t block, float normal[4])
{
    uint32_t words[4];
    philox_block(stream, block, words);
    for (int pair = 0; pair < 2; pair++) {
        float radius = sqrtf(-2.0f * logf(philox_unit(words[2 * pair])));
        float angle = 6.28318530717958647692f * philox_unit(words[2 * pair + 1]);
        normal[2 * pair] = radius * cosf(angle);
        normal[2 * pair + 1] = radius * sinf(angle);
    }
}

void philox_normal(const philox_stream *stream, uint64_t first, int64_t count, float *output)
{
    float normal[4];
    uint64_t block = UINT64_MAX;
    for (int64_t i = 0; i < count; i++) {
        uint64_t index = first + (uint64_t)i;
        if (index / 4 != block) {
            block = index / 4;
            normal_block(stream, block, normal);
        }
        output[i] = normal[index % 4];
    }
}

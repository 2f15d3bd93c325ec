/* Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
   2011) and the draws made from it. */
#include "base/philox.h"

#include <math.h>

static void philox_round(uint32_t counter[4], uint32_t key0, uint32_t key1)
{
    uint64_t product0 = (uint64_t)0xD2511F53u * counter[0];
    uint64_t product1 = (uint64_t)0xCD9E8D57u * counter[2];
    uint32_t mixed0 = (uint32_t)(product1 >> 32) ^ counter[1] ^ key0;
    uint32_t mixed2 = (uint32_t)(product0 >> 32) ^ counter[3] ^ key1;
    counter[0] = mixed0;
    counter[1] = (uint32_t)product1;
    counter[2] = mixed2;
    counter[3] = (uint32_t)product0;
}

void philox_block(const philox_stream *stream, uint64_t block, uint32_t words[4])
{
    words[0] = (uint32_t)block;
    words[1] = (uint32_t)(block >> 32);
    words[2] = (uint32_t)stream->step;
    words[3] = stream->purpose;
    uint32_t key0 = (uint32_t)stream->seed, key1 = (uint32_t)(stream->seed >> 32);
    for (int round = 0; round < 10; round++) {
        philox_round(words, key0, key1);
        key0 += 0x9E3779B9u; /* golden ratio */
        key1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
}

/* A multiple of 2^-24 plus 2^-25, rounded to float32: in the upper half that drops the 2^-25, and
   the very last one becomes 1. */
static float unit_interval(uint32_t word)
{
    return ((float)(word >> 8) + 0.5f) * 0x1p-24f;
}

float philox_uniform(const philox_stream *stream, uint64_t index)
{
    uint32_t words[4];
    philox_block(stream, index / 4, words);
    return fminf(unit_interval(words[index % 4]), 0x1.fffffep-1f); /* 1 is no part of (0,1) */
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
        float radius = sqrtf(-2.0f * logf(unit_interval(words[2 * pair])));
        float angle = 6.28318530717958647692f * unit_interval(words[2 * pair + 1]);
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

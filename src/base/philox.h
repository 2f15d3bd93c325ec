/* SPDX-License-Identifier: Apache-2.0 */
/* Counter-based random numbers, Philox 4x32-10 (Salmon et al. 2011): the number for a given seed,
   purpose, step and element does not depend on the number of threads or on earlier draws. */
#ifndef SUMI_BASE_PHILOX_H
#define SUMI_BASE_PHILOX_H

#include <stdint.h>

/* The purpose of a stream; part of the key, so that different purposes never share numbers. */
enum philox_purpose {
    PURPOSE_WEIGHTS = 1,
    PURPOSE_SHUFFLE,
    PURPOSE_AUGMENT,
    PURPOSE_TIME,
    PURPOSE_NOISE,
    PURPOSE_DROPOUT,
    PURPOSE_START,
    PURPOSE_SOLVER,
    PURPOSE_DATA,
    PURPOSE_LABEL,
    PURPOSE_MEASURE,
    PURPOSE_DIRECTION,
    PURPOSE_LATENT,
    PURPOSE_LABEL_DROPOUT,
    PURPOSE_RESTORE,
    PURPOSE_CAPTION_DROPOUT
};

typedef struct philox_stream {
    uint64_t seed;
    uint32_t purpose;
    uint64_t step; /* of training or of the solver; below 2^32 */
} philox_stream;

/* The four 32-bit words of block number `block`; inline, so that loops over many blocks
   vectorise. */
static inline void philox_words(const philox_stream *stream, uint64_t block, uint32_t *word0,
                                uint32_t *word1, uint32_t *word2, uint32_t *word3)
{
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)stream->step, c3 = stream->purpose;
    uint32_t key0 = (uint32_t)stream->seed, key1 = (uint32_t)(stream->seed >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = (uint64_t)0xD2511F53u * c0, product1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ key0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ key1;
        c3 = (uint32_t)product0;
        key0 += 0x9E3779B9u; /* golden ratio */
        key1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    *word0 = c0;
    *word1 = c1;
    *word2 = c2;
    *word3 = c3;
}

/* A multiple of 2^-24 plus 2^-25, rounded to float32: in the upper half, rounding removes the
   2^-25, and the last value becomes 1, which philox_below_one maps to the largest float below 1. */
static inline float philox_unit(uint32_t word)
{
    return ((float)(word >> 8) + 0.5f) * 0x1p-24f;
}
static inline float philox_below_one(float unit)
{
    return unit < 0x1.fffffep-1f ? unit : 0x1.fffffep-1f;
}

/* The same as a function. */
void philox_block(const philox_stream *stream, uint64_t block, uint32_t words[4]);

/* Element `index` of the stream's uniform numbers in (0,1), 2^24 of them about 2^-24 apart. */
float philox_uniform(const philox_stream *stream, uint64_t index);

/* Element `index` of the stream's whole numbers below `limit` (limit > 0). */
uint64_t philox_below(const philox_stream *stream, uint64_t index, uint64_t limit);

/* Elements first .. first + count - 1 of the stream's standard normal numbers (Box-Muller). */
void philox_normal(const philox_stream *stream, uint64_t first, int64_t count, float *output);

#endif

/* Counter-based random numbers, Philox 4x32-10 (Salmon et al. 2011): the draw for a given seed,
   purpose, step and element is the same whatever the number of threads, ranks or earlier draws. */
#ifndef SUMI_BASE_PHILOX_H
#define SUMI_BASE_PHILOX_H

#include <stdint.h>

/* What a stream of draws is for; part of the key, so that purposes never share numbers. */
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
    PURPOSE_DIRECTION
};

typedef struct philox_stream {
    uint64_t seed;
    uint32_t purpose;
    uint64_t step; /* of training or of the solver; below 2^32 */
} philox_stream;

/* The four 32-bit words of block number `block`. */
void philox_block(const philox_stream *stream, uint64_t block, uint32_t words[4]);

/* Element `index` of the stream's uniform numbers in (0,1), 2^24 of them about 2^-24 apart. */
float philox_uniform(const philox_stream *stream, uint64_t index);

/* Element `index` of the stream's whole numbers below `limit` (limit > 0). */
uint64_t philox_below(const philox_stream *stream, uint64_t index, uint64_t limit);

/* Elements first .. first + count - 1 of the stream's standard normal numbers (Box-Muller). */
void philox_normal(const philox_stream *stream, uint64_t first, int64_t count, float *output);

#endif

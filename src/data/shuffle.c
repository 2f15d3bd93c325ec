/* SPDX-License-Identifier: Apache-2.0 */
/* A Feistel network with any round function permutes the numbers of 2k bits (Luby and Rackoff,
   1988); here Philox is the round function. Numbers past the last item are permuted again until one
   lands inside (cycle walking: Black and Rogaway, 2002), at most four times on average. */
#include "data/shuffle.h"

#include "base/philox.h"

enum { ROUNDS = 6 };

static uint64_t permute(const philox_stream *stream, int half_bits, uint64_t number)
{
    uint64_t mask = ((uint64_t)1 << half_bits) - 1;
    uint64_t left = number >> half_bits, right = number & mask;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint32_t words[4];
        philox_block(stream, round << 32 | right, words);
        uint64_t mixed = left ^ (words[0] & mask);
        left = right;
        right = mixed;
    }
    return left << half_bits | right;
}

int64_t shuffle_index(uint64_t seed, uint64_t epoch, int64_t count, int64_t position)
{
    int half_bits = 1;
    while (half_bits < 32 && (uint64_t)1 << 2 * half_bits < (uint64_t)count) half_bits++;
    philox_stream stream = {seed, PURPOSE_SHUFFLE, epoch};
    uint64_t number = (uint64_t)position;
    do number = permute(&stream, half_bits, number);
    while (number >= (uint64_t)count);
    return (int64_t)number;
}

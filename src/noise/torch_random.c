/* SPDX-License-Identifier: Apache-2.0 */
/* mt19937 and torch's draws from it; see torch_random.h. */
#include "noise/torch_random.h"

#include <math.h>

enum { TWISTER_SHIFT = 397, BLOCK = 16 };

static const double two_pi = 6.28318530717958647692;

void torch_random_seed(struct torch_random *stream, uint64_t seed)
{
    stream->words[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < TWISTER_WORDS; i++) {
        uint32_t previous = stream->words[i - 1];
        stream->words[i] = 1812433253u * (previous ^ previous >> 30) + i;
    }
    stream->next = TWISTER_WORDS;
    stream->has_spare = false;
}

static void twist(struct torch_random *stream)
{
    uint32_t *words = stream->words;
    for (int i = 0; i < TWISTER_WORDS; i++) {
        uint32_t mixed = (words[i] & 0x80000000u) | (words[(i + 1) % TWISTER_WORDS] & 0x7fffffffu);
        words[i] =
            words[(i + TWISTER_SHIFT) % TWISTER_WORDS] ^ mixed >> 1 ^ (mixed & 1 ? 0x9908b0dfu : 0);
    }
    stream->next = 0;
}

static uint32_t next_word(struct torch_random *stream)
{
    if (stream->next >= TWISTER_WORDS) twist(stream);
    uint32_t word = stream->words[stream->next++];
    word ^= word >> 11;
    word ^= word << 7 & 0x9d2c5680u;
    word ^= word << 15 & 0xefc60000u;
    return word ^ word >> 18;
}

static float next_float(struct torch_random *stream)
{
    return (float)(next_word(stream) & 0xffffff) * 0x1p-24f;
}

static double next_double(struct torch_random *stream)
{
    uint64_t high = next_word(stream), low = next_word(stream);
    return (double)((high << 32 | low) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
}

/* Box-Muller in place: uniforms [0,8) give the radii, [8,16) the angles. */
static void normal_block(float block[BLOCK])
{
    for (int j = 0; j < BLOCK / 2; j++) {
        double radius = sqrt(-2 * log(1.0 - block[j]));
        double angle = two_pi * block[j + BLOCK / 2];
        block[j] = (float)(radius * cos(angle));
        block[j + BLOCK / 2] = (float)(radius * sin(angle));
    }
}

/* Fewer than 16 numbers take torch's scalar path: pairs in double, the second kept for later. */
static double small_normal(struct torch_random *stream)
{
    if (stream->has_spare) {
        stream->has_spare = false;
        return stream->spare;
    }
    double of_angle = next_double(stream), of_radius = next_double(stream);
    double radius = sqrt(-2 * log1p(-of_radius)), angle = two_pi * of_angle;
    stream->spare = radius * sin(angle);
    stream->has_spare = true;
    return radius * cos(angle);
}

void torch_random_normal(struct torch_random *stream, int64_t count, float *output)
{
    if (count < BLOCK) {
        for (int64_t i = 0; i < count; i++) output[i] = (float)small_normal(stream);
        return;
    }
    torch_random_uniform(stream, count, output);
    for (int64_t i = 0; i + BLOCK <= count; i += BLOCK) normal_block(output + i);
    if (count % BLOCK) { /* the last block overlaps the one before and is drawn again */
        torch_random_uniform(stream, BLOCK, output + count - BLOCK);
        normal_block(output + count - BLOCK);
    }
}

void torch_random_uniform(struct torch_random *stream, int64_t count, float *output)
{
    for (int64_t i = 0; i < count; i++) output[i] = next_float(stream);
}

uint32_t torch_random_below(struct torch_random *stream, uint32_t limit)
{
    return next_word(stream) % limit;
}

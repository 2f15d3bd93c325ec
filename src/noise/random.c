/* SPDX-License-Identifier: Apache-2.0 */
/* Normal states from Philox, from torch's stream or from the caller; see random.h. */
#include "noise/random.h"

enum { STRIP = 4096, WORTH_THREADS = 1 << 15 };

void random_seed(struct random_source *source, enum random_kind kind, uint64_t seed)
{
    source->kind = kind;
    source->seed = seed;
    source->given_draws = 0;
    torch_random_seed(&source->torch, seed);
}

bool random_needs_scratch(const struct random_source *source, const struct random_shape *shape)
{
    return source->kind == RANDOM_TORCH && shape->channels > 1
           && shape->channels < shape->item_size;
}

/* [item, channels, positions] to [item, positions, channels]. */
static void turn_channels_last(const struct random_shape *shape, const float *first, float *last)
{
    int64_t channels = shape->channels, positions = shape->item_size / channels;
    for (int64_t item = 0; item < shape->items; item++) {
        const float *from = first + item * shape->item_size;
        float *to = last + item * shape->item_size;
        for (int64_t c = 0; c < channels; c++)
            for (int64_t p = 0; p < positions; p++) to[p * channels + c] = from[c * positions + p];
    }
}

/* The strip from `at` on of output[count], which begins with element `first` of the stream. */
static void fill_strip(const philox_stream *stream, uint64_t first, int64_t at, int64_t count,
                       float *output)
{
    philox_normal(stream, first + (uint64_t)at, count - at < STRIP ? count - at : STRIP,
                  output + at);
}

static void philox_state(const struct random_source *source, int threads,
                         enum philox_purpose purpose, uint64_t step,
                         const struct random_shape *shape, float *output)
{
    philox_stream stream = {source->seed, purpose, step};
    uint64_t first = (uint64_t)shape->first_item * (uint64_t)shape->item_size;
    int64_t count = shape->items * shape->item_size;
    if (threads == 1 || count < WORTH_THREADS) {
        philox_normal(&stream, first, count, output);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t at = 0; at < count; at += STRIP) fill_strip(&stream, first, at, count, output);
}

void random_normal(struct random_source *source, int threads, enum philox_purpose purpose,
                   uint64_t step, const struct random_shape *shape, float *scratch, float *output)
{
    if (source->kind == RANDOM_PHILOX) {
        philox_state(source, threads, purpose, step, shape, output);
    } else if (source->kind == RANDOM_GIVEN) {
        source->given(source->given_user, source->given_draws++, shape->items * shape->item_size,
                      output);
    } else if (random_needs_scratch(source, shape)) {
        torch_random_normal(&source->torch, shape->items * shape->item_size, scratch);
        turn_channels_last(shape, scratch, output);
    } else {
        torch_random_normal(&source->torch, shape->items * shape->item_size, output);
    }
}

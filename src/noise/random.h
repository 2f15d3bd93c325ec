/* SPDX-License-Identifier: Apache-2.0 */
/* The random numbers of a solver: standard normal states from one of three sources. Philox numbers
   depend only on the seed, purpose, step and number of the item, so that any split of a batch and
   any number of threads give the same values. The torch stream is drawn in PyTorch's order. The
   third is the caller's own function. */
#ifndef SUMI_NOISE_RANDOM_H
#define SUMI_NOISE_RANDOM_H

#include "base/philox.h"
#include "noise/torch_random.h"
#include "sumi.h"

enum random_kind { RANDOM_PHILOX, RANDOM_TORCH, RANDOM_GIVEN };

struct random_source {
    enum random_kind kind;
    uint64_t seed;
    struct torch_random torch;
    sumi_noise given; /* of RANDOM_GIVEN */
    void *given_user;
    int64_t given_draws; /* calls of it since random_seed */
};

/* A state [items, item_size] whose fastest axis holds `channels` channels. */
struct random_shape {
    int64_t first_item; /* number of the first item, for Philox */
    int64_t items, item_size;
    int64_t channels; /* item_size to draw the torch stream in memory order */
};

void random_seed(struct random_source *source, enum random_kind kind, uint64_t seed);

/* Whether random_normal needs scratch memory the size of the state. */
bool random_needs_scratch(const struct random_source *source, const struct random_shape *shape);

/* Fills output[items, item_size]. In torch, channels are the slowest axis of an item, so its
   numbers are drawn in that order into `scratch` and then transposed. */
void random_normal(struct random_source *source, int threads, enum philox_purpose purpose,
                   uint64_t step, const struct random_shape *shape, float *scratch, float *output);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Random augmentation of pictures for training on small data sets. Each draw is keyed by seed and
   position, so that a resumed run gets the same items as an uninterrupted one. */
#ifndef SUMI_DATA_AUGMENT_H
#define SUMI_DATA_AUGMENT_H

#include "base/context.h"
#include "files/recipe.h"

struct augment {
    bool flip, flip_vertical; /* half of the pictures are mirrored */
    int64_t shift;            /* largest move along either axis, in pixels */
};

/* Mirrors item[h, w, c] left to right. */
void augment_mirror(const int64_t *shape, float *item);

extern const struct option augment_keys[]; /* of [data] */

/* Reads the options of the [data] section; refuses them for items that are not pictures (rank 3).
   `name` is that of the data set, for messages. */
sumi_status augment_read(sumi_context *context, const sumi_recipe *recipe, const char *name,
                         int rank, struct augment *augment);

/* Changes item[h, w, c], `shape`, which is the training run's item number `position`. */
void augment_item(const struct augment *augment, uint64_t seed, int64_t position,
                  const int64_t *shape, float *item);

#endif

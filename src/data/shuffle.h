/* SPDX-License-Identifier: Apache-2.0 */
/* The shuffled order of an epoch, computed without a table. */
#ifndef SUMI_DATA_SHUFFLE_H
#define SUMI_DATA_SHUFFLE_H

#include <stdint.h>

/* The item at `position` (0 .. count - 1) of an epoch's order: a permutation of 0 .. count - 1 that
   depends only on seed and epoch (below 2^32), in constant memory. */
int64_t shuffle_index(uint64_t seed, uint64_t epoch, int64_t count, int64_t position);

#endif

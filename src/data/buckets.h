/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets of aspect ratios: a data set whose pictures are sorted by their shape into several sizes
   (data.heights, data.widths). The pictures of each size are a data set of their own, a bucket,
   over the source of the whole, and a training step takes its batch from one of them. The whole
   gives all pictures at its own size. */
#ifndef SUMI_DATA_BUCKETS_H
#define SUMI_DATA_BUCKETS_H

#include "data/data.h"

extern const struct option data_buckets_keys[];

/* Sorts the items of an opened source into the sizes of the recipe, largest first; a size that is
   nearest to none of them has no bucket. Without such sizes it does nothing. data.c gives the
   buckets their memory. */
sumi_status buckets_open(sumi_data *data, const sumi_recipe *recipe);
void buckets_free(sumi_data *data);

/* The number of buckets, 1 for a data set of one size, and a bucket, then the data set itself. */
int buckets_count(const sumi_data *data);
sumi_data *buckets_at(sumi_data *data, int number);

/* Orders the batches of a training, of which each is read in `parts` equal parts. An epoch takes as
   many from each bucket as hold all its items, in a new order. A data set of one size has nothing
   to order. */
sumi_status buckets_arrange(sumi_data *data, uint64_t seed, int64_t batch, int64_t parts);

/* The bucket of a step, 0 for a data set of one size. */
int buckets_of_step(sumi_data *data, int64_t step);

/* Where in its own order a bucket reads the part of a batch that is `part` of all parts of all
   steps; the same number for a data set of one size. */
int64_t buckets_place(sumi_data *data, int64_t part);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Latents of a data set in files, and as a data set of their own. A cache is a folder of
   safetensors files with the same number of items each, so that an interrupted encoding goes on
   with the next file. A file has the tensors "latents" [n,c,h,w], the mean of each item's
   posterior, and "deviations", its standard deviation, where the auto-encoder has one; both are
   scaled as diffusion works on them. Its metadata say of which auto-encoder and of which pictures
   they are. */
#ifndef SUMI_DATA_LATENTS_H
#define SUMI_DATA_LATENTS_H

#include "data/data.h"
#include "files/safetensors.h"

struct latents_cache {
    char folder[PATH_SIZE];
    char auto_encoder[HASH_TEXT], pictures[HASH_TEXT]; /* fingerprints */
    int64_t count;                                     /* of items in all files */
    int64_t each;                                      /* in a file; the last may have fewer */
    int64_t shape[3];                                  /* of an item: [h, w, c] */
    bool deviations;
};

int64_t latents_file_count(const struct latents_cache *cache);
/* The first item of a file, and how many it has. */
int64_t latents_first(const struct latents_cache *cache, int64_t number);
int64_t latents_in_file(const struct latents_cache *cache, int64_t number);

/* Whether a file is there. One that is there is whole. */
bool latents_file_exists(sumi_context *context, const struct latents_cache *cache, int64_t number);

/* Writes a file from [n,h,w,c]; `deviations` is NULL where there are none. */
sumi_status latents_file_write(sumi_context *context, const struct latents_cache *cache,
                               int64_t number, const float *latents, const float *deviations);

/* Opens a file and checks it. One of another auto-encoder or of other pictures is refused. */
sumi_status latents_file_open(sumi_context *context, const struct latents_cache *cache,
                              int64_t number, safetensors **file);

/* Checks an opened file as above; `name` is for messages. */
sumi_status latents_file_check(sumi_context *context, const struct latents_cache *cache,
                               int64_t number, const char *name, const safetensors *file);

/* A data set of the files, which stay mapped. With `draws`, every time that training takes an item
   it is drawn anew from the posterior; else, and where it is read by number, it is the mean.
   `labels` [count] are copied; NULL with 0 classes. */
sumi_status latents_data_open(sumi_context *context, const struct latents_cache *cache, bool draws,
                              const int32_t *labels, int classes, sumi_data **data);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets: one interface over files and generators. A kind of data set opens its source and reads
   single items; data.c keeps the items in memory where they fit, and else reads them on demand. */
#ifndef SUMI_DATA_DATA_H
#define SUMI_DATA_DATA_H

#include "base/context.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/names.h"
#include "data/augment.h"
#include "files/recipe.h"

/* A kind of data set: one file with such a table, and a row in data.c. Either read_bytes (pictures,
   0 to 255) or read_floats writes item `index`, channels last; read_label may be NULL. Several
   threads call them at the same time. */
struct data_kind {
    const char *name;
    sumi_status (*open)(sumi_data *data, const sumi_recipe *recipe);
    sumi_status (*read_bytes)(sumi_data *data, int64_t index, uint8_t *item);
    sumi_status (*read_floats)(sumi_data *data, int64_t index, float *item);
    sumi_status (*read_label)(sumi_data *data, int64_t index, int32_t *label);
    /* NULL, or writes the height and the width that a picture has in its source, which read_bytes
       then gives at any size: that of data->shape. */
    sumi_status (*measure)(sumi_data *data, int64_t index, int64_t size[2]);
    /* NULL, or changes an item that training takes at `position` by a draw of its own, keyed by
       seed and position. */
    void (*draw)(sumi_data *data, uint64_t seed, int64_t position, int64_t index, float *item);
    /* NULL for items in any order, or the item at a place of an epoch's own order, which passes
       through the source from place to place; only while items are read on demand. */
    int64_t (*order)(const sumi_data *data, uint64_t seed, uint64_t epoch, int64_t place);
    void (*close)(sumi_data *data); /* also called when `open` failed half way */
    bool reads_files;               /* whose contents may have changed when a run is resumed */
};

struct sumi_data {
    sumi_context *context;
    const struct data_kind *kind;
    void *source;         /* owned by the kind; NULL once the items are in memory */
    char name[PATH_SIZE]; /* file, folder or generator, for messages */

    /* Set by the kind's `open`. */
    int64_t count;
    int rank;
    int64_t shape[SUMI_MAX_RANK];  /* of one item */
    int classes;                   /* 0 without labels */
    struct names class_names;      /* empty where they have none */
    struct names captions;         /* of the items; empty where they have none */
    enum sumi_item_kind items_are; /* 0: the usual kind of that rank */
    char auto_encoder[HASH_TEXT];  /* fingerprint of what items are latents of; "" for none */
    uint64_t files;                /* checksum of its files' sizes and times (hash_file), and of
                                      their names where they are several; 0 for no files */

    /* Set by data.c. */
    int64_t item_size; /* numbers in one item */
    double scale;      /* factor of the items (data.scale) */
    double caption_dropout;
    struct augment augment;
    void *items;         /* bytes or floats [count, item_size], or NULL while read on demand */
    int32_t *labels;     /* [count] beside `items` when there are classes */
    uint8_t *bytes;      /* [item_size], scratch for reading on demand */
    int readers;         /* number of threads that may read ahead */
    struct ahead *ahead; /* the threads (ahead.h); NULL before the first batch */

    /* Set by buckets.c. */
    sumi_data **buckets; /* [bucket_count], the items by size; NULL where all have one */
    int bucket_count;
    struct turns *turns; /* the order of their batches; NULL before a training */
    sumi_data *whole;    /* of a bucket: the data set that it is a part of; else NULL */
    int64_t *numbers;    /* of a bucket: [count] the numbers of its items in the whole's source */
};

extern const struct data_kind data_morlet, data_digits, data_shapes, data_swissroll, data_moons,
    data_gaussians, data_checkerboard, data_rings, data_heartbeat, data_noise, data_idx,
    data_cifar10, data_folder, data_webdataset, data_npy, data_csv;

/* The keys of a recipe's [data]: those of all kinds or of several (data.c), and those that one file
   alone reads, which stand in it; measured noise, which two read, is in points.c. */
extern const struct option *const data_tables[];
extern const struct option data_morlet_keys[], data_shapes_keys[], data_heartbeat_keys[];
extern const struct option data_noise_keys[], data_points_keys[], data_folder_keys[];
extern const struct option data_webdataset_keys[], data_caption_keys[];

/* Identifies the batch of a step; the order of the items changes with every epoch. */
struct batch_key {
    uint64_t seed;
    int64_t step, batch;
};

/* Writes item `index`, which must exist, to item[item_size] and its label to *label (or NULL). For
   pictures that are read on demand, bytes[item_size] is scratch memory of the calling thread. */
sumi_status data_read_item(sumi_data *data, uint8_t *bytes, int64_t index, float *item,
                           int32_t *label);
/* Writes the label of item `index`, -1 without classes. */
sumi_status data_read_label(sumi_data *data, int64_t index, int32_t *label);
/* data_read_item for item `i` of a batch, mirrored and shifted as the recipe says. */
sumi_status data_read_place(sumi_data *data, uint8_t *bytes, const struct batch_key *key, int64_t i,
                            float *item, int32_t *label);

/* Reads the items of one training step, in a new order each epoch, with the recipe's augmentation,
   to items[batch, item] and labels[batch] (or NULL). The result depends only on the arguments, so
   that a resumed run gets the same items as an uninterrupted one. Where reading takes long, other
   threads start to read the next step's batch (ahead.h). */
sumi_status data_read_batch(sumi_data *data, uint64_t seed, int64_t step, int64_t batch,
                            float *items, int32_t *labels);

/* The item that training takes at a position: a permutation of all items in every epoch. */
int64_t data_place(const sumi_data *data, uint64_t seed, int64_t position);

/* The captions of the items of data_read_batch, "" where the recipe's data.caption_dropout drops
   one; owned by the data set, which must have captions (captions.c). */
void data_batch_captions(sumi_data *data, uint64_t seed, int64_t step, int64_t batch,
                         const char **captions);

/* For kinds that read files: sets the name to data.path or, where that is empty, to the folder
   `usual` of the user's cache (an error if `usual` is NULL). A bare name such as fashion-mnist that
   is not a file in the current folder also means a folder of the cache. */
sumi_status data_find_path(sumi_data *data, const sumi_recipe *recipe, const char *usual);

/* The kind of the items in rows of numbers: data.items, else by the kind of network. */
enum sumi_item_kind data_items_of(const sumi_recipe *recipe);

#endif

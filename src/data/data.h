/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets: one frame over files and generators. A kind of data set says how to open it and how
   to read one item; the frame keeps the items in memory when they fit and reads them on demand
   when they do not. */
#ifndef SUMI_DATA_DATA_H
#define SUMI_DATA_DATA_H

#include "base/context.h"
#include "base/file.h"
#include "base/names.h"
#include "data/augment.h"
#include "files/recipe.h"

/* A new kind is one file with such a table, and one row in data.c. Either read_bytes (pictures,
   0 to 255) or read_floats gives item `index`, channels last; read_label may be NULL. Several
   threads read at once. */
struct data_kind {
    const char *name;
    sumi_status (*open)(sumi_data *data, const sumi_recipe *recipe);
    sumi_status (*read_bytes)(sumi_data *data, int64_t index, uint8_t *item);
    sumi_status (*read_floats)(sumi_data *data, int64_t index, float *item);
    sumi_status (*read_label)(sumi_data *data, int64_t index, int32_t *label);
    void (*close)(sumi_data *data); /* also called when `open` failed half way */
    bool reads_files;               /* that may be others when a run goes on */
};

struct sumi_data {
    sumi_context *context;
    const struct data_kind *kind;
    void *source;         /* of the kind; NULL once the items are in memory */
    char name[PATH_SIZE]; /* file, folder or generator, for messages */

    /* Set by the kind's `open`. */
    int64_t count;
    int rank;
    int64_t shape[SUMI_MAX_RANK];  /* of one item */
    int classes;                   /* 0 without labels */
    struct names class_names;      /* empty where they have none */
    enum sumi_item_kind items_are; /* 0: the usual kind of that rank */

    /* Set by the frame. */
    int64_t item_size; /* numbers in one item */
    double scale;      /* that they are multiplied by */
    struct augment augment;
    void *items;         /* bytes or floats [count, item_size], or NULL while read on demand */
    int32_t *labels;     /* [count] beside `items` when there are classes */
    uint8_t *bytes;      /* [item_size], scratch for reading on demand */
    int readers;         /* threads that may read ahead */
    struct ahead *ahead; /* that do (ahead.h); NULL before the first batch */
};

extern const struct data_kind data_morlet, data_digits, data_swissroll, data_moons, data_gaussians,
    data_checkerboard, data_rings, data_heartbeat, data_noise, data_idx, data_cifar10, data_folder,
    data_npy, data_csv;

/* Whose turn it is: the items of a step's batch, in an order that is new in each epoch. */
struct batch_key {
    uint64_t seed;
    int64_t step, batch;
};

/* Item `index`, which must exist, to item[item_size], its label to *label unless NULL. For pictures
   that are read on demand, bytes[item_size] is scratch of the calling thread. */
sumi_status data_read_item(sumi_data *data, uint8_t *bytes, int64_t index, float *item,
                           int32_t *label);
/* The same for item `i` of a batch, mirrored and moved as the recipe says. */
sumi_status data_read_place(sumi_data *data, uint8_t *bytes, const struct batch_key *key, int64_t i,
                            float *item, int32_t *label);

/* Items for one training step: a new order each epoch, and pictures mirrored if the recipe says
   so. A function of its arguments alone, so that a resumed run sees what it would have seen.
   items[batch, item], labels[batch] or NULL. Where it takes time, the batch of the step after is
   read by other threads from then on (ahead.h). */
sumi_status data_read_batch(sumi_data *data, uint64_t seed, int64_t step, int64_t batch,
                            float *items, int32_t *labels);

/* For kinds that read files: data.path, or the folder `usual` of the user's cache when it is
   empty (an error if `usual` is NULL); a bare name such as fashion-mnist that is no file here also
   means a folder of the cache. */
sumi_status data_find_path(sumi_data *data, const sumi_recipe *recipe, const char *usual);

/* What rows of numbers mean: pictures, signals or points (data.items, or by the network). */
enum sumi_item_kind data_items_of(const sumi_recipe *recipe);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A list of picture files for the data set of a folder, and their captions. */
#ifndef SUMI_DATA_PICTURES_H
#define SUMI_DATA_PICTURES_H

#include "data/data.h"

struct picture {
    char *path;
    int32_t label; /* -1 for a picture without a class */
};

struct pictures {
    struct picture *items;
    int64_t count, capacity;
};

sumi_status pictures_add(sumi_context *context, struct pictures *pictures, const char *path,
                         int32_t label);
void pictures_release(sumi_context *context, struct pictures *pictures);

/* Whether a file name is that of a picture. */
bool is_picture_name(const char *name);

/* ---- Captions (captions.c) ---- */

/* Adds the caption of item `index`: `text`, which must be UTF-8, without blanks around it, and with
   a blank in place of each end of a line. `source` is for messages. */
sumi_status caption_add(sumi_data *data, int64_t index, const char *text, const char *source);

/* Reads the caption of each picture from the file beside it that has the ending .txt. Warns where
   some have none, and refuses where none has one. */
sumi_status captions_read_beside(sumi_data *data, const struct pictures *pictures);

/* ---- Lists of pictures and captions (metadata.c) ---- */

/* Whether a file name is that of a list. */
bool is_list_name(const char *name);

/* Reads a list (.jsonl, .csv or .tsv): pictures by "file_name", relative to the list's folder, and
   captions by the key or column `key`, if that is not NULL ("auto": the usual ones). */
sumi_status pictures_read_list(sumi_data *data, const char *path, const char *key,
                               struct pictures *pictures);

/* Finds the list in a folder, metadata.jsonl or metadata.csv; *found is false without one. */
sumi_status pictures_find_list(sumi_context *context, const char *folder, char path[PATH_SIZE],
                               bool *found);

#endif

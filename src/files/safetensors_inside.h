/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the readers of one safetensors file and of a sharded set. */
#ifndef SUMI_FILES_SAFETENSORS_INSIDE_H
#define SUMI_FILES_SAFETENSORS_INSIDE_H

#include <json-c/json.h>

#include "base/names.h"
#include "files/safetensors.h"

struct safetensors {
    sumi_context *context;
    byte_source source;   /* of one file */
    json_object *header;  /* of one file, or the index; owns the tensors' names */
    struct names names;   /* of the tensors of other formats */
    bool other;           /* whether it is of another format */
    safetensors **shards; /* the files of a sharded set, else NULL */
    size_t shard_count;
    size_t count;
    safetensors_tensor *tensors;        /* [count], in the order of their data */
    const safetensors_tensor **by_name; /* [count], in the order of their names */
};

/* Creates an empty object; NULL with the message set on failure. */
safetensors *safetensors_new(sumi_context *context);

/* Fills by_name from the tensors. */
sumi_status safetensors_sort_names(safetensors *file);

/* ---- Other formats ---- */

/* Adds a tensor with a copy of its name, for a file whose `tensors` have space for it. Refuses data
   that are not inside the file. */
sumi_status tensors_add(safetensors *file, const char *name, const safetensors_tensor *tensor);
/* Sorts what was added; refuses two of a name. */
sumi_status tensors_finish(safetensors *file);
/* Reads packed data as float32 to output[count]. */
sumi_status tensor_unpack(const byte_source *source, const safetensors_tensor *tensor,
                          float *output);
/* Transposes a matrix that was read as it is in the file to output[shape]. */
sumi_status tensor_transpose(sumi_context *context, const safetensors_tensor *tensor,
                             float *output);
/* Fill an empty object, whose source is open. */
sumi_status pytorch_file_read(safetensors *file);
sumi_status gguf_read(safetensors *file);

/* Opens the set of the index at `path`. */
sumi_status safetensors_open_sharded(sumi_context *context, const char *path, safetensors **file);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the readers of one safetensors file and of a sharded set. */
#ifndef SUMI_FILES_SAFETENSORS_INSIDE_H
#define SUMI_FILES_SAFETENSORS_INSIDE_H

#include <json-c/json.h>

#include "files/safetensors.h"

struct safetensors {
    sumi_context *context;
    byte_source source;   /* of one file */
    json_object *header;  /* of one file, or the index; owns the tensors' names */
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

/* Opens the set of the index at `path`. */
sumi_status safetensors_open_sharded(sumi_context *context, const char *path, safetensors **file);

#endif

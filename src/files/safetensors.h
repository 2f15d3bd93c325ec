/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors, the common file format for the weights of PyTorch models: an 8-byte header length, a
   JSON header, then the little-endian data of named tensors. Reads one file or a sharded set
   through its index; writes tensor by tensor. Every length, offset and name is checked on
   opening. */
#ifndef SUMI_FILES_SAFETENSORS_H
#define SUMI_FILES_SAFETENSORS_H

#include "base/file.h"
#include "files/number.h"

typedef struct safetensors safetensors;

/* How the data of a tensor lie in the file: plainly, or in GGUF's blocks of 32 numbers with a
   common factor, of 8 or 4 bits each. */
enum tensor_packing { PACKING_NONE, PACKING_Q8_0, PACKING_Q4_0 };

typedef struct safetensors_tensor {
    const char *name;
    number_type type;            /* of packed tensors F32 */
    enum tensor_packing packing; /* other than none only in GGUF */
    bool transposed;             /* a matrix whose columns follow each other in the file */
    int rank;
    int64_t shape[SUMI_MAX_RANK];
    int64_t count;   /* number of elements */
    uint64_t offset; /* of its data, in its file */
    int shard;       /* index of the file, from 0 */
} safetensors_tensor;

/* Opens a file of any kind that has named tensors, known by its beginning: safetensors, PyTorch's
   zip files (.ckpt, .pt, .bin; pytorch_file.c) and GGUF (gguf.c). Further formats are read through
   the same calls; nothing in them is executed. */
sumi_status tensors_open(sumi_context *context, const char *path, safetensors **file);
/* What a tensor of a file is called by tensors_select: its name, and its shape and place. */
struct tensor_choice {
    char name[512];
    safetensors_tensor tensor; /* its name is not read */
};
enum { TENSOR_CHOICES = 3 };
/* Replaces the tensors of an opened file, which is not a sharded set, by what `choose` makes of
 *each: count of them, of which each lies inside the tensor; 0 leaves it out. */
sumi_status tensors_select(safetensors *file,
                           sumi_status (*choose)(void *user, const safetensors_tensor *tensor,
                                                 struct tensor_choice choices[TENSOR_CHOICES],
                                                 int *count),
                           void *user);
/* The type of a tensor for people, such as "F16" or "Q8_0". */
const char *tensor_type_name(const safetensors_tensor *tensor);

/* Opens a .safetensors file, or a sharded set by its index (a name ending in ".json", with the
   shards in the same folder). Reads only headers. */
sumi_status safetensors_open(sumi_context *context, const char *path, safetensors **file);

/* The same for one file in memory, which must outlive `*file`; `name` is for messages. */
sumi_status safetensors_parse(sumi_context *context, const void *bytes, size_t size,
                              const char *name, safetensors **file);
void safetensors_free(safetensors *file); /* accepts NULL */

/* The tensors by number, in the order of their data; NULL past the last. */
size_t safetensors_count(const safetensors *file);
const safetensors_tensor *safetensors_tensor_at(const safetensors *file, size_t number);
/* The tensor of that name, or NULL. */
const safetensors_tensor *safetensors_find(const safetensors *file, const char *name);

/* Converts a tensor to float32: output[tensor->count]. Any type. */
sumi_status safetensors_read(const safetensors *file, const safetensors_tensor *tensor,
                             float *output);
/* Copies a tensor's little-endian bytes: output[tensor->count * number_size(tensor->type)]. */
sumi_status safetensors_read_bytes(const safetensors *file, const safetensors_tensor *tensor,
                                   void *output);

/* The tensor's little-endian bytes as read-only memory, valid until the file is freed; maps or
   copies the file (see source_bytes). NULL where that is not possible, or where they are not
   aligned for their type. */
const void *safetensors_map(const safetensors *file, const safetensors_tensor *tensor);
/* Fails where a file that is mapped has been truncated or written to (see source_check). */
sumi_status safetensors_check(sumi_context *context, const safetensors *file);

/* The text under a key of __metadata__, or NULL. Valid until the file is freed. */
const char *safetensors_metadata(const safetensors *file, const char *key);
/* All metadata, of one file or of an index; NULL where there is none. */
struct json_object *safetensors_metadata_object(const safetensors *file);

/* One tensor to write. `data` is float32 where `type` is F32, F16 or BF16 (converted when writing),
   else numbers of that type. */
typedef struct safetensors_entry {
    const char *name;
    number_type type;
    int rank;
    int64_t shape[SUMI_MAX_RANK];
    const void *data;
} safetensors_entry;

typedef struct safetensors_text {
    const char *key, *value;
} safetensors_text;

/* Writes tensors and metadata: see below. */
sumi_status safetensors_put(sumi_context *context, file_writer *writer,
                            const safetensors_entry *entries, size_t count,
                            const safetensors_text *metadata, size_t metadata_count);

/* Writes a file that appears whole or not at all. The metadata always have "format": "pt". Wider
   types come first, as in the reference implementation; otherwise the order is kept. */
sumi_status safetensors_write(sumi_context *context, const char *path,
                              const safetensors_entry *entries, size_t count,
                              const safetensors_text *metadata, size_t metadata_count);

/* The checked index of a sharded set: tensor names and the files that contain them. */
typedef struct safetensors_index {
    size_t count;
    const char **names, **files; /* [count], owned by `json` */
    struct json_object *json;
} safetensors_index;
sumi_status safetensors_index_parse(sumi_context *context, const void *bytes, size_t size,
                                    const char *name, safetensors_index *index);
void safetensors_index_release(sumi_context *context, safetensors_index *index);

#endif

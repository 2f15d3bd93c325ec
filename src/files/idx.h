/* SPDX-License-Identifier: Apache-2.0 */
/* IDX, the format of MNIST and its relatives: a magic number with type and rank, big-endian
   dimensions, big-endian data; plain (read by rows) or gzipped (inflated into memory, at most to
   the size in its header). */
#ifndef SUMI_FILES_IDX_H
#define SUMI_FILES_IDX_H

#include "files/number.h"

typedef struct idx idx;

typedef struct idx_info {
    number_type type;
    int rank;                     /* at least 1 */
    int64_t shape[SUMI_MAX_RANK]; /* shape[0] is the number of items */
    int64_t count;                /* number of elements */
    int64_t rows, row_size;       /* shape[0] and elements of one item */
} idx_info;

/* Opens a file, gzipped or not (detected from its contents). */
sumi_status idx_open(sumi_context *context, const char *path, idx **file);
/* The same over memory, which must outlive `*file`. */
sumi_status idx_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                      idx **file);
void idx_free(idx *file); /* accepts NULL */

const idx_info *idx_describe(const idx *file);

/* Reads items first .. first + count - 1 as float32 to output[count, row_size]. */
sumi_status idx_read_rows(const idx *file, int64_t first, int64_t count, float *output);
/* The same as bytes, for files of type U8 only. */
sumi_status idx_read_bytes(const idx *file, int64_t first, int64_t count, uint8_t *output);

#endif

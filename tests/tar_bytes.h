/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives in memory, put together header by header as POSIX describes them. */
#ifndef TESTS_TAR_BYTES_H
#define TESTS_TAR_BYTES_H

#include "check.h"

enum { TAR_SPACE = 1 << 18, TAR_BLOCK = 512 };

struct tar_bytes {
    uint8_t bytes[TAR_SPACE];
    size_t size;
};

/* The sum of a header with blanks in its place, as six octal digits, a zero and a blank. */
static inline void tar_sum(uint8_t *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++) sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

/* Adds a member of a type ('0' for a file); returns its header. */
static inline uint8_t *tar_put(struct tar_bytes *tar, const char *name, char type, const void *data,
                               size_t size)
{
    uint8_t *header = tar->bytes + tar->size;
    assert_true(tar->size + 3 * TAR_BLOCK + size < TAR_SPACE);
    memset(header, 0, TAR_BLOCK);
    strncpy((char *)header, name, 100);
    snprintf((char *)header + 100, 8, "%07o", 0644);
    snprintf((char *)header + 124, 12, "%011o", (unsigned)size);
    header[156] = (uint8_t)type;
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    tar_sum(header);
    memset(header + TAR_BLOCK, 0, (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK);
    if (size) memcpy(header + TAR_BLOCK, data, size);
    tar->size += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    return header;
}

static inline void tar_end(struct tar_bytes *tar)
{
    memset(tar->bytes + tar->size, 0, 2 * TAR_BLOCK);
    tar->size += 2 * TAR_BLOCK;
}

#endif

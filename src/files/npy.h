/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy's .npy files, versions 1 to 3: booleans, integers and floats of any width and byte order,
   C or Fortran order, read whole or by rows. */
#ifndef SUMI_FILES_NPY_H
#define SUMI_FILES_NPY_H

#include "base/file.h"
#include "files/number.h"

typedef struct npy npy;

typedef struct npy_info {
    number_type type;
    bool big_endian, fortran_order;
    int rank;
    int64_t shape[SUMI_MAX_RANK]; /* as Python shows it, for either order of the file */
    int64_t count;                /* number of elements */
    int64_t rows, row_size;       /* shape[0] and elements of one row; 1 and 1 for rank 0 */
} npy_info;

/* Whether the bytes begin as an .npy file does. */
bool npy_is(const void *bytes, size_t size);

/* Opens a file; only the header is read. */
sumi_status npy_open(sumi_context *context, const char *path, npy **file);
/* The same over memory, which must outlive `*file`. */
sumi_status npy_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                      npy **file);
void npy_free(npy *file); /* accepts NULL */

const npy_info *npy_describe(const npy *file);

/* Reads rows first .. first + count - 1 as float32 to output[count, row_size], row-major. */
sumi_status npy_read_rows(const npy *file, int64_t first, int64_t count, float *output);

/* Reads the whole file to output[count], row-major; F64 without rounding. */
sumi_status npy_read_doubles(const npy *file, double *output);

/* Reads the whole file, or memory, into a new array. */
sumi_status npy_read(sumi_context *context, const char *path, sumi_array *array);
sumi_status npy_read_memory(sumi_context *context, const void *bytes, size_t size, const char *name,
                            sumi_array *array);

/* Writes a header of version 1 for a type such as "<f4", in C order; returns its size. */
enum { NPY_HEADER_SIZE = 256 };
size_t npy_header(const char *type, int rank, const int64_t *shape, char header[NPY_HEADER_SIZE]);

/* Writes version 1, '<f4', C order. */
sumi_status npy_put(sumi_context *context, file_writer *writer, const sumi_array *array);

#endif

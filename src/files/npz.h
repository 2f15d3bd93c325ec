/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy's .npz files: zip archives of .npy files, stored or deflated. Arrays are double. */
#ifndef SUMI_FILES_NPZ_H
#define SUMI_FILES_NPZ_H

#include "files/source.h"

/* An array of doubles, row-major. */
struct npz_array {
    const char *name; /* without ".npy" */
    int rank;
    int64_t most; /* numbers that are read; more are refused */
    int64_t shape[SUMI_MAX_RANK];
    double *values;
};

/* Reads the arrays of these names, whose ranks must be as given, into new memory
   (context_release). Other members of the archive are ignored. */
sumi_status npz_read(sumi_context *context, const char *path, int count, struct npz_array *arrays);
sumi_status npz_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                      int count, struct npz_array *arrays);
void npz_release(sumi_context *context, int count, struct npz_array *arrays);

/* Writes a file with these arrays, as numpy.savez does. It appears whole or not at all. */
sumi_status npz_write(sumi_context *context, const char *path, int count,
                      const struct npz_array *arrays);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an .npy file: refused with a sentence, or all rows read, at once and one by one. */
#include <stdlib.h>

#include "files/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_all(sumi_context *context, const npy *file)
{
    const npy_info *info = npy_describe(file);
    float *values = context_allocate(context, (size_t)info->count, sizeof *values);
    if (!values || npy_read_rows(file, 0, info->rows, values) != SUMI_OK) abort();
    for (int64_t row = 0; info->count && row < info->rows; row++) {
        if (npy_read_rows(file, row, 1, values) != SUMI_OK) abort();
    }
    context_release(context, values);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    npy *file = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (npy_parse(context, bytes, size, "fuzz", &file) == SUMI_OK) read_all(context, file);
    npy_free(file);
    sumi_context_free(context);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an IDX file, plain or gzipped: refused with a sentence, or all items read. */
#include <stdlib.h>

#include "files/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_all(sumi_context *context, const idx *file)
{
    const idx_info *info = idx_describe(file);
    float *values = context_allocate(context, (size_t)info->count, sizeof *values);
    if (!values || idx_read_rows(file, 0, info->rows, values) != SUMI_OK) abort();
    context_release(context, values);
    uint8_t *raw = context_allocate(context, (size_t)info->count, 1);
    if (!raw) abort();
    if (info->type == NUMBER_U8 && idx_read_bytes(file, 0, info->rows, raw) != SUMI_OK) abort();
    context_release(context, raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    idx *file = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (idx_parse(context, bytes, size, "fuzz", &file) == SUMI_OK) read_all(context, file);
    idx_free(file);
    sumi_context_free(context);
    return 0;
}

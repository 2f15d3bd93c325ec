/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets of files of tensors share: reading bytes, and then every tensor. */
#ifndef FUZZ_TENSOR_FILE_H
#define FUZZ_TENSOR_FILE_H

#include <stdlib.h>

#include "files/safetensors_inside.h"

/* Reads every tensor of an opened file, which must give it. */
static inline void read_tensors(sumi_context *context, const safetensors *file)
{
    enum { MOST = 1 << 20 };
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const safetensors_tensor *tensor = safetensors_tensor_at(file, i);
        if (safetensors_find(file, tensor->name) != tensor) abort();
        if (tensor->count > MOST) continue;
        float *values = malloc((size_t)tensor->count * sizeof *values + 1);
        if (!values || safetensors_read(file, tensor, values) != SUMI_OK) abort();
        free(values);
    }
    (void)context;
}

static inline void read_tensor_file(const uint8_t *bytes, size_t size,
                                    sumi_status (*read)(safetensors *file))
{
    sumi_context *context = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return;
    safetensors *file = safetensors_new(context);
    if (!file || source_from_memory(context, bytes, size, "fuzz", &file->source) != SUMI_OK)
        abort();
    file->other = true;
    if (read(file) == SUMI_OK && tensors_finish(file) == SUMI_OK) read_tensors(context, file);
    safetensors_free(file);
    sumi_context_free(context);
}

#endif

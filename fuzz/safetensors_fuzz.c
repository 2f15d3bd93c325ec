/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a safetensors file: refused with a sentence, or every tensor read both ways. */
#include <stdlib.h>

#include "files/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_all(sumi_context *context, const safetensors *file)
{
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const safetensors_tensor *tensor = safetensors_tensor_at(file, i);
        if (safetensors_find(file, tensor->name) != tensor) abort();
        float *values = context_allocate(context, (size_t)tensor->count, sizeof *values);
        uint8_t *raw = context_allocate(context, (size_t)tensor->count, number_size(tensor->type));
        if (!values || !raw) abort();
        if (safetensors_read(file, tensor, values) != SUMI_OK) abort();
        if (safetensors_read_bytes(file, tensor, raw) != SUMI_OK) abort();
        context_release(context, values);
        context_release(context, raw);
    }
    (void)safetensors_metadata(file, "format");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    safetensors *file = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (safetensors_parse(context, bytes, size, "fuzz", &file) == SUMI_OK) read_all(context, file);
    safetensors_free(file);
    sumi_context_free(context);
    return 0;
}

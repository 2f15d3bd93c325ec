/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a CIFAR-10 batch: refused with a sentence, or all images read. */
#include <stdlib.h>

#include "files/cifar.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_all(sumi_context *context, const cifar *file)
{
    size_t count = (size_t)cifar_count(file);
    uint8_t *pixels = context_allocate(context, count, CIFAR_PIXELS);
    uint8_t *labels = context_allocate(context, count, 1);
    if (!pixels || !labels) abort();
    (void)cifar_read_rows(file, 0, (int64_t)count, pixels, labels);
    context_release(context, pixels);
    context_release(context, labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    cifar *file = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (cifar_parse(context, bytes, size, "fuzz", &file) == SUMI_OK) read_all(context, file);
    cifar_free(file);
    sumi_context_free(context);
    return 0;
}

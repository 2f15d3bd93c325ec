/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of a cache of latents: one that passes the checks can be read as the two
   tensors that a data set maps. The seeds bear the fingerprints that are wanted here. */
#include <stdlib.h>

#include "data/latents.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ITEMS = 2, NUMBERS = ITEMS * 2 * 3 * 2 };

static const struct latents_cache CACHE = {.folder = "cache",
                                           .auto_encoder = "a",
                                           .pictures = "b",
                                           .count = 2 * ITEMS,
                                           .each = ITEMS,
                                           .shape = {2, 3, 2},
                                           .deviations = true};

static void read_one(const safetensors *file, const char *name)
{
    float values[NUMBERS];
    const safetensors_tensor *tensor = safetensors_find(file, name);
    if (!tensor || tensor->count != NUMBERS) abort();
    if (safetensors_read(file, tensor, values) != SUMI_OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    safetensors *file = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (safetensors_parse(context, bytes, size, "latents", &file) == SUMI_OK
        && latents_file_check(context, &CACHE, 0, "latents", file) == SUMI_OK) {
        read_one(file, "latents");
        read_one(file, "deviations");
    }
    safetensors_free(file);
    sumi_context_free(context);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the index of a sharded set: refused with a sentence, or plain file names only. */
#include <stdlib.h>
#include <string.h>

#include "files/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    safetensors_index index;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (safetensors_index_parse(context, bytes, size, "fuzz", &index) == SUMI_OK) {
        for (size_t i = 0; i < index.count; i++) {
            if (!index.names[i] || strchr(index.files[i], '/')) abort();
        }
        safetensors_index_release(context, &index);
    }
    sumi_context_free(context);
    return 0;
}

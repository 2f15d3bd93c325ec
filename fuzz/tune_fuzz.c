/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the file of choices between ways of convolution: never more choices than lines. */
#include <stdlib.h>
#include <string.h>

#include "cpu/tune.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    struct memory memory = {.context = context};
    char *text = malloc(size + 1);
    if (text) {
        memcpy(text, bytes, size);
        text[size] = '\0';
        if (tune_memory_parse(&memory, text) != SUMI_OK) abort();
        for (int64_t i = 0; i < memory.count; i++) {
            if (!tune_memory_find(&memory, memory.choices[i].key)) abort();
        }
    }
    free(text);
    context_release(context, memory.choices);
    sumi_context_free(context);
    return 0;
}

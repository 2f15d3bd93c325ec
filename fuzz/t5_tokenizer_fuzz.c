/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a spiece.model and a text for it, or as a tokenizer.json and a text: two bytes for
   the size of the file, whose highest bit says which it is, the file, and the text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "budget.h"
#include "text/t5_tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { LENGTH = 64, JSON = 1 << 15 };

static void encode(sumi_context *context, const char *folder, const char *text, size_t size)
{
    struct t5_tokenizer *tokenizer = NULL;
    int32_t ids[LENGTH];
    char *again = NULL;
    if (t5_tokenizer_open(context, folder, &tokenizer) != SUMI_OK) {
        if (!*sumi_context_message(context)) abort();
        return;
    }
    if (t5_tokenizer_encode(context, tokenizer, text, size, LENGTH, ids, NULL, NULL) == SUMI_OK
        && t5_tokenizer_decode(context, tokenizer, LENGTH, ids, &again) == SUMI_OK) {
        for (int i = 0; i < LENGTH; i++)
            if (ids[i] < 0 || ids[i] >= t5_tokenizer_rows(tokenizer)) abort();
    }
    context_release(context, again);
    t5_tokenizer_free(tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char folder[64];
    struct budget budget = {16 << 20};
    const sumi_allocator allocator = {&budget, budget_allocate, budget_release};
    sumi_context *context = NULL;
    char model[128], json[128];
    if (!folder[0]) snprintf(folder, sizeof folder, "/tmp/sumi-fuzz-XXXXXX");
    if (size < 2 || (strstr(folder, "XXXXXX") && !mkdtemp(folder))) return 0;
    size_t head = bytes[0] | (size_t)bytes[1] << 8, length = head % JSON;
    bytes += 2;
    size -= 2;
    if (length > size) length = size;
    snprintf(model, sizeof model, "%s/spiece.model", folder);
    snprintf(json, sizeof json, "%s/tokenizer.json", folder);
    remove(model);
    FILE *file = fopen(head & JSON ? json : model, "wb");
    if (!file) return 0;
    fwrite(bytes, 1, length, file);
    fclose(file);
    if (sumi_context_create(&allocator, &context) != SUMI_OK) return 0;
    encode(context, folder, (const char *)bytes + length, size - length);
    sumi_context_free(context);
    return 0;
}

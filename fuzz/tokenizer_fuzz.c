/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the files of a tokenizer and a text for it, parted by zero bytes: vocab.json,
   merges.txt, special_tokens_map.json, tokenizer.json (read where vocab.json is empty), and the
   text, to which zero bytes belong. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "budget.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const names[] = {"vocab.json", "merges.txt", "special_tokens_map.json",
                                    "tokenizer.json"};
enum { NAMES = sizeof names / sizeof *names, LENGTH = 77 };

/* Writes a file of a folder, or removes it where there are no bytes. */
static void put_file(const char *folder, const char *name, const uint8_t *bytes, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    remove(path);
    FILE *file = size ? fopen(path, "wb") : NULL;
    if (!file) return;
    fwrite(bytes, 1, size, file);
    fclose(file);
}

static void encode(sumi_context *context, const char *folder, const char *text, size_t size)
{
    sumi_tokenizer *tokenizer = NULL;
    int32_t ids[LENGTH];
    char *again = NULL;
    if (sumi_tokenizer_open(context, folder, &tokenizer) != SUMI_OK) return;
    if (sumi_tokenizer_encode(tokenizer, text, size, LENGTH, ids, NULL) == SUMI_OK)
        (void)sumi_tokenizer_decode(tokenizer, LENGTH, ids, &again);
    sumi_text_release(context, again);
    sumi_tokenizer_free(tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char folder[64];
    struct budget budget = {64 << 20};
    const sumi_allocator allocator = {&budget, budget_allocate, budget_release};
    sumi_context *context = NULL;
    if (!folder[0]) snprintf(folder, sizeof folder, "/tmp/sumi-fuzz-XXXXXX");
    if (strstr(folder, "XXXXXX") && !mkdtemp(folder)) return 0;
    for (int i = 0; i < NAMES; i++) {
        const uint8_t *end = memchr(bytes, 0, size);
        size_t length = end ? (size_t)(end - bytes) : size;
        put_file(folder, names[i], bytes, length);
        bytes += length + (end != NULL);
        size -= length + (end != NULL);
    }
    if (sumi_context_create(&allocator, &context) != SUMI_OK) return 0;
    encode(context, folder, (const char *)bytes, size);
    sumi_context_free(context);
    return 0;
}

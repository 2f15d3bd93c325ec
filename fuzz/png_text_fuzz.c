/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the texts of a PNG file: refused with a sentence, or read, and read again after a
   text was added. The checksums are put right first. */
#include <stdlib.h>
#include <string.h>

#include "files/png_text.h"
#include "png_checksums.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(sumi_context *context, const uint8_t *bytes, size_t size)
{
    const sumi_png_text text = {.size = sizeof text, .keyword = "Title", .text = "a text"};
    void *result = NULL;
    size_t length = 0;
    if (png_texts_put(context, bytes, size, "fuzz", &text, 1, &result, &length) != SUMI_OK) return;
    json_object *texts = json_object_new_object();
    if (png_texts_read(context, result, length, "fuzz", texts) != SUMI_OK) abort();
    const char *read = json_object_get_string(json_object_object_get(texts, "Title"));
    if (!read || strcmp(read, "a text") != 0) abort();
    json_object_put(texts);
    sumi_bytes_release(context, result);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    uint8_t *copy = malloc(size ? size : 1);
    json_object *texts = json_object_new_object();
    if (!copy || !texts || sumi_context_create(NULL, &context) != SUMI_OK) abort();
    if (size) memcpy(copy, bytes, size);
    put_checksums_right(copy, size);
    if (png_texts_read(context, copy, size, "fuzz", texts) == SUMI_OK) use(context, copy, size);
    json_object_put(texts);
    sumi_context_free(context);
    free(copy);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON: refused with a sentence, or written back as text that parses again. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void write_back(sumi_context *context, json_object *value)
{
    char *text = NULL;
    json_object *again = NULL;
    if (json_to_text(context, value, &text) != SUMI_OK) abort();
    if (json_parse(context, text, strlen(text), "again", &again) != SUMI_OK) abort();
    json_object_put(again);
    context_release(context, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    json_object *value = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (json_parse(context, (const char *)bytes, size, "fuzz", &value) == SUMI_OK) {
        write_back(context, value);
    }
    json_object_put(value);
    sumi_context_free(context);
    return 0;
}

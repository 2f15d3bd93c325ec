/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a pickle: refused with a sentence, or values whose texts are inside. */
#include <stdlib.h>

#include "files/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(const pickle *parsed, const uint8_t *bytes, size_t size)
{
    const struct pickle_value *root = pickle_root(parsed);
    (void)pickle_member(parsed, root, "state_dict");
    for (int64_t i = 0; i < root->count; i++) {
        const struct pickle_value *value = pickle_item(parsed, root, i);
        if (!value) abort();
        (void)pickle_is_name(parsed, value, "torch", "FloatStorage");
        const uint8_t *text = (const uint8_t *)value->text;
        if (text && (text < bytes || value->size > size - (size_t)(text - bytes))) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    pickle *parsed = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (pickle_parse(context, bytes, size, "fuzz", &parsed) == SUMI_OK) use(parsed, bytes, size);
    else if (parsed) abort();
    pickle_free(parsed);
    sumi_context_free(context);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a recipe: parsed or refused with a sentence, and every key of a parsed one read. */
#include "recipes/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    sumi_recipe *recipe = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (recipe_parse(context, &recipe_keys, "fuzz", (const char *)bytes, size, &recipe)
        == SUMI_OK) {
        int64_t values[RECIPE_LIST_LIMIT];
        const struct option *row;
        for (int i = 0; (row = recipe_row(&recipe_keys, i)) != NULL; i++) {
            recipe_number(recipe, row->name);
            recipe_list(recipe, row->name, values);
        }
    }
    sumi_recipe_free(recipe);
    sumi_context_free(context);
    return 0;
}

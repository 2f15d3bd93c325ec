/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a recipe: parsed or refused with a sentence, and every key of a parsed one read. */
#include "files/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    sumi_recipe *recipe = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (recipe_parse(context, "fuzz", (const char *)bytes, size, &recipe) == SUMI_OK) {
        int64_t values[RECIPE_LIST_LIMIT];
        for (int i = 0; i < recipe_schema_count; i++) {
            recipe_number(recipe, recipe_schema[i].name);
            recipe_list(recipe, recipe_schema[i].name, values);
        }
    }
    sumi_recipe_free(recipe);
    sumi_context_free(context);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a recipe by type. They are checked when they are set. */
#include <string.h>

#include "base/text.h"
#include "files/recipe.h"

const char *recipe_text(const sumi_recipe *recipe, const char *key)
{
    const char *value = sumi_recipe_get(recipe, key);
    return value ? value : "";
}

int64_t recipe_int(const sumi_recipe *recipe, const char *key)
{
    int64_t value = 0;
    text_to_whole(recipe_text(recipe, key), &value);
    return value;
}

uint64_t recipe_seed(const sumi_recipe *recipe, const char *key)
{
    uint64_t seed = 0;
    text_to_seed(recipe_text(recipe, key), &seed);
    return seed;
}

double recipe_number(const sumi_recipe *recipe, const char *key)
{
    double value = 0;
    text_to_number(recipe_text(recipe, key), &value);
    return value;
}

bool recipe_is(const sumi_recipe *recipe, const char *key, const char *text)
{
    return strcmp(recipe_text(recipe, key), text) == 0;
}

bool recipe_flag(const sumi_recipe *recipe, const char *key)
{
    return recipe_is(recipe, key, "yes");
}

int recipe_words(const sumi_recipe *recipe, const char *key,
                 char words[RECIPE_LIST_LIMIT][RECIPE_WORD_SIZE])
{
    if (recipe_is(recipe, key, "auto")) return 0;
    int count = 0;
    for (const char *rest = recipe_text(recipe, key); rest && count < RECIPE_LIST_LIMIT;) {
        const char *comma = strchr(rest, ',');
        text_copy_trimmed(rest, comma ? comma : rest + strlen(rest), words[count++],
                          RECIPE_WORD_SIZE);
        rest = comma ? comma + 1 : NULL;
    }
    return count;
}

int recipe_list(const sumi_recipe *recipe, const char *key, int64_t values[RECIPE_LIST_LIMIT])
{
    char words[RECIPE_LIST_LIMIT][RECIPE_WORD_SIZE];
    int count = recipe_words(recipe, key, words);
    for (int i = 0; i < count; i++) {
        values[i] = strcmp(words[i], "yes") == 0 || strcmp(words[i], "true") == 0;
        text_to_whole(words[i], &values[i]);
    }
    return count;
}

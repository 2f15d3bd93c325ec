/* SPDX-License-Identifier: Apache-2.0 */
/* Opening recipes with all keys: built-in ones by name, files by path, texts; and listing both. */
#include <string.h>

#include "base/file.h"
#include "base/structure.h"
#include "base/text.h"
#include "recipes/keys.h"

enum { RECIPE_SIZE_LIMIT = 1 << 20 };

const char *sumi_recipe_name(int number)
{
    for (int i = 0; i < number && built_in_recipes[i].name; i++) {
        if (!built_in_recipes[i + 1].name) return NULL;
    }
    return number < 0 ? NULL : built_in_recipes[number].name;
}

const char *sumi_recipe_summary(int number)
{
    return sumi_recipe_name(number) ? built_in_recipes[number].summary : NULL;
}

static sumi_status open_built_in(sumi_context *context, const char *name, sumi_recipe **recipe)
{
    const char *nearest = "", *candidate = NULL;
    int shortest = 1 << 20;
    for (int i = 0; (candidate = sumi_recipe_name(i)) != NULL; i++) {
        int distance = text_distance(name, candidate);
        if (distance >= shortest) continue;
        shortest = distance;
        nearest = candidate;
        if (strcmp(name, candidate) != 0) continue;
        const char *text = built_in_recipes[i].text;
        TRY(recipe_parse(context, &recipe_keys, name, text, strlen(text), recipe));
        recipe_forget_lines(*recipe);
        return SUMI_OK;
    }
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "there is no built-in recipe '%.80s'; did you mean %s, or the file "
                        "./%.80s?",
                        name, nearest, name);
}

sumi_status sumi_recipe_parse(sumi_context *context, const char *text, const char *name,
                              sumi_recipe **recipe)
{
    return recipe_parse(context, &recipe_keys, name, text, strlen(text), recipe);
}

sumi_status sumi_recipe_open(sumi_context *context, const char *name_or_path, sumi_recipe **recipe)
{
    *recipe = NULL;
    if (!strchr(name_or_path, '/') && !path_has_ending(name_or_path, ".ini")) {
        return open_built_in(context, name_or_path, recipe);
    }
    void *text = NULL;
    size_t size = 0;
    TRY(file_read(context, name_or_path, RECIPE_SIZE_LIMIT, &text, &size));
    sumi_status status = recipe_parse(context, &recipe_keys, name_or_path, text, size, recipe);
    context_release(context, text);
    return status;
}

bool sumi_recipe_describe(int number, sumi_recipe_key *key)
{
    const struct option *row = recipe_row(&recipe_keys, number);
    if (!row) return false;
    const sumi_recipe_key all = {
        .key = row->name, .default_value = row->default_value, .meaning = row->meaning};
    return structure_fill(key, &all, sizeof all);
}

bool sumi_recipe_option(const sumi_recipe *recipe, int number, sumi_option *option)
{
    const struct option *row = recipe_row(&recipe_keys, number);
    return row && option_describe(row, NULL, !recipe || recipe_reads(recipe, row), option);
}

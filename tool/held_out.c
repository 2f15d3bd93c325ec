/* SPDX-License-Identifier: Apache-2.0 */
/* Held-out items; see held_out.h. */
#include "held_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_SIZE = 4096 };

bool recipe_reads_key(const sumi_recipe *recipe, const char *key)
{
    sumi_option option = {.size = sizeof option};
    for (int i = 0; sumi_recipe_option(recipe, i, &option); i++)
        if (strcmp(option.name, key) == 0) return option.read;
    return false;
}

sumi_status held_out_split(sumi_recipe *recipe)
{
    if (!recipe_reads_key(recipe, "data.split")) return SUMI_OK;
    return sumi_recipe_set_text(recipe, "data.split", "test");
}

sumi_status held_out_seed(sumi_recipe *recipe)
{
    char seed[48];
    if (!recipe_reads_key(recipe, "data.seed")) return SUMI_OK;
    unsigned long long now = strtoull(sumi_recipe_get(recipe, "data.seed"), NULL, 10);
    snprintf(seed, sizeof seed, "%llu", now + 1);
    return sumi_recipe_set_text(recipe, "data.seed", seed);
}

/* Opens the data set with another value of a key, which then has its own again. */
static sumi_status open_with(sumi_context *context, sumi_recipe *recipe, const char *key,
                             sumi_data **data)
{
    char own[VALUE_SIZE], path[VALUE_SIZE];
    snprintf(own, sizeof own, "%s", sumi_recipe_get(recipe, key));
    snprintf(path, sizeof path, "%s", sumi_recipe_get(recipe, "sample.held_out"));
    sumi_status status = path[0] ? sumi_recipe_set_text(recipe, key, path) : held_out_split(recipe);
    if (status == SUMI_OK && !path[0]) status = held_out_seed(recipe);
    if (status == SUMI_OK) status = sumi_data_open(context, recipe, data);
    if (status == SUMI_OK) status = sumi_recipe_set_text(recipe, key, own);
    return status;
}

sumi_status held_out_open(sumi_context *context, sumi_recipe *recipe, sumi_data **data)
{
    *data = NULL;
    if (sumi_recipe_get(recipe, "sample.held_out")[0])
        return open_with(context, recipe, "data.path", data);
    if (recipe_reads_key(recipe, "data.split"))
        return open_with(context, recipe, "data.split", data);
    if (recipe_reads_key(recipe, "data.seed")) return open_with(context, recipe, "data.seed", data);
    return SUMI_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Paths in recipes: makes those that exist in the current folder absolute. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "files/recipe.h"

static sumi_status settle(sumi_recipe *recipe, const char *key)
{
    char folder[PATH_SIZE], assignment[2 * PATH_SIZE];
    const char *path = recipe_text(recipe, key);
    /* names that do not exist here may be data sets in the user's cache */
    if (path[0] == '/' || !path[0] || !path_exists(path)) return SUMI_OK;
    if (!getcwd(folder, sizeof folder)) return SUMI_OK;
    while (strncmp(path, "./", 2) == 0) path += 2;
    int length = snprintf(assignment, sizeof assignment, "%s=%s/%s", key,
                          strcmp(folder, "/") ? folder : "", path);
    if (length >= (int)sizeof assignment) return SUMI_OK;
    /* a folder whose name cannot be written in a recipe leaves the path unchanged */
    sumi_status status = sumi_recipe_set(recipe, assignment);
    return status == SUMI_ERROR_MEMORY ? status : SUMI_OK;
}

sumi_status sumi_recipe_settle_paths(sumi_recipe *recipe)
{
    const struct option *row;
    for (int i = 0; (row = recipe_row(recipe_keys_of(recipe), i)) != NULL; i++)
        if (row->type == OPTION_PATH) TRY(settle(recipe, row->name));
    return SUMI_OK;
}

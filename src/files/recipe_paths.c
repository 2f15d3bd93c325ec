/* SPDX-License-Identifier: Apache-2.0 */
/* Paths in recipes: those that lead somewhere from the present folder are made to lead there from
   any other. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "files/recipe.h"

static const char *const KEYS[] = {"data.path", "model.config", "train.teacher"};

static sumi_status settle(sumi_recipe *recipe, const char *key)
{
    char folder[PATH_SIZE], assignment[2 * PATH_SIZE];
    const char *path = recipe_text(recipe, key);
    /* other names may be those of data sets in the user's cache */
    if (path[0] == '/' || !path[0] || !path_exists(path)) return SUMI_OK;
    if (!getcwd(folder, sizeof folder)) return SUMI_OK;
    while (strncmp(path, "./", 2) == 0) path += 2;
    int length = snprintf(assignment, sizeof assignment, "%s=%s/%s", key,
                          strcmp(folder, "/") ? folder : "", path);
    if (length >= (int)sizeof assignment) return SUMI_OK;
    /* a folder whose name a recipe cannot hold leaves the path as it is */
    sumi_status status = sumi_recipe_set(recipe, assignment);
    return status == SUMI_ERROR_MEMORY ? status : SUMI_OK;
}

sumi_status sumi_recipe_settle_paths(sumi_recipe *recipe)
{
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) TRY(settle(recipe, KEYS[i]));
    return SUMI_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* All keys of recipes, and the recipes that are built into the library. */
#ifndef SUMI_RECIPES_KEYS_H
#define SUMI_RECIPES_KEYS_H

#include "files/recipe.h"

/* The sections that the folders below read, and [recipe] and [sample], which programs read. */
extern const struct recipe_keys recipe_keys;

/* The texts of recipes/, put into the library by cmake/embed_recipes.cmake. */
struct built_in_recipe {
    const char *name, *summary, *text;
};

/* Sorted by name, ended by a NULL name. */
extern const struct built_in_recipe built_in_recipes[];

#endif

/* Recipes inside the library: the texts built in from recipes/. */
#ifndef SUMI_LEARN_RECIPE_H
#define SUMI_LEARN_RECIPE_H

#include "base/context.h"

struct built_in_recipe {
    const char *name, *text;
};

/* Sorted by name, ended by a NULL name. */
extern const struct built_in_recipe built_in_recipes[];

#endif

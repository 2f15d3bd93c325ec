/* Items to put into a model: from the user's own file, or from the data set of its recipe. */
#ifndef TOOL_OWN_ITEMS_H
#define TOOL_OWN_ITEMS_H

#include "command.h"

/* The first items, `count` at most, of an .npy, .csv, .png or .jpg file, which must have the shape
   that the model takes, to items[n, item]. Tells what is wrong and returns an exit code. */
int own_items_read(sumi_context *context, const sumi_model *model, const char *path, int64_t count,
                   sumi_array *items);

/* The same from the recipe's data set, with the classes of at most LIST_LIMIT items to labels if
   the model asks for them. */
int recipe_items_read(sumi_context *context, const sumi_recipe *recipe, const sumi_model *model,
                      int64_t count, sumi_array *items, struct numbers *labels);

#endif

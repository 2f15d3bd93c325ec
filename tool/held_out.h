/* SPDX-License-Identifier: Apache-2.0 */
/* Held-out items of a recipe's data: those of the test set where its kind of data has one, or other
   items of a generator than in training. */
#ifndef TOOL_HELD_OUT_H
#define TOOL_HELD_OUT_H

#include "sumi.h"

/* Whether the recipe's choices make it read a key. */
bool recipe_reads_key(const sumi_recipe *recipe, const char *key);

/* Sets data.split to the test set, where the recipe reads it. */
sumi_status held_out_split(sumi_recipe *recipe);
/* Sets data.seed to the next one, where the recipe reads it. */
sumi_status held_out_seed(sumi_recipe *recipe);

/* Opens the data set of sample.held_out or, where that is empty, of the two above; *data is NULL
   where there is none. The recipe then has its own values again. */
sumi_status held_out_open(sumi_context *context, sumi_recipe *recipe, sumi_data **data);

#endif

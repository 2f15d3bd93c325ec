/* SPDX-License-Identifier: Apache-2.0 */
/* Items to put into a model: from the user's own file, or from the data set of its recipe. Those of
   a model over latents are the pictures, which sampling_encode turns into latents. */
#ifndef TOOL_OWN_ITEMS_H
#define TOOL_OWN_ITEMS_H

#include "command.h"

/* Reads the first items of a file, at most `count`, to items[n, item]. Those of an .npy or .csv
   file must have the model's shape; a .png or .jpg picture, or each of a folder of them, is scaled
   to cover the model's size and cropped at the centre. Prints errors and returns an exit code. */
int own_items_read(sumi_context *context, sumi_model *model, const char *path, int64_t count,
                   sumi_array *items);

/* The same for states that solvers work on, which in a model over latents are latents. */
int own_states_read(sumi_context *context, sumi_model *model, const char *path, int64_t count,
                    sumi_array *states);

/* The source of a command's items. */
struct items_choice {
    const char *command, *folder; /* folder: of the model; for messages */
    const char *input;            /* the user's own file, or NULL: the data of `recipe` */
    const sumi_recipe *recipe;    /* that the model was trained with, or NULL */
    int64_t count;                /* largest number of items */
    const struct texts *wanted;   /* classes from the user; none: those of the data */
};

/* Reads them to items[n, item], and their classes (at most LIST_LIMIT) to labels, if the model
   takes classes and they are known. Prints errors and returns an exit code. */
int items_choose(sumi_context *context, sumi_model *model, const struct items_choice *choice,
                 sumi_array *items, struct numbers *labels);

#endif

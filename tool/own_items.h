/* SPDX-License-Identifier: Apache-2.0 */
/* Items to put into a model: from the user's own file, or from the data set of its recipe. */
#ifndef TOOL_OWN_ITEMS_H
#define TOOL_OWN_ITEMS_H

#include "command.h"

/* The first items, `count` at most, of a file to items[n, item]. Those of an .npy or .csv file must
   have the shape that the model takes; a .png or .jpg picture, or each of a folder of them, is
   scaled to cover the model's size and cropped at the centre. Tells what is wrong and returns an
   exit code. */
int own_items_read(sumi_context *context, sumi_model *model, const char *path, int64_t count,
                   sumi_array *items);

/* Where a command finds its items. */
struct items_choice {
    const char *command, *folder; /* of the model; for messages */
    const char *input;            /* the user's own file, or NULL: the data of `recipe` */
    const sumi_recipe *recipe;    /* that the model was trained by, or NULL */
    int64_t count;                /* at most */
    const struct texts *wanted;   /* classes that the user names; none: those of the data */
};

/* Reads them to items[n, item], with the classes of at most LIST_LIMIT to labels, if the model asks
   for them and they are known. Tells what is wrong and returns an exit code. */
int items_choose(sumi_context *context, sumi_model *model, const struct items_choice *choice,
                 sumi_array *items, struct numbers *labels);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The size of the items of a model without sample_size in its config.json, from --size or from the
   items that a command reads. */
#ifndef TOOL_SIZE_H
#define TOOL_SIZE_H

#include "command.h"

/* Sets the model's size to that of --size: "32x48", height and width, or one number for both or for
   the length of signals; NULL for none. Prints errors and returns an exit code. */
int size_set(sumi_context *context, const char *command, sumi_model *model, const char *size);

/* Sets the size of a model without sample_size to that of the data's items. `path` names the data
   in messages. Returns an exit code. */
int size_adopt(sumi_context *context, sumi_model *model, const char *path, const sumi_data *data);

/* Refuses a model whose size is not set. Returns an exit code. */
int size_check(const char *command, const sumi_model *model);

/* Whether the size of the model's items is not set. */
bool size_is_open(const sumi_model *model);

#endif

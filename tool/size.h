/* SPDX-License-Identifier: Apache-2.0 */
/* The size of items of a model whose config.json leaves it open, such as a UNet2DModel without
   sample_size: --size, or that of the items that a command reads. */
#ifndef TOOL_SIZE_H
#define TOOL_SIZE_H

#include "command.h"

/* Gives the model the size that --size tells: "32x48", height and width, or one number for both or
   for the length of signals; NULL for none. Tells what is wrong and returns an exit code. */
int size_set(sumi_context *context, const char *command, sumi_model *model, const char *size);

/* Refuses a model whose size is still open; an exit code. */
int size_check(const char *command, const sumi_model *model);

/* Whether the size of the model's items is open. */
bool size_is_open(const sumi_model *model);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The option --lora of the commands that run a model, and of merge. */
#ifndef TOOL_LORA_H
#define TOOL_LORA_H

#include "command.h"

#define LORA_ROW(SETTINGS, MEMBER)                                                                 \
    LIST_ROW(SETTINGS, MEMBER, 0, "FILE[:SCALE]", TAKES_ASSIGNMENTS,                               \
             A_TEXT("lora", "add a LoRA to the model's weights, in the layout of diffusers,\n"     \
                            "PEFT or kohya; SCALE is 1 by default; may be given several times"))

/* Adds the LoRA files to the model. Prints errors, which begin with the name of the command,
   `task`, and returns an exit code. */
int lora_apply(sumi_context *context, const char *task, sumi_model *model,
               const struct texts *files);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Trying, before a model is trained, whether samples can be drawn of it afterwards. */
#ifndef TOOL_REHEARSAL_H
#define TOOL_REHEARSAL_H

#include "command.h"

/* Walks all times of the solver that the recipe names, in a state of one place with all channels
   and with a network that predicts zero: whatever the solver refuses on its way, it refuses here.
   Tells what is wrong and returns an exit code. */
int rehearse(sumi_context *context, sumi_model *model, const sumi_recipe *recipe);

#endif

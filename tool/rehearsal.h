/* SPDX-License-Identifier: Apache-2.0 */
/* Tests, before a model is trained, whether it can be sampled afterwards. */
#ifndef TOOL_REHEARSAL_H
#define TOOL_REHEARSAL_H

#include "command.h"

/* Runs the recipe's solver through all its times, on a state of one position with all channels and
   with a network that predicts zero, so that errors of the solver appear before the training.
   Prints errors and returns an exit code. */
int rehearse(sumi_context *context, sumi_model *model, const sumi_recipe *recipe);

#endif

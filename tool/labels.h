/* SPDX-License-Identifier: Apache-2.0 */
/* The classes that people ask for with --label, by name or number. */
#ifndef TOOL_LABELS_H
#define TOOL_LABELS_H

#include "command.h"

/* The numbers of the model's classes that `words` tell, with commas between where one word tells
   several. A word is a name, or one of those that stand with commas between in a name ("tench,
   Tinca tinca"), and only then a number. Tells what is wrong and returns an exit code. */
int labels_read(const char *command, const sumi_model *model, const struct texts *words,
                struct numbers *classes);

#endif

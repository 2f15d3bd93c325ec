/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of --label, by name or number. */
#ifndef TOOL_LABELS_H
#define TOOL_LABELS_H

#include "command.h"

/* Reads the classes in `words`, separated by commas within a word. Each is matched with the names,
   then with the comma-separated parts of names ("tench, Tinca tinca"), and then read as a number.
   Prints errors and returns an exit code. */
int labels_read(const char *command, const sumi_model *model, const struct texts *words,
                struct numbers *classes);

#endif

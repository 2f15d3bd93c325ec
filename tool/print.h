/* SPDX-License-Identifier: Apache-2.0 */
/* Output on stdout: JSON, tables of words, help. */
#ifndef TOOL_PRINT_H
#define TOOL_PRINT_H

#include <json-c/json.h>

#include "command.h"

/* Prints the value, followed by a newline, and releases it. Returns an exit code. */
int print_json(struct json_object *value);

/* A number with its significant digits; NULL, which is printed as null, for one that is not
   finite. */
struct json_object *json_number(double number);

/* {"file": path, "shape": [...]}, the beginning of the output of commands that write an array. */
struct json_object *json_file(const char *path, const sumi_array *array);

/* Prints a name, padded to `width` letters, and its meaning, whose further lines ('\n') are
   indented like the first. */
void print_entry(const char *name, int width, const char *meaning);

/* Writes a path in the form for a shell to text[size]: unchanged if it needs no quotes, else
   quoted. Returns text, or the path itself if text is too short. */
const char *shell_word(const char *path, char *text, size_t size);

/* Prints the help of one command. */
void print_help(const struct command *command);

#endif

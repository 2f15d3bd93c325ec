/* SPDX-License-Identifier: Apache-2.0 */
/* What the command writes on stdout: JSON, tables of words, help. */
#ifndef TOOL_PRINT_H
#define TOOL_PRINT_H

#include <json-c/json.h>

#include "command.h"

/* Prints the value on lines of its own and releases it. Returns an exit code. */
int print_json(struct json_object *value);

/* A number with as many digits as are worth telling; NULL, which JSON shows as null, of one that is
   not finite. */
struct json_object *json_number(double number);

/* {"file": path, "shape": [...]}, which the answers of commands that write an array begin with. */
struct json_object *json_file(const char *path, const sumi_array *array);

/* A name, padded to `width` letters, and what it stands for, whose later lines ('\n') are indented
   to where the first begins. */
void print_entry(const char *name, int width, const char *meaning);

/* A path as a shell reads it back: as it is if all its letters are plain, else in quotes, into
   text[size]. Returns text, or the path itself where that is too short. */
const char *shell_word(const char *path, char *text, size_t size);

/* The help of one command. */
void print_help(const struct command *command);

#endif

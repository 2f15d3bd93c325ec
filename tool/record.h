/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of samples as JSON, which the command writes into its pictures and reads back
   (--like): a member for each option by its name, and some that say what made the picture. */
#ifndef TOOL_RECORD_H
#define TOOL_RECORD_H

#include <json-c/json.h>

#include "command.h"

/* A new object with the options that are set, but those in the list `left_out`, which ends with
   NULL; NULL if memory runs out. Release it with json_object_put. */
struct json_object *record_options(const struct command *command, const void *settings,
                                   const char *const *left_out);

/* Adds options to a record, in the order of the command's table, so that equal settings give equal
   texts. */
void record_add_options(const struct command *command, struct json_object *options,
                        struct json_object *record);

/* Writes the record into a PNG file. Prints errors and returns an exit code. */
int record_write(sumi_context *context, struct json_object *record, const char *path);

/* Reads the record of a PNG file into *record, to be released with json_object_put. */
int record_read(sumi_context *context, const char *path, struct json_object **record);

/* Sets the options of the record that are not set; the record must outlive the settings. Members in
   the list `others`, which ends with NULL, are not options. */
int record_apply(sumi_context *context, const struct command *command, struct json_object *record,
                 const char *path, const char *const *others, void *settings);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A thin layer over json-c: reading with clear errors, defaults for missing keys, writing with
   sorted keys and two spaces as in diffusers. */
#ifndef SUMI_BASE_JSON_H
#define SUMI_BASE_JSON_H

#include <json-c/json.h>

#include "base/context.h"

/* Parses text of `size` bytes strictly, except that it accepts NaN and Infinity as Python writes
   them. Refuses repeated keys and trailing text. `source` names the file or option in messages.
   Release `*value` with json_object_put. */
sumi_status json_parse(sumi_context *context, const char *text, size_t size, const char *source,
                       json_object **value);
sumi_status json_read_file(sumi_context *context, const char *path, json_object **value);

/* Sorted keys, two spaces, a final newline; a new string for context_release. */
sumi_status json_to_text(sumi_context *context, json_object *value, char **text);
/* Reads the text of a key; leaves `*value` unchanged where the key is missing or null. A value of
   another type is an error that names the key and `source`. `object` owns the text. */
sumi_status json_get_text(sumi_context *context, json_object *object, const char *source,
                          const char *key, const char **value);

#endif

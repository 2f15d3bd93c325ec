/* SPDX-License-Identifier: Apache-2.0 */
/* Adding members to a JSON object. Each call returns whether it succeeded, so that calls can be
   joined by && and checked once; they fail only where memory runs out. */
#ifndef SUMI_BASE_MEMBERS_H
#define SUMI_BASE_MEMBERS_H

#include "base/json.h"

/* Adds `value`, which `object` then owns; releases it on failure. NULL is a failure. */
bool member_add(json_object *object, const char *key, json_object *value);
bool member_null(json_object *object, const char *key);
bool member_text(json_object *object, const char *key, const char *value);
bool member_whole(json_object *object, const char *key, int64_t value);
/* Adds the shortest decimal number that reads back as the same value; NaN and infinities become
   null. */
bool member_number(json_object *object, const char *key, double value);
bool member_flag(json_object *object, const char *key, bool value);

/* Adds a list of whole numbers. */
bool member_wholes(json_object *object, const char *key, int count, const int64_t *values);

/* Appends a text to a list. */
bool list_add_text(json_object *list, const char *text);

/* SUMI_OK if `complete`, else SUMI_ERROR_MEMORY with a message that names `what`. */
sumi_status members_check(sumi_context *context, bool complete, const char *what);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Adding members to a JSON object. Each call says whether it worked, so that a list of them joined
   by && fills an object and is checked once; a failure means that memory ran out. */
#ifndef SUMI_MODELS_MEMBERS_H
#define SUMI_MODELS_MEMBERS_H

#include "base/json.h"

/* Adds `value`, which now belongs to `object` or, on failure, is gone. NULL is a failure. */
bool member_add(json_object *object, const char *key, json_object *value);
bool member_null(json_object *object, const char *key);
bool member_text(json_object *object, const char *key, const char *value);
bool member_whole(json_object *object, const char *key, int64_t value);
/* The shortest decimal number that reads back the same; NaN and infinities as null. */
bool member_number(json_object *object, const char *key, double value);
bool member_flag(json_object *object, const char *key, bool value);

/* Whole numbers as a list. */
bool member_wholes(json_object *object, const char *key, int count, const int64_t *values);

/* A text at the end of a list. */
bool list_add_text(json_object *list, const char *text);

/* The status of what was filled, with a message that names `what`. */
sumi_status members_check(sumi_context *context, bool complete, const char *what);

#endif

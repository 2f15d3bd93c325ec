/* SPDX-License-Identifier: Apache-2.0 */
/* Adding members to a JSON object; see members.h. */
#include "base/members.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool member_add(json_object *object, const char *key, json_object *value)
{
    if (!value) return false;
    if (json_object_object_add(object, key, value) == 0) return true;
    json_object_put(value);
    return false;
}

bool member_null(json_object *object, const char *key)
{
    return json_object_object_add(object, key, NULL) == 0;
}

bool member_text(json_object *object, const char *key, const char *value)
{
    return member_add(object, key, json_object_new_string(value));
}

bool member_whole(json_object *object, const char *key, int64_t value)
{
    return member_add(object, key, json_object_new_int64(value));
}

bool member_number(json_object *object, const char *key, double value)
{
    if (!isfinite(value)) return member_null(object, key);
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    for (char *letter = text; *letter; letter++) { /* some locales have another decimal point */
        if (!strchr("+-0123456789e", *letter)) *letter = '.';
    }
    if (!strpbrk(text, ".e")) strcat(text, ".0");
    return member_add(object, key, json_object_new_double_s(value, text));
}

bool member_flag(json_object *object, const char *key, bool value)
{
    return member_add(object, key, json_object_new_boolean(value));
}

/* Adds `value` to a list, which takes ownership; false for NULL. */
static bool list_add(json_object *list, json_object *value)
{
    if (!value) return false;
    if (json_object_array_add(list, value) == 0) return true;
    json_object_put(value);
    return false;
}

bool member_wholes(json_object *object, const char *key, int count, const int64_t *values)
{
    json_object *list = json_object_new_array();
    bool complete = list != NULL;
    for (int i = 0; i < count && complete; i++) {
        complete = list_add(list, json_object_new_int64(values[i]));
    }
    if (complete) return member_add(object, key, list);
    json_object_put(list);
    return false;
}

bool list_add_text(json_object *list, const char *text)
{
    return list_add(list, json_object_new_string(text));
}

sumi_status members_check(sumi_context *context, bool complete, const char *what)
{
    if (complete) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_MEMORY, "%s: out of memory", what);
}

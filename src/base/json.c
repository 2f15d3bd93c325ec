/* SPDX-License-Identifier: Apache-2.0 */
/* Glue over json-c; see json.h. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { JSON_DEPTH = 64, JSON_FILE_LIMIT = 256 << 20 };

/* The number of members of all objects in the tree. */
static int64_t count_members(json_object *value)
{
    int64_t count = 0;
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, key, member)
        {
            (void)key;
            count += 1 + count_members(member);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        size_t length = json_object_array_length(value);
        for (size_t i = 0; i < length; i++) {
            count += count_members(json_object_array_get_idx(value, i));
        }
    }
    return count;
}

/* The number of colons outside texts, one for each member in the source; -1 at a single quote
   outside texts, which json-c accepts around keys. */
static int64_t count_colons(const char *text, size_t size)
{
    int64_t count = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (quoted && text[i] == '\\') i++;
        else if (text[i] == '"') quoted = !quoted;
        else if (text[i] == ':' && !quoted) count++;
        else if (text[i] == '\'' && !quoted) return -1;
    }
    return count;
}

/* Refuses what json-c ignores: all but the last of several members of the same name, and text after
   a zero byte. */
static sumi_status check_whole(sumi_context *context, const char *text, size_t size, size_t end,
                               const char *source, json_object *parsed)
{
    while (end < size && strchr(" \t\r\n", text[end]) && text[end]) end++;
    if (end < size) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: more text after the JSON at byte %zu",
                            source, end);
    }
    int64_t colons = count_colons(text, size);
    if (colons < 0) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: not JSON: texts are quoted with \"\", not with ''", source);
    }
    if (count_members(parsed) != colons) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: an object has the same key twice",
                            source);
    }
    return SUMI_OK;
}

sumi_status json_parse(sumi_context *context, const char *text, size_t size, const char *source,
                       json_object **value)
{
    *value = NULL;
    if (size > JSON_FILE_LIMIT) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: %zu bytes are too many for JSON",
                            source, size);
    }
    json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
    if (!tokener) return context_fail(context, SUMI_ERROR_MEMORY, "%s: out of memory", source);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *parsed = json_tokener_parse_ex(tokener, text, (int)size);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);
    if (error == json_tokener_continue) { /* a number or word may end with the text */
        parsed = json_tokener_parse_ex(tokener, "", -1);
        error = json_tokener_get_error(tokener);
        end = size;
    }
    json_tokener_free(tokener);
    if (error != json_tokener_success) {
        json_object_put(parsed);
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: not JSON at byte %zu: %s", source, end,
                            json_tokener_error_desc(error));
    }
    sumi_status status = check_whole(context, text, size, end, source, parsed);
    if (status != SUMI_OK) json_object_put(parsed);
    else *value = parsed;
    return status;
}

sumi_status json_read_file(sumi_context *context, const char *path, json_object **value)
{
    char *text = NULL;
    size_t size = 0;
    *value = NULL;
    TRY(file_read(context, path, JSON_FILE_LIMIT, (void **)&text, &size));
    sumi_status status = json_parse(context, text, size, path, value);
    context_release(context, text);
    return status;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* A copy of `value` with the keys of every object in order. NULL when out of memory. */
static json_object *sorted_copy(sumi_context *context, json_object *value);

static json_object *sorted_object(sumi_context *context, json_object *value)
{
    size_t count = (size_t)json_object_object_length(value), filled = 0;
    const char **names = context_allocate(context, count, sizeof *names);
    json_object *copy = json_object_new_object();
    if (!names || !copy) goto fail;
    json_object_object_foreach(value, key, unused)
    {
        (void)unused;
        names[filled++] = key;
    }
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++) {
        json_object *member = json_object_object_get(value, names[i]);
        json_object *member_copy = sorted_copy(context, member);
        if (member && !member_copy) goto fail;
        if (json_object_object_add(copy, names[i], member_copy) != 0) {
            json_object_put(member_copy);
            goto fail;
        }
    }
    context_release(context, names);
    return copy;
fail:
    context_release(context, names);
    json_object_put(copy);
    return NULL;
}

static json_object *sorted_copy(sumi_context *context, json_object *value)
{
    if (json_object_is_type(value, json_type_object)) return sorted_object(context, value);
    return json_object_get(value);
}

sumi_status json_to_text(sumi_context *context, json_object *value, char **text)
{
    *text = NULL;
    int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
    json_object *sorted = sorted_copy(context, value); /* NULL also where the value is null */
    size_t length = 0;
    const char *written = NULL;
    if (sorted || !value) written = json_object_to_json_string_length(sorted, flags, &length);
    char *copy = written ? context_allocate(context, length + 2, 1) : NULL;
    if (copy) {
        memcpy(copy, written, length);
        memcpy(copy + length, "\n", 2);
    }
    json_object_put(sorted);
    *text = copy;
    return copy ? SUMI_OK : context_fail(context, SUMI_ERROR_MEMORY, "out of memory for JSON text");
}

sumi_status json_get_text(sumi_context *context, json_object *object, const char *source,
                          const char *key, const char **value)
{
    json_object *member = NULL;
    if (!json_object_object_get_ex(object, key, &member) || !member) return SUMI_OK;
    if (!json_object_is_type(member, json_type_string)) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: \"%s\" should be a text, not %s",
                            source, key, json_type_to_name(json_object_get_type(member)));
    }
    *value = json_object_get_string(member);
    return SUMI_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of samples in pictures; see record.h. */
#include "record.h"

#include <stdio.h>
#include <string.h>

#define KEYWORD "sumi" /* of the PNG's text */

static bool is_listed(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0) return true;
    return false;
}

/* ---- From settings ---- */

static struct json_object *of_texts(const struct texts *texts)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < texts->count; i++)
        json_object_array_add(list, json_object_new_string(texts->items[i]));
    return list;
}

static struct json_object *of_numbers(const struct numbers *numbers)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < numbers->count; i++)
        json_object_array_add(list, json_object_new_double(numbers->items[i]));
    return list;
}

/* The value of an option, NULL where it is not set. */
static struct json_object *value_of(const struct option *option, const void *settings)
{
    const void *place = (const char *)settings + option->offset;
    const struct texts *texts = place;
    const struct numbers *numbers = place;
    if (option->values == TAKES_NUMBERS) return numbers->count ? of_numbers(numbers) : NULL;
    if (option->values != TAKES_ONE) return texts->count ? of_texts(texts) : NULL;
    if (strcmp(option->row.type, "flag") == 0)
        return *(const bool *)place ? json_object_new_boolean(true) : NULL;
    if (strcmp(option->row.type, "whole") == 0) {
        int64_t whole = *(const int64_t *)place;
        return whole ? json_object_new_int64(whole) : NULL;
    }
    const char *text = *(const char *const *)place;
    return text ? json_object_new_string(text) : NULL;
}

struct json_object *record_options(const struct command *command, const void *settings,
                                   const char *const *left_out)
{
    struct json_object *record = json_object_new_object();
    for (const struct option *option = command->options; option->row.name; option++) {
        if (is_listed(left_out, option->row.name)) continue;
        struct json_object *value = value_of(option, settings);
        if (value) json_object_object_add(record, option->row.name, value);
    }
    return record;
}

void record_add_options(const struct command *command, struct json_object *options,
                        struct json_object *record)
{
    struct json_object *value;
    for (const struct option *option = command->options; option->row.name; option++)
        if (json_object_object_get_ex(options, option->row.name, &value))
            json_object_object_add(record, option->row.name, json_object_get(value));
}

int record_write(sumi_context *context, struct json_object *record, const char *path)
{
    char software[64];
    const char *text = json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN
                                                                  | JSON_C_TO_STRING_NOSLASHESCAPE);
    if (!text) return fail(EXIT_FAILED, "out of memory");
    snprintf(software, sizeof software, "Sumi %s", sumi_version());
    const sumi_png_text texts[] = {
        {.size = sizeof *texts, .keyword = "Software", .text = software},
        {.size = sizeof *texts, .keyword = KEYWORD, .text = text},
    };
    sumi_status status = sumi_png_set_texts(context, path, texts, 2);
    return status == SUMI_OK ? EXIT_DONE : fail_context(context);
}

/* ---- To settings ---- */

int record_read(sumi_context *context, const char *path, struct json_object **record)
{
    char *text = NULL;
    *record = NULL;
    if (sumi_png_get_text(context, path, KEYWORD, &text) != SUMI_OK) return fail_context(context);
    if (!text)
        return fail(EXIT_FAILED,
                    "%s: has no settings of samples; `sumi sample` writes them into its pictures",
                    path);
    *record = json_tokener_parse(text);
    sumi_text_release(context, text);
    if (json_object_is_type(*record, json_type_object)) return EXIT_DONE;
    json_object_put(*record);
    *record = NULL;
    return fail(EXIT_FAILED, "%s: its settings of samples are damaged: not a JSON object", path);
}

static bool is_set(const struct option *option, const void *settings)
{
    struct json_object *value = value_of(option, settings);
    json_object_put(value);
    return value != NULL;
}

static int apply_value(sumi_context *context, const struct command *command, const char *path,
                       const struct option *option, struct json_object *value, void *settings)
{
    bool list = option->values != TAKES_ONE;
    if (json_object_is_type(value, json_type_array) != list
        || json_object_is_type(value, json_type_object) || !value)
        return fail(EXIT_FAILED, "%s: its setting \"%s\" should be %s", path, option->row.name,
                    list ? "a list" : "a single value");
    if (strcmp(option->row.type, "flag") == 0 && !json_object_get_boolean(value)) return EXIT_DONE;
    if (!list)
        return command_take(context, command, path, option, json_object_get_string(value),
                            settings);
    int code = EXIT_DONE;
    for (size_t i = 0; i < json_object_array_length(value) && code == EXIT_DONE; i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(value, i));
        code = command_take(context, command, path, option, text ? text : "", settings);
    }
    return code;
}

static const struct option *find_option(const struct command *command, const char *name)
{
    for (const struct option *option = command->options; option->row.name; option++)
        if (strcmp(option->row.name, name) == 0) return option;
    return NULL;
}

int record_apply(sumi_context *context, const struct command *command, struct json_object *record,
                 const char *path, const char *const *others, void *settings)
{
    int code = EXIT_DONE;
    json_object_object_foreach(record, name, value)
    {
        if (code != EXIT_DONE) break;
        const struct option *option = find_option(command, name);
        if (is_listed(others, name)) continue;
        if (!option)
            code = fail(EXIT_FAILED,
                        "%s: its settings have \"%.60s\", which this version of Sumi does not have",
                        path, name);
        else if (!is_set(option, settings))
            code = apply_value(context, command, path, option, value, settings);
    }
    return code;
}

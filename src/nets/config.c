/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the config.json of a network or an auto-encoder; see config.h. */
#include "nets/config.h"

#include <math.h>
#include <stdio.h>
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static const char FORMAT_VERSION[] = "0.42.1"; /* the version of diffusers whose layout is
                                                  written */

static sumi_status add_member(struct config *config, const char *key, json_object *value)
{
    if (json_object_object_add(config->object, key, value) == 0) return SUMI_OK;
    json_object_put(value);
    return context_fail(config->context, SUMI_ERROR_MEMORY, "%s: out of memory", config->source);
}

static sumi_status add_text(struct config *config, const char *key, const char *text)
{
    json_object *value = json_object_new_string(text);
    if (!value) {
        return context_fail(config->context, SUMI_ERROR_MEMORY, "%s: out of memory",
                            config->source);
    }
    return add_member(config, key, value);
}

/* Adds a key with the given value, or its default. */
static sumi_status complete_key(struct config *config, json_object *given,
                                const struct config_key *key)
{
    json_object *value = NULL;
    if (json_object_object_get_ex(given, key->name, &value)) {
        return add_member(config, key->name, json_object_get(value));
    }
    TRY(json_parse(config->context, key->fallback, strlen(key->fallback), config->source, &value));
    return add_member(config, key->name, value);
}

static sumi_status complete(struct config *config, json_object *given, const char *class_name,
                            const struct config_key *keys)
{
    const char *version = FORMAT_VERSION;
    TRY(json_get_text(config->context, given, config->source, "_diffusers_version", &version));
    TRY(add_text(config, "_class_name", class_name));
    TRY(add_text(config, "_diffusers_version", version));
    for (; keys->name; keys++) TRY(complete_key(config, given, keys));
    return SUMI_OK;
}

sumi_status config_open(struct config *config, sumi_context *context, json_object *given,
                        const char *source, const char *class_name, const struct config_key *keys)
{
    *config = (struct config){.context = context, .source = source};
    config->object = json_object_new_object();
    if (!config->object) {
        return context_fail(context, SUMI_ERROR_MEMORY, "%s: out of memory", source);
    }
    sumi_status status = complete(config, given, class_name, keys);
    if (status != SUMI_OK) config_close(config);
    return status;
}

sumi_status config_check_class(sumi_context *context, json_object *given, const char *source,
                               const char *class_name)
{
    const char *name = "";
    if (!json_object_is_type(given, json_type_object)) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: a network's config should be a JSON object, {...}", source);
    }
    TRY(json_get_text(context, given, source, "_class_name", &name));
    if (strcmp(name, class_name) == 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s: the network should be of class \"%s\", not \"%.80s\"", source,
                        class_name, name);
}

sumi_status config_parse(struct config *config, sumi_context *context, const char *json,
                         const char *source, const char *class_name, const struct config_key *keys)
{
    json_object *given = NULL;
    TRY(json_parse(context, json, strlen(json), source, &given));
    sumi_status status = config_check_class(context, given, source, class_name);
    if (status == SUMI_OK) status = config_open(config, context, given, source, class_name, keys);
    json_object_put(given);
    return status;
}

void config_close(struct config *config)
{
    json_object_put(config->object);
    config->object = NULL;
}

sumi_status config_write(const struct config *config, char **text)
{
    return json_to_text(config->context, config->object, text);
}

void config_fail(struct config *config, const char *format, ...)
{
    if (config->status != SUMI_OK) return;
    char text[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    config->status =
        context_fail(config->context, SUMI_ERROR_FORMAT, "%s: %s", config->source, text);
}

void config_set(struct config *config, const char *key, const char *value)
{
    json_object *parsed = NULL;
    if (config->status != SUMI_OK) return;
    config->status = json_parse(config->context, value, strlen(value), config->source, &parsed);
    if (config->status == SUMI_OK) config->status = add_member(config, key, parsed);
}

void config_leave_out(struct config *config, const char *key)
{
    json_object_object_del(config->object, key);
}

bool config_is_null(const struct config *config, const char *key)
{
    return json_object_object_get(config->object, key) == NULL;
}

static const char *type_of(json_object *value)
{
    return json_type_to_name(json_object_get_type(value));
}

/* `what` names the value in messages: a key or a position in a list. */
static int64_t check_whole(struct config *config, const char *what, json_object *value, int64_t low,
                           int64_t high)
{
    int64_t number = low;
    if (!json_object_is_type(value, json_type_int)) {
        config_fail(config, "%s should be a whole number, not %s", what, type_of(value));
        return low;
    }
    number = json_object_get_int64(value);
    if (number >= low && number <= high) return number;
    config_fail(config, "%s should be from %lld to %lld, not %lld", what, (long long)low,
                (long long)high, (long long)number);
    return low;
}

static void quote(const char *key, char what[static 96])
{
    snprintf(what, 96, "\"%s\"", key);
}

int64_t config_whole(struct config *config, const char *key, int64_t low, int64_t high)
{
    char what[96];
    quote(key, what);
    return check_whole(config, what, json_object_object_get(config->object, key), low, high);
}

int64_t config_whole_or(struct config *config, const char *key, int64_t low, int64_t high,
                        int64_t otherwise)
{
    return config_is_null(config, key) ? otherwise : config_whole(config, key, low, high);
}

/* `what` names the value in messages. */
static double check_number(struct config *config, const char *what, json_object *value, double low,
                           double high)
{
    if (!json_object_is_type(value, json_type_int)
        && !json_object_is_type(value, json_type_double)) {
        config_fail(config, "%s should be a number, not %s", what, type_of(value));
        return low;
    }
    double number = json_object_get_double(value);
    if (number >= low && number <= high) return number;
    config_fail(config, "%s should be from %g to %g, not %g", what, low, high, number);
    return low;
}

double config_number(struct config *config, const char *key, double low, double high)
{
    char what[96];
    quote(key, what);
    return check_number(config, what, json_object_object_get(config->object, key), low, high);
}

double config_number_or(struct config *config, const char *key, double low, double high,
                        double otherwise)
{
    return config_is_null(config, key) ? otherwise : config_number(config, key, low, high);
}

bool config_flag(struct config *config, const char *key)
{
    json_object *value = json_object_object_get(config->object, key);
    if (json_object_is_type(value, json_type_boolean)) return json_object_get_boolean(value);
    config_fail(config, "\"%s\" should be true or false, not %s", key, type_of(value));
    return false;
}

/* `what` names the value in messages. */
static int check_choice(struct config *config, const char *what, json_object *value,
                        const char *const *names)
{
    if (!json_object_is_type(value, json_type_string)) {
        config_fail(config, "%s should be a text, not %s", what, type_of(value));
        return 0;
    }
    const char *text = json_object_get_string(value);
    for (int i = 0; names[i]; i++) {
        if (strcmp(text, names[i]) == 0) return i;
    }
    config_fail(config, "%s cannot be \"%.80s\"; did you mean \"%s\"?", what, text,
                text_nearest(text, names));
    return 0;
}

int config_choice(struct config *config, const char *key, const char *const *names)
{
    char what[96];
    quote(key, what);
    return check_choice(config, what, json_object_object_get(config->object, key), names);
}

int config_length(struct config *config, const char *key, int limit)
{
    json_object *value = json_object_object_get(config->object, key);
    if (!json_object_is_type(value, json_type_array)) {
        config_fail(config, "\"%s\" should be a list, not %s", key, type_of(value));
        return 0;
    }
    size_t length = json_object_array_length(value);
    if (length >= 1 && length <= (size_t)limit) return (int)length;
    config_fail(config, "\"%s\" should have 1 to %d entries, not %zu", key, limit, length);
    return 0;
}

static json_object *member(struct config *config, const char *key, int place)
{
    json_object *value = json_object_object_get(config->object, key);
    if (!json_object_is_type(value, json_type_array)) return NULL;
    return json_object_array_get_idx(value, (size_t)place);
}

static void quote_entry(const char *key, int place, char what[static 96])
{
    snprintf(what, 96, "entry %d of \"%s\"", place, key);
}

int64_t config_whole_at(struct config *config, const char *key, int place, int64_t low,
                        int64_t high)
{
    char what[96];
    quote_entry(key, place, what);
    return check_whole(config, what, member(config, key, place), low, high);
}

double config_number_at(struct config *config, const char *key, int place, double low, double high)
{
    char what[96];
    quote_entry(key, place, what);
    return check_number(config, what, member(config, key, place), low, high);
}

int config_choice_at(struct config *config, const char *key, int place, const char *const *names)
{
    char what[96];
    quote_entry(key, place, what);
    return check_choice(config, what, member(config, key, place), names);
}

const char *config_text_at(struct config *config, const char *key, int place)
{
    json_object *value = member(config, key, place);
    if (json_object_is_type(value, json_type_string)) return json_object_get_string(value);
    config_fail(config, "entry %d of \"%s\" should be a text, not %s", place, key, type_of(value));
    return "";
}

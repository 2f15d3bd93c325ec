/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the config.json of a network or an auto-encoder: each class has a table of its keys and
   their defaults; the config is completed from it before it is read or saved. The first failure is
   kept, so that a class can read all its keys without a check. */
#ifndef SUMI_NETS_CONFIG_H
#define SUMI_NETS_CONFIG_H

#include <json-c/json.h>

#include "base/context.h"

/* A key and its default as JSON. */
struct config_key {
    const char *name, *fallback;
};

struct config {
    sumi_context *context;
    const char *source;  /* names the config in messages */
    json_object *object; /* has every key of the table */
    sumi_status status;  /* the first failure */
};

/* Starts reading: `keys` ends with a NULL name. Release it with config_close. */
sumi_status config_open(struct config *config, sumi_context *context, json_object *given,
                        const char *source, const char *class_name, const struct config_key *keys);
/* The same from the text of a config.json, which should name that class. */
sumi_status config_parse(struct config *config, sumi_context *context, const char *json,
                         const char *source, const char *class_name, const struct config_key *keys);
/* Refuses a config that is no object or does not name that class. */
sumi_status config_check_class(sumi_context *context, json_object *given, const char *source,
                               const char *class_name);
void config_close(struct config *config); /* allowed after a failed config_open */
/* Writes the completed config, in the form that is saved, as a new text. */
sumi_status config_write(const struct config *config, char **text);

/* Records a failure, "SOURCE: ...", unless there is one already. */
void config_fail(struct config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets a key to the value that is written as JSON. */
void config_set(struct config *config, const char *key, const char *value);

/* Leaves a key out of what is saved. */
void config_leave_out(struct config *config, const char *key);

bool config_is_null(const struct config *config, const char *key);

/* Read a value within bounds. They return `otherwise` for null, and the low bound after a
   failure. */
int64_t config_whole(struct config *config, const char *key, int64_t low, int64_t high);
int64_t config_whole_or(struct config *config, const char *key, int64_t low, int64_t high,
                        int64_t otherwise);
double config_number(struct config *config, const char *key, double low, double high);
double config_number_or(struct config *config, const char *key, double low, double high,
                        double otherwise);
bool config_flag(struct config *config, const char *key);

/* The index of the value in `names` (which ends with NULL); 0 after a failure. Refuses other values
   and suggests the nearest name. */
int config_choice(struct config *config, const char *key, const char *const *names);

/* Lists: their length, at most `limit`, and their entries. */
int config_length(struct config *config, const char *key, int limit);
int64_t config_whole_at(struct config *config, const char *key, int place, int64_t low,
                        int64_t high);
double config_number_at(struct config *config, const char *key, int place, double low, double high);
const char *config_text_at(struct config *config, const char *key, int place); /* never NULL */
int config_choice_at(struct config *config, const char *key, int place, const char *const *names);

#endif

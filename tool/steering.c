/* SPDX-License-Identifier: Apache-2.0 */
/* Guides by name; see steering.h. */
#include "steering.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"

enum { NAME_SIZE = 32, PATH_SIZE = 1024 };

/* A guide to be added: its name, and its values as "one,two". */
struct wish {
    sumi_context *context;
    const char *task, *word;
    char name[NAME_SIZE];
    const char *values; /* after the colon, or NULL */
    sumi_guide *guide;
};

static int fail_wish(const struct wish *wish)
{
    return fail(EXIT_USAGE, "%s: --guide %s: %s", wish->task, wish->word,
                sumi_context_message(wish->context));
}

/* Copies value `number` from 0; false where there is none. */
static bool value_of(const struct wish *wish, int number, char value[PATH_SIZE])
{
    const char *from = wish->values;
    for (int i = 0; from && i < number; i++) {
        from = strchr(from, ',');
        if (from) from++;
    }
    if (!from || !*from) return false;
    snprintf(value, PATH_SIZE, "%.*s", (int)strcspn(from, ","), from);
    return true;
}

/* Sets an option to value `number`, if there is one. */
static int set_option(const struct wish *wish, const char *option, int number)
{
    char value[PATH_SIZE];
    if (!value_of(wish, number, value)) return EXIT_DONE;
    return sumi_guide_set(wish->guide, option, value) == SUMI_OK ? EXIT_DONE : fail_wish(wish);
}

/* Opens the model that the first value names. */
static int open_model(const struct wish *wish, struct steering *steering)
{
    char folder[PATH_SIZE];
    if (!value_of(wish, 0, folder))
        return fail(EXIT_USAGE, "%s: --guide %s is written %s:MODEL,W", wish->task, wish->word,
                    wish->name);
    sumi_model **model = &steering->models[steering->count];
    if (sumi_model_open(wish->context, folder, model) != SUMI_OK)
        return fail_context(wish->context);
    steering->count++;
    return EXIT_DONE;
}

/* ---- The kinds ---- */

static int add_interval(struct wish *wish)
{
    int code = set_option(wish, "sigma_high", 1);
    return code == EXIT_DONE ? set_option(wish, "sigma_low", 0) : code;
}

static int add_negative(struct wish *wish)
{
    char value[PATH_SIZE];
    sumi_condition *condition = NULL;
    if (!value_of(wish, 0, value) || strspn(value, "0123456789") != strlen(value))
        return fail(EXIT_USAGE,
                    "%s: --guide %s is written negative:CLASS,W, with the class as a "
                    "number",
                    wish->task, wish->word);
    const int32_t class = (int32_t)strtol(value, NULL, 10);
    sumi_status status = sumi_condition_create(wish->context, &condition);
    if (status == SUMI_OK)
        status = sumi_condition_set_integers(condition, "class", 1, &(int64_t){1}, &class);
    if (status == SUMI_OK) status = sumi_guide_set_condition(wish->guide, condition);
    sumi_condition_free(condition);
    return status == SUMI_OK ? set_option(wish, "scale", 1) : fail_wish(wish);
}

static int add_autoguidance(struct wish *wish, struct steering *steering)
{
    int number = steering->count, code = open_model(wish, steering);
    if (code != EXIT_DONE) return code;
    sumi_session **session = &steering->sessions[number];
    if (sumi_session_create(wish->context, steering->models[number], session) != SUMI_OK
        || sumi_guide_set_session(wish->guide, *session) != SUMI_OK)
        return fail_wish(wish);
    return set_option(wish, "scale", 1);
}

/* The classes of --label, or all in turn. */
static int classes_for(const struct wish *wish, const sumi_classifier *classifier,
                       const sumi_model *model, const struct texts *labels, struct numbers *classes)
{
    int all = sumi_classifier_classes(classifier);
    int code = labels_read(wish->task, model, labels, classes);
    for (int i = 0; code == EXIT_DONE && !labels->count && i < all && i < LIST_LIMIT; i++)
        classes->items[classes->count++] = i;
    return code;
}

static int add_classifier(struct wish *wish, const struct texts *labels, struct steering *steering)
{
    int32_t classes[LIST_LIMIT];
    struct numbers wanted;
    int number = steering->count, code = open_model(wish, steering);
    if (code != EXIT_DONE) return code;
    sumi_classifier **classifier = &steering->classifiers[number];
    if (sumi_classifier_create(wish->context, steering->models[number], classifier) != SUMI_OK)
        return fail_wish(wish);
    code = classes_for(wish, *classifier, steering->models[number], labels, &wanted);
    if (code != EXIT_DONE) return code;
    for (int i = 0; i < wanted.count; i++) classes[i] = (int32_t)wanted.items[i];
    if (sumi_guide_set_classifier(wish->guide, *classifier, wanted.count, classes) != SUMI_OK)
        return fail_wish(wish);
    steering->classified = true;
    return set_option(wish, "scale", 1);
}

static int prepare(struct wish *wish, const struct texts *labels, struct steering *steering)
{
    if (strcmp(wish->name, "interval") == 0) return add_interval(wish);
    if (strcmp(wish->name, "negative") == 0) return add_negative(wish);
    if (strcmp(wish->name, "autoguidance") == 0) return add_autoguidance(wish, steering);
    if (strcmp(wish->name, "classifier") == 0) return add_classifier(wish, labels, steering);
    if (strcmp(wish->name, "cfg++") == 0) steering->following[steering->followers++] = wish->guide;
    return set_option(wish, strcmp(wish->name, "rescale") == 0 ? "phi" : "scale", 0);
}

static int add_one(struct wish *wish, sumi_session *session, const struct texts *labels,
                   struct steering *steering)
{
    size_t length = strcspn(wish->word, ":");
    snprintf(wish->name, sizeof wish->name, "%.*s", (int)(length < NAME_SIZE ? length : NAME_SIZE),
             wish->word);
    wish->values = wish->word[length] ? wish->word + length + 1 : NULL;
    if (sumi_session_add_guide(session, wish->name, &wish->guide) != SUMI_OK)
        return fail_wish(wish);
    return prepare(wish, labels, steering);
}

int steering_apply(sumi_context *context, const char *task, sumi_session *session,
                   const struct texts *words, const struct texts *labels, struct steering *steering)
{
    int code = EXIT_DONE;
    if (words->count > STEERING_MOST)
        return fail(EXIT_USAGE, "%s: at most %d guides", task, STEERING_MOST);
    for (int i = 0; i < words->count && code == EXIT_DONE; i++) {
        struct wish wish = {.context = context, .task = task, .word = words->items[i]};
        code = add_one(&wish, session, labels, steering);
    }
    return code;
}

void steering_close(struct steering *steering)
{
    for (int i = 0; i < steering->count; i++) {
        sumi_session_free(steering->sessions[i]);
        sumi_classifier_free(steering->classifiers[i]);
        sumi_model_free(steering->models[i]);
    }
}

sumi_status steering_follow(const struct steering *steering, sumi_solver *solver)
{
    sumi_status status = SUMI_OK;
    for (int i = 0; i < steering->followers && status == SUMI_OK; i++)
        status = sumi_guide_follow(steering->following[i], solver);
    return status;
}

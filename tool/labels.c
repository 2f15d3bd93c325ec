/* SPDX-License-Identifier: Apache-2.0 */
/* Classes by name or number; see labels.h. */
#include "labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_SIZE = 256, NONE = -1, FAILED = -2 };

/* ---- Names ---- */

/* Whether `word` is the whole of a name. */
static bool is_name(const char *name, const char *word, size_t length)
{
    return strlen(name) == length && strncmp(name, word, length) == 0;
}

/* Whether `word` is one of several names separated by commas. */
static bool is_among(const char *name, const char *word, size_t length)
{
    for (const char *part = name; part; part = strchr(part, ',')) {
        part += strspn(part, ", ");
        size_t size = strcspn(part, ",");
        while (size && part[size - 1] == ' ') size--;
        if (size == length && strncmp(part, word, length) == 0) return true;
    }
    return false;
}

/* The class that `matches` finds, NONE, or FAILED where it finds two, with an error printed. */
static int find(const char *command, const sumi_model *model, const char *word, size_t length,
                bool (*matches)(const char *name, const char *word, size_t length))
{
    int found = NONE, classes = sumi_model_classes(model);
    for (int i = 0; i < classes && length; i++) {
        const char *name = sumi_model_class_name(model, i);
        if (!name || !matches(name, word, length)) continue;
        if (found >= 0) {
            fail(EXIT_USAGE, "%s: classes %d and %d are both named \"%.*s\"; give --label a number",
                 command, found, i, (int)length, word);
            return FAILED;
        }
        found = i;
    }
    return found;
}

static int find_name(const char *command, const sumi_model *model, const char *word, size_t length)
{
    int found = find(command, model, word, length, is_name);
    return found == NONE ? find(command, model, word, length, is_among) : found;
}

/* The names of the classes that have one, in a list that ends with NULL and must be freed; NULL if
   memory runs out. */
static const char **names_of(const sumi_model *model)
{
    int classes = sumi_model_classes(model), count = 0;
    const char **names = calloc((size_t)classes + 1, sizeof *names);
    for (int i = 0; names && i < classes; i++) {
        const char *name = sumi_model_class_name(model, i);
        if (name) names[count++] = name;
    }
    return names;
}

static int unknown(const char *command, const sumi_model *model, const char *word)
{
    const char **names = names_of(model);
    const char *meant = names ? sumi_nearest_word(word, names) : NULL;
    if (names && !names[0])
        fail(EXIT_USAGE,
             "%s: --label takes numbers, because the classes of this model have no names, not "
             "'%.60s'",
             command, word);
    else if (meant)
        fail(EXIT_USAGE, "%s: there is no class '%.60s'; did you mean '%.60s'?", command, word,
             meant);
    else
        fail(EXIT_USAGE, "%s: there is no class '%.60s'; `sumi info` lists their names", command,
             word);
    free(names);
    return EXIT_USAGE;
}

/* ---- Words ---- */

static int add(const char *command, struct numbers *classes, double number)
{
    if (classes->count == LIST_LIMIT)
        return fail(EXIT_USAGE, "%s: --label takes %d classes at most", command, LIST_LIMIT);
    classes->items[classes->count++] = number;
    return EXIT_DONE;
}

/* Adds the class of a name or else of a number. */
static int add_word(const char *command, const sumi_model *model, const char *start, size_t length,
                    struct numbers *classes)
{
    char word[WORD_SIZE];
    int found = find_name(command, model, start, length);
    if (found == FAILED) return EXIT_USAGE;
    if (found >= 0) return add(command, classes, found);
    snprintf(word, sizeof word, "%.*s", (int)(length < WORD_SIZE ? length : WORD_SIZE - 1), start);
    bool digits = length < WORD_SIZE && strspn(word, "0123456789") == length;
    if (!digits || length == 0) return unknown(command, model, word);
    double number = strtod(word, NULL);
    if (number <= INT32_MAX) return add(command, classes, number);
    return fail(EXIT_USAGE, "%s: --label takes numbers of classes up to 2147483647, not %s",
                command, word);
}

int labels_read(const char *command, const sumi_model *model, const struct texts *words,
                struct numbers *classes)
{
    int code = EXIT_DONE;
    classes->count = 0;
    for (int i = 0; i < words->count && code == EXIT_DONE; i++) {
        const char *word = words->items[i];
        int whole = strchr(word, ',') ? find_name(command, model, word, strlen(word)) : NONE;
        if (whole == FAILED) return EXIT_USAGE;
        if (whole >= 0) {
            code = add(command, classes, whole);
            continue;
        }
        for (const char *rest = word; rest && code == EXIT_DONE;) {
            size_t length = strcspn(rest, ",");
            code = add_word(command, model, rest, length, classes);
            rest = rest[length] ? rest + length + 1 : NULL;
        }
    }
    return code;
}

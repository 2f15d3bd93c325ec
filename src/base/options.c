/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, checking and writing the values of options; see options.h. */
#include "base/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/structure.h"
#include "base/text.h"

enum { MOST_NUMBERS = 1000000, NUMBER_SIZE = 32 };

const char *option_type_name(enum option_type type)
{
    static const char *const names[] = {
        [OPTION_FLAG] = "flag",     [OPTION_WHOLE] = "whole",     [OPTION_SEED] = "seed",
        [OPTION_NUMBER] = "number", [OPTION_CHOICE] = "choice",   [OPTION_TEXT] = "text",
        [OPTION_PATH] = "text",     [OPTION_NUMBERS] = "numbers", [OPTION_WHOLES] = "wholes",
        [OPTION_FLAGS] = "flags",   [OPTION_WORDS] = "words"};
    return names[type];
}

const struct option *option_find(const struct option *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0) return table;
    return NULL;
}

/* ---- Which were set ---- */

static int place_of(const struct given_options *given, const char *name)
{
    int place = 0;
    while (place < given->count && strcmp(given->names[place], name) != 0) place++;
    return place;
}

bool option_was_given(const struct given_options *given, const char *name)
{
    return place_of(given, name) < given->count;
}

void option_remember(struct given_options *given, const char *name, bool is_given)
{
    int place = place_of(given, name);
    bool known = place < given->count;
    if (is_given && !known && place < MOST_GIVEN) given->names[given->count++] = name;
    if (!is_given && known) given->names[place] = given->names[--given->count];
}

/* ---- Accepted values ---- */

static void expected_choice(const struct option *option, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "one of ");
    for (const char *letter = option->choices; *letter && used + 3 < size; letter++) {
        if (*letter == '|') text[used++] = ',';
        text[used++] = *letter == '|' ? ' ' : *letter;
    }
    text[used < size ? used : size - 1] = '\0';
}

static const char *expected_flag(const struct option *option)
{
    bool words =
        strcmp(option->default_value, "true") == 0 || strcmp(option->default_value, "false") == 0;
    return words ? "true or false" : "yes or no";
}

static void expected_words(const struct option *option, char *text, size_t size)
{
    int length = snprintf(text, size, "auto, or at most %d ", OPTION_LIST_LIMIT);
    const char *words = option->type == OPTION_FLAGS ? "times yes or no" : "words";
    if (option->type == OPTION_WHOLES) {
        snprintf(text + length, size - (size_t)length,
                 "whole numbers from %.15g to %.15g with commas between", option->low,
                 option->high);
    } else {
        snprintf(text + length, size - (size_t)length, "%s with commas between", words);
    }
}

void option_expected(const struct option *option, char *text, size_t size)
{
    switch (option->type) {
    case OPTION_TEXT:
    case OPTION_PATH: snprintf(text, size, "a text"); break;
    case OPTION_FLAG: snprintf(text, size, "%s", expected_flag(option)); break;
    case OPTION_WHOLE:
        snprintf(text, size, "%s%sa whole number from %.0f to %.0f",
                 option->choices ? option->choices : "", option->choices ? " or " : "", option->low,
                 option->high);
        break;
    case OPTION_SEED:
        snprintf(text, size, "a whole number from 0 to %llu", (unsigned long long)UINT64_MAX);
        break;
    case OPTION_NUMBER:
        snprintf(text, size, "a number from %.15g to %.15g", option->low, option->high);
        break;
    case OPTION_CHOICE: expected_choice(option, text, size); break;
    case OPTION_NUMBERS:
        snprintf(text, size, "a list of numbers from %.15g to %.15g, such as [%.15g, %.15g]",
                 option->low, option->high, option->high, option->low);
        break;
    default: expected_words(option, text, size);
    }
}

static sumi_status refuse(sumi_context *context, const char *subject, const struct option *option,
                          const char *text)
{
    char expected[OPTION_EXPECTED_SIZE];
    option_expected(option, expected, sizeof expected);
    return context_fail(context, SUMI_ERROR_ARGUMENT, "%s must be %s, not '%.80s'", subject,
                        expected, text);
}

/* ---- Single values ---- */

static bool read_flag(const char *text, bool *flag)
{
    *flag = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    return *flag || strcmp(text, "false") == 0 || strcmp(text, "no") == 0;
}

/* "inf" is accepted where a bound is infinite. */
static bool read_number(const struct option *option, const char *text, double *number)
{
    if (strcmp(text, "inf") == 0) *number = INFINITY;
    else if (strcmp(text, "-inf") == 0) *number = -INFINITY;
    else if (!text_to_number(text, number)) return false;
    return *number >= option->low && *number <= option->high;
}

static bool read_whole(const struct option *option, const char *text, int64_t *whole)
{
    if (option->choices && strcmp(text, option->choices) == 0) {
        *whole = option->first;
        return true;
    }
    return text_to_whole(text, whole) && (double)*whole >= option->low
           && (double)*whole <= option->high;
}

static bool read_choice(const struct option *option, const char *text, int *number)
{
    size_t length = strlen(text);
    *number = option->first;
    if (!length || strchr(text, '|')) return false;
    for (const char *choice = option->choices;; choice = strchr(choice, '|') + 1, ++*number) {
        if (strncmp(choice, text, length) == 0 && (choice[length] == '|' || !choice[length]))
            return true;
        if (!strchr(choice, '|')) return false;
    }
}

static bool read_word(const struct option *option, const char *word)
{
    int64_t whole = 0;
    bool flag = false;
    if (option->type == OPTION_WHOLES) return read_whole(option, word, &whole);
    return option->type == OPTION_WORDS || read_flag(word, &flag);
}

/* "auto", or words separated by commas. */
static bool read_words(const struct option *option, const char *text)
{
    char word[OPTION_WORD_SIZE];
    int count = 0;
    if (strcmp(text, "auto") == 0) return true;
    for (const char *rest = text; rest; count++) {
        const char *comma = strchr(rest, ','), *end = comma ? comma : rest + strlen(rest);
        if (!text_copy_trimmed(rest, end, word, sizeof word) || !word[0]
            || count == OPTION_LIST_LIMIT || !read_word(option, word))
            return false;
        rest = comma ? comma + 1 : NULL;
    }
    return true;
}

/* Space for any value that is not a list. */
union value {
    bool flag;
    int64_t whole;
    uint64_t seed;
    double number;
    int choice;
};

static bool read_value(const struct option *option, const char *text, union value *value)
{
    switch (option->type) {
    case OPTION_FLAG: return read_flag(text, &value->flag);
    case OPTION_WHOLE: return read_whole(option, text, &value->whole);
    case OPTION_SEED: return text_to_seed(text, &value->seed);
    case OPTION_NUMBER: return read_number(option, text, &value->number);
    case OPTION_CHOICE: return read_choice(option, text, &value->choice);
    case OPTION_TEXT:
    case OPTION_PATH: return true;
    case OPTION_WHOLES:
    case OPTION_FLAGS:
    case OPTION_WORDS: return read_words(option, text);
    case OPTION_NUMBERS: break;
    }
    return false;
}

static void keep_value(const struct option *option, const union value *value, void *target)
{
    switch (option->type) {
    case OPTION_FLAG: *(bool *)target = value->flag; break;
    case OPTION_WHOLE: *(int64_t *)target = value->whole; break;
    case OPTION_SEED: *(uint64_t *)target = value->seed; break;
    case OPTION_NUMBER: *(double *)target = value->number; break;
    case OPTION_CHOICE: *(int *)target = value->choice; break;
    default: break; /* the owner stores the text */
    }
}

sumi_status option_from_plain(sumi_context *context, const char *subject,
                              const struct option *option, const char *text, void *target)
{
    union value value = {0};
    if (!read_value(option, text, &value)) return refuse(context, subject, option, text);
    if (target) keep_value(option, &value, target);
    return SUMI_OK;
}

/* ---- Lists of numbers ---- */

static bool is_number(json_object *value)
{
    return json_object_is_type(value, json_type_int)
           || json_object_is_type(value, json_type_double);
}

static void replace_list(sumi_context *context, struct number_list *list, double *values,
                         size_t count)
{
    context_release(context, list->values);
    *list = (struct number_list){values, (int64_t)count};
}

/* An empty list unsets the option where that is its default. */
static sumi_status take_list(sumi_context *context, const char *subject,
                             const struct option *option, json_object *value,
                             struct number_list *list)
{
    if (!json_object_is_type(value, json_type_array))
        return refuse(context, subject, option, json_object_to_json_string(value));
    size_t count = json_object_array_length(value);
    bool may_be_empty = strcmp(option->default_value, "[]") == 0;
    if (count > MOST_NUMBERS || (count == 0 && !may_be_empty)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s must have from 1 to %d numbers, not %zu", subject, MOST_NUMBERS,
                            count);
    }
    double *values = count ? context_allocate(context, count, sizeof *values) : NULL;
    if (count && !values) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        json_object *entry = json_object_array_get_idx(value, i);
        values[i] = json_object_get_double(entry);
        if (is_number(entry) && values[i] >= option->low && values[i] <= option->high) continue;
        context_release(context, values);
        return refuse(context, subject, option, json_object_to_json_string(value));
    }
    if (list) replace_list(context, list, values, count);
    else context_release(context, values);
    return SUMI_OK;
}

/* ---- From text and from JSON ---- */

sumi_status option_from_json(sumi_context *context, const char *subject,
                             const struct option *option, json_object *value, void *target)
{
    bool number = option->type == OPTION_NUMBER || option->type == OPTION_WHOLE
                  || option->type == OPTION_SEED;
    bool text = json_object_is_type(value, json_type_string);
    if (!value) {
        if (target && option->type == OPTION_NUMBERS) replace_list(context, target, NULL, 0);
        return SUMI_OK;
    }
    if (option->type == OPTION_NUMBERS) return take_list(context, subject, option, value, target);
    if (option->type == OPTION_NUMBER && is_number(value)) {
        double given = json_object_get_double(value);
        if (!(given >= option->low && given <= option->high))
            return refuse(context, subject, option, json_object_to_json_string(value));
        if (target) *(double *)target = given;
        return SUMI_OK;
    }
    bool right = number                        ? json_object_is_type(value, json_type_int)
                 : option->type == OPTION_FLAG ? json_object_is_type(value, json_type_boolean)
                                               : text;
    if (text && option->type == OPTION_NUMBER) /* JSON has no infinite numbers */
        right = strstr(json_object_get_string(value), "inf");
    if (!right) return refuse(context, subject, option, json_object_to_json_string(value));
    return option_from_plain(context, subject, option, json_object_get_string(value), target);
}

sumi_status option_from_text(sumi_context *context, const char *subject,
                             const struct option *option, const char *text, void *target)
{
    bool structured = text[0] == '[' || text[0] == '"' || strcmp(text, "null") == 0;
    bool kept_as_text = option->type >= OPTION_TEXT && option->type != OPTION_NUMBERS;
    if (option->type == OPTION_NUMBERS && !text[0])
        return option_from_json(context, subject, option, NULL, target);
    if (!structured || kept_as_text) {
        if (option->type != OPTION_NUMBERS)
            return option_from_plain(context, subject, option, text, target);
        return refuse(context, subject, option, text);
    }
    json_object *value = NULL;
    TRY(json_parse(context, text, strlen(text), subject, &value));
    sumi_status status = option_from_json(context, subject, option, value, target);
    json_object_put(value);
    return status;
}

/* ---- Descriptions ---- */

bool option_describe(const struct option *option, const char *default_value, bool read,
                     sumi_option *shown)
{
    const sumi_option all = {.name = option->name,
                             .type = option_type_name(option->type),
                             .default_value = default_value ? default_value : option->default_value,
                             .meaning = option->meaning,
                             .choices = option->choices,
                             .low = option->low,
                             .high = option->high,
                             .when = option->when ? option->when : "",
                             .read = read};
    return structure_fill(shown, &all, sizeof all);
}

/* ---- To text ---- */

/* Writes the shortest digits that read back as the same number. */
static void write_number(double number, char *text, size_t size)
{
    if (number == floor(number) && fabs(number) < 1e15) {
        snprintf(text, size, "%.0f", number);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        double again = 0;
        snprintf(text, size, "%.*g", digits, number);
        for (char *letter = text; *letter; letter++)
            if (*letter == ',') *letter = '.'; /* independent of the locale */
        if (!isfinite(number) || (text_to_number(text, &again) && again == number)) return;
    }
}

static char *list_to_text(sumi_context *context, const struct number_list *list)
{
    size_t size = (size_t)list->count * NUMBER_SIZE + 3, used = 0;
    if (!list->values) return context_copy_text(context, "");
    char *text = context_allocate(context, size, 1);
    for (int64_t i = 0; text && i < list->count; i++) {
        char number[NUMBER_SIZE];
        write_number(list->values[i], number, sizeof number);
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "[", number);
    }
    if (text) snprintf(text + used, size - used, "]");
    return text;
}

static void write_choice(const struct option *option, int number, char *text, size_t size)
{
    const char *choice = option->choices;
    for (int i = option->first; choice && i < number; i++) {
        choice = strchr(choice, '|');
        if (choice) choice++;
    }
    bool known = choice && number >= option->first;
    snprintf(text, size, "%.*s", known ? (int)strcspn(choice, "|") : 0, known ? choice : "");
}

static void write_whole(const struct option *option, int64_t whole, char *text, size_t size)
{
    if (option->choices && whole == option->first) snprintf(text, size, "%s", option->choices);
    else snprintf(text, size, "%lld", (long long)whole);
}

void option_short_text(const struct option *option, const void *target, char text[OPTION_WORD_SIZE])
{
    const size_t size = OPTION_WORD_SIZE;
    text[0] = '\0';
    switch (option->type) {
    case OPTION_FLAG: snprintf(text, size, "%s", *(const bool *)target ? "true" : "false"); break;
    case OPTION_WHOLE: write_whole(option, *(const int64_t *)target, text, size); break;
    case OPTION_SEED:
        snprintf(text, size, "%llu", (unsigned long long)*(const uint64_t *)target);
        break;
    case OPTION_NUMBER: write_number(*(const double *)target, text, size); break;
    case OPTION_CHOICE: write_choice(option, *(const int *)target, text, size); break;
    case OPTION_NUMBERS:
        if (((const struct number_list *)target)->values) snprintf(text, size, "[...]");
        break;
    default: break; /* stored as text by its owner */
    }
}

void option_number_text(double number, char text[OPTION_WORD_SIZE])
{
    write_number(number, text, OPTION_WORD_SIZE);
}

char *option_to_text(sumi_context *context, const struct option *option, const void *target)
{
    char text[OPTION_WORD_SIZE];
    if (option->type == OPTION_NUMBERS) return list_to_text(context, target);
    option_short_text(option, target, text);
    return context_copy_text(context, text);
}

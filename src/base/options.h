/* SPDX-License-Identifier: Apache-2.0 */
/* Options by name. A row says what an option is called, what values it takes, its default and what
   it means; rows stand in tables beside the code that reads them. Here is the one reader of values,
   the one sentence about a wrong value, and the one test of whether an option is read. */
#ifndef SUMI_BASE_OPTIONS_H
#define SUMI_BASE_OPTIONS_H

#include "base/json.h"

enum option_type {
    OPTION_FLAG,    /* bool: true, false, yes or no */
    OPTION_WHOLE,   /* int64_t from low to high */
    OPTION_SEED,    /* uint64_t: any whole number of 64 bits, as all seeds are */
    OPTION_NUMBER,  /* double from low to high */
    OPTION_CHOICE,  /* int: number of one of `choices`, counted from `first` */
    OPTION_TEXT,    /* anything; kept as text by its owner */
    OPTION_PATH,    /* the same, where a file or folder is */
    OPTION_NUMBERS, /* struct number_list: [0.5, 0.1] */
    OPTION_WHOLES,  /* "auto", or whole numbers from low to high with commas between */
    OPTION_FLAGS,   /* "auto", or flags with commas between */
    OPTION_WORDS    /* "auto", or words with commas between */
};

enum { OPTION_LIST_LIMIT = 16, OPTION_WORD_SIZE = 64, OPTION_EXPECTED_SIZE = 320 };

struct number_list {
    double *values; /* NULL while the option is not given */
    int64_t count;
};

/* A table of these is ended by a row without a name. */
struct option {
    const char *name;
    enum option_type type;
    const char *default_value; /* as text */
    double low, high;
    const char *choices; /* "one|two|three" */
    const char *meaning; /* one plain sentence, without a full stop */
    size_t offset;       /* of the value in its owner's structure */
    const char *when;    /* what must hold for it to be read, or NULL; see option_holds */
    int first;
};

/* The beginnings of rows; an offset and a condition may follow. */
#define FLAG_OPTION(word, value, text)                                                             \
    .name = word, .type = OPTION_FLAG, .default_value = value, .meaning = text
#define WHOLE_OPTION(word, value, least, most, text)                                               \
    .name = word, .type = OPTION_WHOLE, .default_value = value, .low = least, .high = most,        \
    .meaning = text
#define SEED_OPTION(word, value, text)                                                             \
    .name = word, .type = OPTION_SEED, .default_value = value, .meaning = text
#define NUMBER_OPTION(word, value, least, most, text)                                              \
    .name = word, .type = OPTION_NUMBER, .default_value = value, .low = least, .high = most,       \
    .meaning = text
#define CHOICE_OPTION(word, value, words, text)                                                    \
    .name = word, .type = OPTION_CHOICE, .default_value = value, .choices = words, .meaning = text
#define TEXT_OPTION(word, value, text)                                                             \
    .name = word, .type = OPTION_TEXT, .default_value = value, .meaning = text
#define PATH_OPTION(word, value, text)                                                             \
    .name = word, .type = OPTION_PATH, .default_value = value, .meaning = text
#define NUMBERS_OPTION(word, least, most, text)                                                    \
    .name = word, .type = OPTION_NUMBERS, .default_value = "", .low = least, .high = most,         \
    .meaning = text
#define WHOLES_OPTION(word, value, least, most, text)                                              \
    .name = word, .type = OPTION_WHOLES, .default_value = value, .low = least, .high = most,       \
    .meaning = text
#define FLAGS_OPTION(word, value, text)                                                            \
    .name = word, .type = OPTION_FLAGS, .default_value = value, .meaning = text
#define WORDS_OPTION(word, value, text)                                                            \
    .name = word, .type = OPTION_WORDS, .default_value = value, .meaning = text

/* Names of rows that a caller has set, each once, in no order. */
enum { MOST_GIVEN = 96 };
struct given_options {
    const char *names[MOST_GIVEN];
    int count;
};
void option_remember(struct given_options *given, const char *name, bool is_given);
bool option_was_given(const struct given_options *given, const char *name);

/* "flag", "number" ... */
const char *option_type_name(enum option_type type);

/* The row of that name in a table, or NULL. */
const struct option *option_find(const struct option *table, const char *name);

/* Reads a value from text to `target`, which is of the row's type; NULL only checks it. `subject`
   begins the sentence about a wrong value: "solver option \"eta\"". A list that was there before is
   released. */
sumi_status option_from_text(sumi_context *context, const char *subject,
                             const struct option *option, const char *text, void *target);

/* The same from a text as it is, none of it JSON; nothing is written for a text or a list. */
sumi_status option_from_plain(sumi_context *context, const char *subject,
                              const struct option *option, const char *text, void *target);

/* The same from JSON. null takes a list away and leaves anything else as it is. */
sumi_status option_from_json(sumi_context *context, const char *subject,
                             const struct option *option, json_object *value, void *target);

/* The text that option_from_text would read again, in a new string; NULL without memory. */
char *option_to_text(sumi_context *context, const struct option *option, const void *target);

/* The same without memory, of all but the numbers of a list: "" or "[...]". */
void option_short_text(const struct option *option, const void *target,
                       char text[OPTION_WORD_SIZE]);

/* What the option takes, to end the sentence "... must be". */
void option_expected(const struct option *option, char *text, size_t size);

/* The row as the public interface shows it, with another default unless that is NULL; false where
   the caller's structure has no size. */
bool option_describe(const struct option *option, const char *default_value, bool read,
                     sumi_option *shown);

/* Whether a condition holds: "path=vp|sub_vp" and "steps!=0, timesteps=" where all must hold, with
   " or " between alternatives. `get` tells the present text of an option, "" where it is not given;
   false where there is none. */
typedef bool (*option_getter)(const void *user, const char *name, char text[OPTION_WORD_SIZE]);
bool option_holds(const char *when, option_getter get, const void *user);

/* A condition for people: "path = vp or sub_vp". */
void option_condition(const char *when, char *text, size_t size);

#endif

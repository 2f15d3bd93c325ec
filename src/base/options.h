/* SPDX-License-Identifier: Apache-2.0 */
/* Options by name. A row declares the name of an option, its values, its default and its meaning;
   rows are in tables next to the code that reads them. This file has the only reader of values, the
   only message about a wrong value, and the only test of whether an option is read. */
#ifndef SUMI_BASE_OPTIONS_H
#define SUMI_BASE_OPTIONS_H

#include "base/json.h"

enum option_type {
    OPTION_FLAG,    /* bool: true, false, yes or no */
    OPTION_WHOLE,   /* int64_t from low to high */
    OPTION_SEED,    /* uint64_t: any whole number of 64 bits, as all seeds are */
    OPTION_NUMBER,  /* double from low to high */
    OPTION_CHOICE,  /* int: index of one of `choices`, counted from `first` */
    OPTION_TEXT,    /* anything; stored as text by its owner */
    OPTION_PATH,    /* the same, a path of a file or folder */
    OPTION_NUMBERS, /* struct number_list: [0.5, 0.1] */
    OPTION_WHOLES,  /* "auto", or whole numbers from low to high separated by commas */
    OPTION_FLAGS,   /* "auto", or flags separated by commas */
    OPTION_WORDS    /* "auto", or words separated by commas */
};

enum { OPTION_LIST_LIMIT = 16, OPTION_WORD_SIZE = 64, OPTION_EXPECTED_SIZE = 320 };

struct number_list {
    double *values; /* NULL while the option is not set */
    int64_t count;
};

/* A table of these ends with a row without a name. */
struct option {
    const char *name;
    enum option_type type;
    const char *default_value; /* as text */
    double low, high;
    const char *choices; /* "one|two|three"; of a whole number, a word for the value `first` */
    const char *meaning; /* one plain sentence, without a full stop */
    size_t offset;       /* of the value in its owner's structure */
    const char *when;    /* condition under which it is read, or NULL; see option_holds */
    int first;
    const char *unread; /* choices without effect here, "one|two", which only files may have */
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

/* The names of rows that a caller has set, each once, in no particular order. */
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

/* Reads a value from text to `target`, which has the row's type; with NULL only checks it.
   `subject` begins the message about a wrong value: "solver option \"eta\"". Releases the previous
   list. */
sumi_status option_from_text(sumi_context *context, const char *subject,
                             const struct option *option, const char *text, void *target);

/* The same from a plain text, not JSON; writes nothing for a text or a list. */
sumi_status option_from_plain(sumi_context *context, const char *subject,
                              const struct option *option, const char *text, void *target);

/* The same from JSON. null unsets a list and leaves anything else unchanged. */
sumi_status option_from_json(sumi_context *context, const char *subject,
                             const struct option *option, json_object *value, void *target);

/* The text that option_from_text reads back as the value, in a new string; NULL if memory runs
   out. */
char *option_to_text(sumi_context *context, const struct option *option, const void *target);

/* The same without allocation; a list gives "" or "[...]". */
void option_short_text(const struct option *option, const void *target,
                       char text[OPTION_WORD_SIZE]);

/* The same of a number. */
void option_number_text(double number, char text[OPTION_WORD_SIZE]);

/* The accepted values, to complete the sentence "... must be". */
void option_expected(const struct option *option, char *text, size_t size);

/* Writes the row in the form of the public interface, with another default unless that is NULL;
   false if the caller's structure has no size. */
bool option_describe(const struct option *option, const char *default_value, bool read,
                     sumi_option *shown);

/* Whether a condition holds, such as "path=vp|sub_vp", or "steps!=0, timesteps=" where all must
   hold, with " or " between alternatives. `get` writes the current text of an option, "" where it
   is not set; false where there is none. */
typedef bool (*option_getter)(const void *user, const char *name, char text[OPTION_WORD_SIZE]);
bool option_holds(const char *when, option_getter get, const void *user);

/* The name of the first option of a condition because of which it does not hold, for messages. */
void option_first_failing(const char *when, option_getter get, const void *user,
                          char name[OPTION_WORD_SIZE]);

/* A condition for messages: "path = vp or sub_vp". */
void option_condition(const char *when, char *text, size_t size);

#endif

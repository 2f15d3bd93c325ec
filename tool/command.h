/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by all sub-commands: the table that describes one, the parser of its arguments, and the
   printing of errors. A sub-command is one file with such a table, and a row in main.c. */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumi.h"

/* Exit codes. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum { LIST_LIMIT = 64 };

struct texts {
    int count;
    const char *items[LIST_LIMIT];
};

struct numbers {
    int count;
    double items[LIST_LIMIT];
};

/* How many values an option takes. */
enum option_values {
    TAKES_ONE,
    TAKES_NUMBERS,     /* struct numbers; all numbers that follow it, also separated by commas */
    TAKES_ASSIGNMENTS, /* struct texts "name=value"; all such arguments that follow it */
    TAKES_WORDS        /* struct texts; numbers that follow it, and any words after all positional
                          arguments */
};

/* A row of a command's table. The library checks each value by `row` (sumi_option_read). The target
   is a bool for a flag, which takes no value; an int64_t for a whole number; the text for any other
   type. It is 0 or NULL if the option is not given. */
struct option {
    sumi_option row;   /* name without the leading "--"; '\n' separates lines of the meaning */
    char letter;       /* of the short form, or 0 */
    const char *value; /* name of the value in help, NULL for a flag */
    size_t offset;     /* of the value in the command's settings */
    enum option_values values;
};

#define OPTION_ROW(SETTINGS, MEMBER, LETTER, VALUE, ...)                                           \
    LIST_ROW(SETTINGS, MEMBER, LETTER, VALUE, TAKES_ONE, __VA_ARGS__)
#define LIST_ROW(SETTINGS, MEMBER, LETTER, VALUE, VALUES, ...)                                     \
    {                                                                                              \
        {.size = sizeof(sumi_option), __VA_ARGS__}, LETTER, VALUE, offsetof(SETTINGS, MEMBER),     \
            VALUES                                                                                 \
    }
#define A_FLAG(NAME, MEANING) .name = NAME, .type = "flag", .meaning = MEANING
#define A_COUNT(NAME, MEANING)                                                                     \
    .name = NAME, .type = "whole", .low = 1, .high = 1e9, .meaning = MEANING
#define A_SEED(NAME, MEANING) .name = NAME, .type = "seed", .meaning = MEANING
#define A_NUMBER(NAME, LOW, HIGH, MEANING)                                                         \
    .name = NAME, .type = "number", .low = LOW, .high = HIGH, .meaning = MEANING
#define A_CHOICE(NAME, CHOICES, MEANING)                                                           \
    .name = NAME, .type = "choice", .choices = CHOICES, .meaning = MEANING
#define A_TEXT(NAME, MEANING) .name = NAME, .type = "text", .meaning = MEANING

struct command {
    const char *name, *summary;
    const char *usage;            /* the usage after "sumi NAME" */
    const char *details;          /* paragraphs and examples, for help */
    const struct option *options; /* ends with a row without a name */
    const char *arguments;        /* names of the positional arguments, for errors */
    int least, most;              /* least and greatest number of them */
    size_t settings_size;
    /* `settings` is zeroed before the options are filled in. Returns an exit code. */
    int (*run)(sumi_context *context, const void *settings, int count,
               const char *const *arguments);
};

extern const struct command train_command, sample_command, denoise_command, inpaint_command,
    invert_command, interpolate_command, encode_command, decode_command, likelihood_command,
    convergence_command, eval_command, info_command, bench_command, recipes_command,
    solvers_command, fetch_command, restore_command, edit_command, guides_command, merge_command;

/* Fills in settings and arguments[*count], at most `limit`. Options may be anywhere before "--".
   Prints an error and returns EXIT_USAGE, or returns EXIT_DONE. --help sets `*help` and ends the
   parsing. */
int command_parse(sumi_context *context, const struct command *command, int argc, char *const *argv,
                  void *settings, const char **arguments, int limit, int *count, bool *help);

/* Checks one value of an option and stores it in the settings, or adds it to a list there; `value`
   must outlive them. `source` begins errors in place of the command's name. */
int command_take(sumi_context *context, const struct command *command, const char *source,
                 const struct option *option, const char *value, void *settings);

/* Prints one sentence on stderr after "sumi: ". Returns `code`. */
int fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A sumi_warning_function: prints one sentence on stderr after "sumi: warning: ". `user` is
   NULL. */
void print_warning(void *user, const char *sentence);

/* Prints the context's message on stderr. Returns EXIT_FAILED. */
int fail_context(const sumi_context *context);

/* The same for a call whose arguments come from the command line: returns EXIT_USAGE for
   SUMI_ERROR_ARGUMENT. */
int fail_argument(const sumi_context *context, sumi_status status);

/* The same for opening a recipe: returns EXIT_USAGE for SUMI_ERROR_FORMAT, too, for lines that are
   neither a section nor a value. */
int fail_recipe(const sumi_context *context, sumi_status status);

/* Checks, before long work, that a file can be created at this path; else prints why and returns
   EXIT_FAILED. */
int check_output(const char *path);

/* Whether `path` ends in `ending`, such as ".png". */
bool has_ending(const char *path, const char *ending);

/* Writes the shape of one item, "28x28x1", to text[size]. */
void format_shape(int rank, const int64_t *shape, char *text, size_t size);

#endif

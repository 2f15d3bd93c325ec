/* SPDX-License-Identifier: Apache-2.0 */
/* What every sub-command shares: the table that describes it, the parser of its arguments, and how
   it tells of errors. A sub-command is one file with such a table, and one row in main.c. */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumi.h"

/* Exit codes. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum option_kind {
    OPTION_FLAG,    /* bool; takes no value */
    OPTION_TEXT,    /* const char *, NULL where not given */
    OPTION_TEXTS,   /* struct texts "name=value"; takes all such that follow it */
    OPTION_COUNT,   /* int64_t, at least 1; 0 where not given */
    OPTION_SEED,    /* const char *: a whole number from 0 to 2^64 - 1; NULL where not given */
    OPTION_NUMBERS, /* struct numbers, 0 or more each; takes all numbers that follow it */
    OPTION_WORDS    /* struct texts; takes numbers that follow it, and what else follows all of the
                       command's arguments */
};

enum { LIST_LIMIT = 64 };

struct texts {
    int count;
    const char *items[LIST_LIMIT];
};

struct numbers {
    int count;
    double items[LIST_LIMIT];
};

struct option {
    const char *name; /* without the leading "--" */
    char letter;      /* of the short form, or 0 */
    enum option_kind kind;
    const char *value;   /* what the value is called in help, NULL for a flag */
    const char *meaning; /* for help; lines are broken by '\n' */
    size_t offset;       /* of the target in the command's settings */
};

struct command {
    const char *name, *summary;
    const char *usage;            /* what follows "sumi NAME" */
    const char *details;          /* paragraphs and examples, for help */
    const struct option *options; /* ended by a NULL name */
    const char *arguments;        /* names of the positional arguments, for errors */
    int least, most;              /* how many of them there may be */
    size_t settings_size;
    /* `settings` was all zeros before the options were filled in. Returns an exit code. */
    int (*run)(sumi_context *context, const void *settings, int count,
               const char *const *arguments);
};

extern const struct command train_command, sample_command, denoise_command, inpaint_command,
    invert_command, interpolate_command, likelihood_command, convergence_command, info_command,
    bench_command, recipes_command, solvers_command, fetch_command;

/* Fills in settings and arguments[*count], which has room for `limit`. Options stand anywhere
   before "--". Tells what is wrong and returns EXIT_USAGE, or EXIT_DONE. `*help` is set by --help,
   which ends the parsing. */
int command_parse(const struct command *command, int argc, char *const *argv, void *settings,
                  const char **arguments, int limit, int *count, bool *help);

/* One sentence on stderr after "sumi: ". Returns `code`. */
int fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A sumi_warning_function: one sentence on stderr after "sumi: warning: ". `user` is NULL. */
void print_warning(void *user, const char *sentence);

/* The context's message on stderr. Returns EXIT_FAILED. */
int fail_context(const sumi_context *context);

/* The same for a call whose arguments come straight from the command line: EXIT_USAGE where the
   status says that they have no meaning. */
int fail_argument(const sumi_context *context, sumi_status status);

/* Whether a file can be made at this path: else tells why, and returns EXIT_FAILED. Asked before
   long work. */
int check_output(const char *path);

/* Whether `path` ends in `ending`, such as ".png". */
bool has_ending(const char *path, const char *ending);

/* The shape of one item, "28x28x1", into text[size]. */
void format_shape(int rank, const int64_t *shape, char *text, size_t size);

/* The word nearest to `word`, by slips of the keyboard, of those that `name(number)` gives from 0
   to NULL; NULL where none is near enough to have been meant. */
const char *nearest_word(const char *word, const char *(*name)(const void *user, int number),
                         const void *user);

/* The whole of `text` as a number with a decimal point, finite and not below zero. */
bool read_number(const char *text, double *number);

#endif

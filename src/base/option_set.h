/* SPDX-License-Identifier: Apache-2.0 */
/* A set of options with their values: tables of rows, the structure that holds the values, and
   which of them a caller has set. Solvers, which also have classes and configuration files, use
   solvers/settings.c. */
#ifndef SUMI_BASE_OPTION_SET_H
#define SUMI_BASE_OPTION_SET_H

#include "base/options.h"

enum { OPTION_TABLES = 4 };

struct option_set {
    sumi_context *context;
    const char *owner, *noun; /* "a likelihood" has a "setting", "the guide x" an "option" */
    const struct option *tables[OPTION_TABLES]; /* no lists of numbers; NULL after the last */
    void *values;                               /* the structure of the rows' offsets */
    struct given_options given;                 /* what the caller has set */
    char text[OPTION_WORD_SIZE];                /* of the last option_set_value */
};

/* Sets every value to its default. */
void option_set_defaults(struct option_set *set);

/* Sets one from text. A name that no table has is refused, and the nearest suggested. */
sumi_status option_set_text(struct option_set *set, const char *name, const char *value);
sumi_status option_set_number(struct option_set *set, const char *name, double value);

/* The value as text; false where there is no such option. */
bool option_set_get(const struct option_set *set, const char *name, char text[OPTION_WORD_SIZE]);

/* The same, valid until the next call; NULL where there is no such option. `name` may be NULL. */
const char *option_set_value(struct option_set *set, const char *name);

/* The row by number from 0, through all tables; false past the last. */
bool option_set_describe(const struct option_set *set, int number, sumi_option *option);

/* Refuses a value that the caller has set to another than its default and that does not count with
   the others. `reader` begins the sentence; `tables` has a bit for each table that is looked at. */
sumi_status option_set_check(const struct option_set *set, const char *reader, unsigned tables);

#endif

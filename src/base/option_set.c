/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of options with their values; see option_set.h. */
#include "base/option_set.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const struct option *table_at(const struct option_set *set, int number)
{
    return number < OPTION_TABLES ? set->tables[number] : NULL;
}

/* The row of a name and the number of its table; NULL where there is none. */
static const struct option *find_row(const struct option_set *set, const char *name, int *table)
{
    for (*table = 0; table_at(set, *table); ++*table) {
        const struct option *row = option_find(table_at(set, *table), name);
        if (row) return row;
    }
    return NULL;
}

static void *value_of(const struct option_set *set, const struct option *row)
{
    return (char *)set->values + row->offset;
}

void option_set_defaults(struct option_set *set)
{
    for (int table = 0; table_at(set, table); table++)
        for (const struct option *row = table_at(set, table); row->name; row++)
            option_from_text(set->context, row->name, row, row->default_value, value_of(set, row));
}

/* ---- Setting ---- */

static sumi_status fail_unknown(const struct option_set *set, const char *name)
{
    const char *names[MOST_GIVEN] = {NULL};
    int count = 0;
    for (int table = 0; table_at(set, table); table++)
        for (const struct option *row = table_at(set, table); row->name; row++)
            if (count < MOST_GIVEN - 1) names[count++] = row->name;
    return context_fail(set->context, SUMI_ERROR_ARGUMENT,
                        "%s has no %s \"%.60s\"; did you mean \"%s\"?", set->owner, set->noun, name,
                        text_nearest(name, names));
}

sumi_status option_set_text(struct option_set *set, const char *name, const char *value)
{
    char subject[2 * OPTION_WORD_SIZE];
    int table = 0;
    if (!name || !value) {
        return context_fail(set->context, SUMI_ERROR_ARGUMENT,
                            "%s of %s needs a name and a value, not NULL", set->noun, set->owner);
    }
    const struct option *row = find_row(set, name, &table);
    if (!row) return fail_unknown(set, name);
    snprintf(subject, sizeof subject, "\"%s\" of %s", row->name, set->owner);
    TRY(option_from_text(set->context, subject, row, value, value_of(set, row)));
    option_remember(&set->given, row->name, true);
    return SUMI_OK;
}

sumi_status option_set_number(struct option_set *set, const char *name, double value)
{
    char text[OPTION_WORD_SIZE];
    option_number_text(value, text);
    return option_set_text(set, name, text);
}

/* ---- Reading ---- */

bool option_set_get(const struct option_set *set, const char *name, char text[OPTION_WORD_SIZE])
{
    int table = 0;
    const struct option *row = find_row(set, name, &table);
    if (row) option_short_text(row, value_of(set, row), text);
    return row;
}

const char *option_set_value(struct option_set *set, const char *name)
{
    return name && option_set_get(set, name, set->text) ? set->text : NULL;
}

static bool present(const void *user, const char *name, char text[OPTION_WORD_SIZE])
{
    return option_set_get(user, name, text);
}

static bool counts(const struct option_set *set, const struct option *row)
{
    return !row->when || option_holds(row->when, present, set);
}

bool option_set_describe(const struct option_set *set, int number, sumi_option *option)
{
    for (int table = 0; number >= 0 && table_at(set, table); table++) {
        for (const struct option *row = table_at(set, table); row->name; row++) {
            if (number-- > 0) continue;
            return option_describe(row, NULL, counts(set, row), option);
        }
    }
    return false;
}

static bool is_default(const struct option_set *set, const struct option *row)
{
    char now[OPTION_WORD_SIZE];
    option_short_text(row, value_of(set, row), now);
    return strcmp(now, row->default_value) == 0;
}

sumi_status option_set_check(const struct option_set *set, const char *reader, unsigned tables)
{
    char condition[OPTION_EXPECTED_SIZE];
    for (int i = 0; i < set->given.count; i++) {
        int table = 0;
        const struct option *row = find_row(set, set->given.names[i], &table);
        if (!(tables >> table & 1U) || counts(set, row) || is_default(set, row)) continue;
        option_condition(row->when, condition, sizeof condition);
        return context_fail(set->context, SUMI_ERROR_ARGUMENT, "%s reads \"%s\" only with %s",
                            reader, row->name, condition);
    }
    return SUMI_OK;
}

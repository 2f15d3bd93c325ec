/* SPDX-License-Identifier: Apache-2.0 */
/* Options of solvers by name. A solver reads its own rows and those of every run; its family of
   times decides which rows of places it reads. An option that the caller sets and the solver does
   not read is refused; further options in a configuration file of diffusers are kept and have no
   effect. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "solvers/places.h"
#include "solvers/solver.h"

enum { SUBJECT_SIZE = 96, CONDITION_SIZE = 400, NAMED = 3 };

/* ---- The rows of a solver ---- */

struct use {
    const struct option *rows; /* NULL past the last table */
    const char *when;          /* condition of all of them, beside each row's own; or NULL */
};

/* The tables by number, those of the method first. A family of whole times reads the rows of other
   places only where the path is not a table. */
static struct use use_at(const struct solver_type *type, int number)
{
    static const struct use shared[] = {
        {prediction_options, NULL}, {output_options, NULL},         {limit_options, NULL},
        {path_options, NULL},       {schedule_table_options, NULL}, {run_options, NULL},
    };
    static const struct use of_table[] = {{spacing_options, "path=table"},
                                          {places_options, "path!=table"},
                                          {respacing_options, "path!=table"}};
    static const struct use of_places[] = {{places_options, NULL},
                                           {respacing_options, NULL},
                                           {end_options, NULL},
                                           {clipped_options, NULL}};
    int own = 0, common = (int)(sizeof shared / sizeof *shared);
    while (own < MOST_TABLES && type->options[own]) own++;
    if (number < own) return (struct use){type->options[number], NULL};
    if ((number -= own) < common) return shared[number];
    number -= common;
    if (type->family == TIMES_TABLE) return number < 3 ? of_table[number] : (struct use){0};
    return number < (type->family == TIMES_REAL ? 3 : 4) ? of_places[number] : (struct use){0};
}

/* Whether a word is one of a list, "one|two" or NULL. */
static bool is_one_of(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *other = list; other; other = strchr(other, '|')) {
        if (*other == '|') other++;
        if (strncmp(other, word, length) == 0 && (other[length] == '|' || !other[length]))
            return true;
    }
    return false;
}

static bool is_ignored(const struct solver_type *type, const char *name)
{
    return is_one_of(type->ignored, name);
}

/* The rows by number; several rows of one name have different conditions. */
struct place {
    const struct option *row;
    const char *when; /* condition of its table */
};

static bool place_at(const struct solver_type *type, int number, struct place *place)
{
    struct use use;
    for (int table = 0; (use = use_at(type, table)).rows; table++) {
        for (const struct option *row = use.rows; row->name; row++) {
            if (number-- > 0) continue;
            *place = (struct place){row, use.when};
            return true;
        }
    }
    return false;
}

static const struct option *row_of(const struct solver_type *type, const char *name)
{
    const struct option *row = NULL;
    struct use use;
    for (int table = 0; !row && (use = use_at(type, table)).rows; table++)
        row = option_find(use.rows, name);
    return row;
}

static void *value_at(struct solver_options *options, const struct option *row)
{
    return (char *)options + row->offset;
}

void settings_default(const struct solver_type *type, struct solver_options *options)
{
    struct use use;
    memset(options, 0, sizeof *options);
    for (int table = 0; (use = use_at(type, table)).rows; table++) {
        for (const struct option *row = use.rows; row->name; row++) {
            if (row->type != OPTION_NUMBERS)
                option_from_text(NULL, row->name, row, row->default_value, value_at(options, row));
        }
    }
    if (type->defaults) type->defaults(options);
}

/* ---- Which of them are read ---- */

/* The value of an option as a text, for conditions; use_flow_sigmas turns the path into a flow. */
static bool present(const void *user, const char *name, char text[OPTION_WORD_SIZE])
{
    const sumi_solver *solver = user;
    const struct option *row = row_of(solver->type, name);
    if (!row) return false;
    option_short_text(row, (const char *)&solver->options + row->offset, text);
    if (strcmp(name, "path") == 0 && solver->options.use_flow_sigmas)
        snprintf(text, OPTION_WORD_SIZE, "flow");
    return true;
}

static bool is_read(const sumi_solver *solver, const struct place *place)
{
    return !is_ignored(solver->type, place->row->name)
           && (!place->when || option_holds(place->when, present, solver))
           && (!place->row->when || option_holds(place->row->when, present, solver));
}

/* Whether any row of the name is read; else `*first` is its first row, or NULL where this solver
   never reads the name. */
static bool name_is_read(const sumi_solver *solver, const char *name, struct place *first)
{
    struct place place;
    *first = (struct place){NULL, NULL};
    if (is_ignored(solver->type, name)) return false;
    for (int i = 0; place_at(solver->type, i, &place); i++) {
        if (strcmp(place.row->name, name) != 0) continue;
        if (!first->row) *first = place;
        if (is_read(solver, &place)) return true;
    }
    return false;
}

/* ---- Refusals ---- */

/* The first row of the name among all solvers. */
static const struct option *row_of_any(const char *name)
{
    const struct option *row = NULL;
    for (int i = 0; !row && solver_type_at(i); i++) row = row_of(solver_type_at(i), name);
    return row;
}

static sumi_status unknown_name(sumi_context *context, const char *name)
{
    const char *nearest = "";
    int shortest = 1 << 20;
    struct place place;
    for (int i = 0; solver_type_at(i); i++) {
        for (int k = 0; place_at(solver_type_at(i), k, &place); k++) {
            int distance = text_distance(name, place.row->name);
            if (distance >= shortest) continue;
            shortest = distance;
            nearest = place.row->name;
        }
    }
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "there is no solver option \"%.100s\"; did you mean \"%s\"?", name,
                        nearest);
}

/* Whether a solver may read an option, or, unless `choice` is NULL, that choice of it. */
static bool may_read(const struct solver_type *type, const char *name, const char *choice)
{
    const struct option *row = row_of(type, name);
    return row && !is_ignored(type, name) && !(choice && is_one_of(row->unread, choice));
}

/* Refuses an option, or a choice of it unless that is NULL, and names a few solvers that read it.
 */
static sumi_status never_read(const sumi_solver *solver, const char *name, const char *choice)
{
    char readers[160] = "";
    size_t used = 0;
    int count = 0;
    for (int i = 0; solver_type_at(i); i++) {
        const struct solver_type *type = solver_type_at(i);
        if (!may_read(type, name, choice) || count++ >= NAMED) continue;
        used += (size_t)snprintf(readers + used, sizeof readers - used, "%s%s",
                                 count > 1 ? ", " : "", type->name);
    }
    return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                        "%s does not read \"%s\"%s%s; %s%s %s", solver->type->name, name,
                        choice ? " = " : "", choice ? choice : "", readers,
                        count > NAMED ? " and others" : "", count > 1 ? "do" : "does");
}

/* Refuses an option and lists the conditions under which it is read. */
static sumi_status not_read_here(const sumi_solver *solver, const char *name)
{
    char condition[CONDITION_SIZE] = "", text[CONDITION_SIZE];
    size_t used = 0;
    struct place place;
    for (int i = 0; place_at(solver->type, i, &place) && used < sizeof condition; i++) {
        const char *table = place.when, *own = place.row->when;
        if (strcmp(place.row->name, name) != 0) continue;
        used += (size_t)snprintf(condition + used, sizeof condition - used, "%s%s%s%s",
                                 used ? " or " : "", table ? table : "", table && own ? ", " : "",
                                 own ? own : "");
    }
    option_condition(condition, text, sizeof text);
    return context_fail(solver->context, SUMI_ERROR_ARGUMENT, "%s reads \"%s\" only with %s",
                        solver->type->name, name, text);
}

/* ---- Setting ---- */

/* Whether an option has its default value for this solver. */
static bool is_default(const sumi_solver *solver, const struct option *row)
{
    struct solver_options first;
    char before[OPTION_WORD_SIZE], now[OPTION_WORD_SIZE];
    settings_default(solver->type, &first);
    option_short_text(row, value_at(&first, row), before);
    option_short_text(row, (const char *)&solver->options + row->offset, now);
    return strcmp(before, now) == 0;
}

/* Refuses an option that is not read, unless the value is the one it already has. */
static sumi_status set_unread(sumi_solver *solver, const struct option *row, const char *subject,
                              const char *value)
{
    struct solver_options changed;
    char before[OPTION_WORD_SIZE], now[OPTION_WORD_SIZE];
    if (row->type == OPTION_NUMBERS) {
        return strcmp(value, "null") == 0 ? SUMI_OK : never_read(solver, row->name, NULL);
    }
    changed = solver->options;
    option_short_text(row, value_at(&changed, row), before);
    TRY(option_from_text(solver->context, subject, row, value, value_at(&changed, row)));
    option_short_text(row, value_at(&changed, row), now);
    return strcmp(before, now) == 0 ? SUMI_OK : never_read(solver, row->name, NULL);
}

/* Refuses a choice that has no effect for this solver, unless it is the value already. */
static sumi_status check_choice(const sumi_solver *solver, const struct option *row,
                                const char *subject, const char *value)
{
    char before[OPTION_WORD_SIZE], wanted[OPTION_WORD_SIZE];
    int number = 0;
    if (!row->unread) return SUMI_OK;
    TRY(option_from_text(solver->context, subject, row, value, &number));
    option_short_text(row, &number, wanted);
    option_short_text(row, (const char *)&solver->options + row->offset, before);
    if (!is_one_of(row->unread, wanted) || strcmp(before, wanted) == 0) return SUMI_OK;
    return never_read(solver, row->name, wanted);
}

sumi_status sumi_solver_set(sumi_solver *solver, const char *option, const char *value)
{
    char subject[SUBJECT_SIZE];
    if (!option || !value) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "a solver option needs a name and a value, not NULL");
    }
    const struct option *any = row_of_any(option), *row = row_of(solver->type, option);
    if (!any) return unknown_name(solver->context, option);
    snprintf(subject, sizeof subject, "solver option \"%s\"", any->name);
    if (!row || is_ignored(solver->type, option))
        return set_unread(solver, row ? row : any, subject, value);
    TRY(check_choice(solver, row, subject, value));
    TRY(option_from_text(solver->context, subject, row, value, value_at(&solver->options, row)));
    option_remember(&solver->given, row->name, strcmp(value, "null") != 0);
    solver->ready = false;
    return SUMI_OK;
}

sumi_status sumi_solver_set_number(sumi_solver *solver, const char *option, double value)
{
    char text[OPTION_WORD_SIZE];
    option_number_text(value, text);
    return sumi_solver_set(solver, option, text);
}

sumi_status sumi_solver_set_flag(sumi_solver *solver, const char *option, bool value)
{
    return sumi_solver_set(solver, option, value ? "true" : "false");
}

sumi_status sumi_solver_set_list(sumi_solver *solver, const char *option, int64_t count,
                                 const double *values)
{
    struct number_list list = {(double *)values, count}; /* not written to */
    if (count < 1 || !values) return sumi_solver_set(solver, option, "null");
    const struct option row = {.type = OPTION_NUMBERS};
    char *text = option_to_text(solver->context, &row, &list);
    sumi_status status = text ? sumi_solver_set(solver, option, text) : SUMI_ERROR_MEMORY;
    context_release(solver->context, text);
    return status;
}

/* ---- Checking all together ---- */

/* A list of places determines the number of steps. */
static sumi_status check_steps(const sumi_solver *solver)
{
    const struct solver_options *options = &solver->options;
    const struct number_list *times = &options->timesteps, *sigmas = &options->sigmas;
    int64_t count = times->values ? times->count : places_given(sigmas);
    if (times->values && sigmas->values) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "timesteps and sigmas both list the places to visit; give one of them");
    }
    bool listed = times->values || sigmas->values;
    bool given = option_was_given(&solver->given, "steps") && options->steps != 0;
    if (!listed || !given || options->steps == count || solver->type->one_place) return SUMI_OK;
    return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                        "steps = %lld contradicts %s, which lists %lld places; give one of them",
                        (long long)options->steps, times->values ? "timesteps" : "sigmas",
                        (long long)count);
}

sumi_status settings_check(const sumi_solver *solver)
{
    struct place place;
    TRY(check_steps(solver));
    for (int i = 0; i < solver->given.count; i++) {
        if (name_is_read(solver, solver->given.names[i], &place)) continue;
        if (place.row && !is_default(solver, place.row))
            return not_read_here(solver, place.row->name);
    }
    return SUMI_OK;
}

/* ---- A whole file ---- */

static sumi_status set_member(sumi_context *context, const struct solver_type *type,
                              const char *name, json_object *value, struct solver_options *options)
{
    char subject[SUBJECT_SIZE];
    const struct option *row = row_of(type, name);
    snprintf(subject, sizeof subject, "solver option \"%s\"", name);
    sumi_status status = SUMI_OK;
    if (row) status = option_from_json(context, subject, row, value, value_at(options, row));
    if (row && status != SUMI_ERROR_ARGUMENT) return status;
    for (int i = 0; solver_type_at(i); i++) { /* perhaps an option of another class */
        const struct option *other = row_of(solver_type_at(i), name);
        if (!other || other == row) continue;
        status = option_from_json(context, subject, other, value, value_at(options, other));
        if (status != SUMI_ERROR_ARGUMENT) return status;
        if (!row) row = other;
    }
    return row ? option_from_json(context, subject, row, value, value_at(options, row)) : SUMI_OK;
}

sumi_status settings_configure(sumi_solver *solver, const struct solver_options *trained,
                               const char *json)
{
    sumi_context *context = solver->context;
    json_object *members = NULL;
    struct solver_options changed;
    TRY(json_parse(context, json, strlen(json), "the scheduler's configuration", &members));
    bool object = json_object_is_type(members, json_type_object);
    sumi_status status = object ? options_copy(context, &solver->options, &changed)
                                : context_fail(context, SUMI_ERROR_FORMAT,
                                               "the scheduler's configuration should be a JSON"
                                               " object in { }");
    if (status != SUMI_OK) {
        json_object_put(members);
        return status;
    }
    if (trained) options_take_training(&changed, trained);
    json_object_object_foreach(members, name, value)
    {
        if (status == SUMI_OK) status = set_member(context, solver->type, name, value, &changed);
    }
    json_object_put(members);
    options_release(context, status == SUMI_OK ? &solver->options : &changed);
    if (status == SUMI_OK) solver->options = changed;
    return status == SUMI_ERROR_ARGUMENT ? SUMI_ERROR_FORMAT : status;
}

/* ---- Reading values and rows ---- */

/* Stores the text of an option in place of the previous one. */
static const char *keep_text(sumi_solver *solver, const struct option *row,
                             const struct solver_options *options)
{
    context_release(solver->context, solver->text);
    solver->text = option_to_text(solver->context, row, (const char *)options + row->offset);
    return solver->text;
}

const char *sumi_solver_get(sumi_solver *solver, const char *option)
{
    const struct option *row = row_of(solver->type, option);
    return row && !is_ignored(solver->type, option) ? keep_text(solver, row, &solver->options)
                                                    : NULL;
}

/* Whether a row is the first of its name and not ignored by the solver. */
static bool is_listed(const struct solver_type *type, const struct place *place)
{
    return row_of(type, place->row->name) == place->row && !is_ignored(type, place->row->name);
}

bool sumi_solver_option(sumi_solver *solver, int number, sumi_option *option)
{
    struct place place, first;
    for (int i = 0; place_at(solver->type, i, &place); i++) {
        if (number < 0 || !is_listed(solver->type, &place) || number-- > 0) continue;
        struct solver_options begin;
        settings_default(solver->type, &begin);
        const char *value = keep_text(solver, place.row, &begin);
        return option_describe(place.row, value, name_is_read(solver, place.row->name, &first),
                               option);
    }
    return false;
}

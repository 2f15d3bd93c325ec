/* SPDX-License-Identifier: Apache-2.0 */
/* Likelihood measurements: creating and configuring them, and reading the results. */
#include "measure/likelihood.h"

#include <stdio.h>
#include <string.h>

#include "base/structure.h"
#include "base/text.h"
#include "models/session.h"

/* ---- Settings ---- */

const struct option measure_options[] = {
    {SEED_OPTION("seed", "0", "seed of all random numbers"), MEASURE_AT(seed)},
    {WHOLE_OPTION("batch", "64", 1, 1 << 20, "largest number of states in a call of the denoiser"),
     MEASURE_AT(batch)},
    {.name = NULL},
};

/* The measures, and the option rows that each reads beside the common ones. */
static const struct {
    const char *name;
    const struct option *rows;
} measures[] = {[MEASURE_BOUND] = {"the bound", bound_options},
                [MEASURE_DENSITY] = {"the exact density", density_options}};
enum { MEASURES = sizeof measures / sizeof *measures };

/* The tables by number: the common one, then one for each measure. */
static const struct option *table_at(int number)
{
    if (number == 0) return measure_options;
    return number <= MEASURES ? measures[number - 1].rows : NULL;
}

static const struct option *find_row(const char *name, int *table)
{
    const struct option *row = NULL;
    for (*table = 0; !row && table_at(*table); ++*table) row = option_find(table_at(*table), name);
    --*table;
    return row;
}

static sumi_status unknown_setting(sumi_context *context, const char *name)
{
    const char *names[MOST_GIVEN] = {NULL};
    int count = 0;
    for (int table = 0; table_at(table); table++)
        for (const struct option *row = table_at(table); row->name; row++)
            names[count++] = row->name;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "a likelihood has no setting \"%.60s\"; did you mean \"%s\"?", name,
                        text_nearest(name, names));
}

sumi_status sumi_likelihood_set(sumi_likelihood *likelihood, const char *option, const char *value)
{
    char subject[OPTION_WORD_SIZE];
    int table = 0;
    if (!option || !value) {
        return context_fail(likelihood->context, SUMI_ERROR_ARGUMENT,
                            "a setting of a likelihood needs a name and a value, not NULL");
    }
    const struct option *row = find_row(option, &table);
    if (!row) return unknown_setting(likelihood->context, option);
    snprintf(subject, sizeof subject, "a likelihood's \"%s\"", row->name);
    TRY(option_from_text(likelihood->context, subject, row, value,
                         (char *)&likelihood->options + row->offset));
    option_remember(&likelihood->given, row->name, true);
    return SUMI_OK;
}

sumi_status sumi_likelihood_set_number(sumi_likelihood *likelihood, const char *option,
                                       double value)
{
    char text[OPTION_WORD_SIZE];
    const struct option row = {.type = OPTION_NUMBER};
    option_short_text(&row, &value, text);
    return sumi_likelihood_set(likelihood, option, text);
}

static bool present(const void *user, const char *name, char text[OPTION_WORD_SIZE])
{
    const sumi_likelihood *likelihood = user;
    int table = 0;
    const struct option *row = find_row(name, &table);
    if (row) option_short_text(row, (const char *)&likelihood->options + row->offset, text);
    return row;
}

static bool is_default(const sumi_likelihood *likelihood, const struct option *row)
{
    char now[OPTION_WORD_SIZE];
    option_short_text(row, (const char *)&likelihood->options + row->offset, now);
    return strcmp(now, row->default_value) == 0;
}

sumi_status likelihood_check(const sumi_likelihood *likelihood, enum measure measure)
{
    char condition[OPTION_EXPECTED_SIZE];
    for (int i = 0; i < likelihood->given.count; i++) {
        int table = 0;
        const struct option *row = find_row(likelihood->given.names[i], &table);
        if (table > 0 && table - 1 != (int)measure)
            continue; /* of the other measure, which may be
                         called later */
        if (!row->when || option_holds(row->when, present, likelihood)) continue;
        if (is_default(likelihood, row)) continue;
        option_condition(row->when, condition, sizeof condition);
        return context_fail(likelihood->context, SUMI_ERROR_ARGUMENT,
                            "%s reads \"%s\" only with %s", measures[measure].name, row->name,
                            condition);
    }
    return SUMI_OK;
}

bool sumi_likelihood_option(sumi_likelihood *likelihood, int number, sumi_option *option)
{
    for (int table = 0; number >= 0 && table_at(table); table++) {
        for (const struct option *row = table_at(table); row->name; row++) {
            if (number-- > 0) continue;
            return option_describe(
                row, NULL, !row->when || option_holds(row->when, present, likelihood), option);
        }
    }
    return false;
}

const char *sumi_likelihood_setting(sumi_likelihood *likelihood, const char *option)
{
    return present(likelihood, option, likelihood->text) ? likelihood->text : NULL;
}

/* ---- Making and reading one ---- */

sumi_status sumi_likelihood_create(sumi_context *context, sumi_solver *solver,
                                   sumi_likelihood **likelihood)
{
    *likelihood = NULL;
    sumi_likelihood *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->solver = solver;
    for (int table = 0; table_at(table); table++)
        for (const struct option *row = table_at(table); row->name; row++)
            option_from_text(context, row->name, row, row->default_value,
                             (char *)&made->options + row->offset);
    *likelihood = made;
    return SUMI_OK;
}

void sumi_likelihood_free(sumi_likelihood *likelihood)
{
    if (!likelihood) return;
    context_release(likelihood->context, likelihood->terms);
    context_release(likelihood->context, likelihood);
}

sumi_status likelihood_reserve(sumi_likelihood *likelihood, int64_t count)
{
    context_release(likelihood->context, likelihood->terms);
    likelihood->term_count = 0;
    likelihood->terms =
        context_allocate_zeroed(likelihood->context, (size_t)count, sizeof *likelihood->terms);
    if (!likelihood->terms) return SUMI_ERROR_MEMORY;
    likelihood->term_count = count;
    return SUMI_OK;
}

bool sumi_likelihood_get(const sumi_likelihood *likelihood, int64_t number,
                         sumi_likelihood_term *term)
{
    if (number < 0 || number >= likelihood->term_count) return false;
    return structure_fill(term, &likelihood->terms[number], sizeof *likelihood->terms);
}

/* ---- For a denoiser, for a model ---- */

sumi_status sumi_likelihood_bound(sumi_likelihood *likelihood, sumi_denoiser denoiser, void *user,
                                  sumi_data *data, sumi_progress_function progress,
                                  void *progress_user)
{
    const struct denoising denoising = {.user = user, .predict = denoiser};
    return bound_measure(likelihood, &denoising, data, progress, progress_user);
}

sumi_status sumi_session_bound(sumi_session *session, sumi_likelihood *likelihood, sumi_data *data,
                               sumi_progress_function progress, void *user)
{
    const struct denoising denoising = session_denoising(session);
    return bound_measure(likelihood, &denoising, data, progress, user);
}

sumi_status sumi_likelihood_density(sumi_likelihood *likelihood, sumi_denoiser_product denoiser,
                                    void *user, int rank, const int64_t *shape, const float *x,
                                    double *bits, sumi_progress_function progress,
                                    void *progress_user)
{
    const struct denoising denoising = {.user = user, .product = denoiser};
    return density_measure(likelihood, &denoising, rank, shape, x, bits, progress, progress_user);
}

sumi_status sumi_session_density(sumi_session *session, sumi_likelihood *likelihood, int rank,
                                 const int64_t *shape, const float *x, double *bits,
                                 sumi_progress_function progress, void *user)
{
    const struct denoising denoising = session_denoising(session);
    return density_measure(likelihood, &denoising, rank, shape, x, bits, progress, user);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Likelihood measurements: creating and configuring them, and reading the results. */
#include "measure/likelihood.h"

#include "base/structure.h"
#include "models/session.h"

/* ---- Settings ---- */

static const struct option measure_options[] = {
    {SEED_OPTION("seed", "0", "seed of all random numbers"), MEASURE_AT(seed)},
    {WHOLE_OPTION("batch", "64", 1, 1 << 20, "largest number of states in a call of the denoiser"),
     MEASURE_AT(batch)},
    {.name = NULL},
};

/* The tables by number. */
enum { TABLE_OF_ALL, TABLE_OF_BOUNDS, TABLE_OF_DENSITY };

/* Each bound has a row that the other does not read. */
static sumi_status check_bound(const sumi_likelihood *likelihood, enum measure measure)
{
    const struct likelihood_options *options = &likelihood->options;
    const char *unread = NULL;
    if (measure == MEASURE_BOUND && options->trajectories != 10) unread = "trajectories";
    if (measure == MEASURE_IMPORTANCE && options->draws != 0) unread = "draws";
    if (!unread) return SUMI_OK;
    return context_fail(
        likelihood->context, SUMI_ERROR_ARGUMENT, "%s does not read \"%s\"; the other bound does",
        measure == MEASURE_BOUND ? "the bound" : "the importance-weighted bound", unread);
}

sumi_status likelihood_check(const sumi_likelihood *likelihood, enum measure measure)
{
    static const char *const names[] = {[MEASURE_BOUND] = "the bound",
                                        [MEASURE_DENSITY] = "the exact density",
                                        [MEASURE_IMPORTANCE] = "the importance-weighted bound"};
    int table = measure == MEASURE_DENSITY ? TABLE_OF_DENSITY : TABLE_OF_BOUNDS;
    TRY(check_bound(likelihood, measure));
    return option_set_check(&likelihood->set, names[measure], 1U << TABLE_OF_ALL | 1U << table);
}

sumi_status sumi_likelihood_set(sumi_likelihood *likelihood, const char *option, const char *value)
{
    return option_set_text(&likelihood->set, option, value);
}

sumi_status sumi_likelihood_set_number(sumi_likelihood *likelihood, const char *option,
                                       double value)
{
    return option_set_number(&likelihood->set, option, value);
}

bool sumi_likelihood_option(sumi_likelihood *likelihood, int number, sumi_option *option)
{
    return option_set_describe(&likelihood->set, number, option);
}

const char *sumi_likelihood_setting(sumi_likelihood *likelihood, const char *option)
{
    return option_set_value(&likelihood->set, option);
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
    made->set = (struct option_set){.context = context,
                                    .owner = "a likelihood",
                                    .noun = "setting",
                                    .tables = {measure_options, reverse_options, density_options},
                                    .values = &made->options};
    option_set_defaults(&made->set);
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

sumi_status sumi_likelihood_importance(sumi_likelihood *likelihood, sumi_denoiser denoiser,
                                       void *user, sumi_data *data, sumi_progress_function progress,
                                       void *progress_user)
{
    const struct denoising denoising = {.user = user, .predict = denoiser};
    return importance_measure(likelihood, &denoising, data, progress, progress_user);
}

sumi_status sumi_session_importance(sumi_session *session, sumi_likelihood *likelihood,
                                    sumi_data *data, sumi_progress_function progress, void *user)
{
    const struct denoising denoising = session_denoising(session);
    return importance_measure(likelihood, &denoising, data, progress, user);
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
    TRY(session_check_product(session));
    return density_measure(likelihood, &denoising, rank, shape, x, bits, progress, user);
}

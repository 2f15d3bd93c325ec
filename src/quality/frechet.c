/* SPDX-License-Identifier: Apache-2.0 */
/* The Frechet distance between two sets of samples. */
#include "quality/frechet.h"

#include <string.h>

#include "quality/algebra.h"
#include "quality/measure.h"

enum { PANEL = 256 }; /* rows of a panel */

/* Calls `add` with each panel of the set. */
typedef sumi_status (*panel_function)(sumi_context *context, struct moments *moments, int64_t rows,
                                      double *panel);

static sumi_status each_panel(struct work *work, const struct samples *samples,
                              struct moments *moments, double *panel, panel_function add)
{
    for (int64_t first = 0; first < samples->rows; first += PANEL) {
        int64_t rows = samples->rows - first < PANEL ? samples->rows - first : PANEL;
        samples_panel(samples, first, rows, panel);
        TRY(add(work->context, moments, rows, panel));
        TRY(work_advance(work, rows));
    }
    return SUMI_OK;
}

static sumi_status add_to_mean(sumi_context *context, struct moments *moments, int64_t rows,
                               double *panel)
{
    (void)context;
    int64_t columns = moments->columns;
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++)
            moments->mean[j] += panel[i * columns + j] / (double)moments->rows;
    }
    return SUMI_OK;
}

static sumi_status add_to_covariance(sumi_context *context, struct moments *moments, int64_t rows,
                                     double *panel)
{
    int64_t columns = moments->columns;
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) panel[i * columns + j] -= moments->mean[j];
    }
    const struct algebra_product product = {
        rows, columns, columns, panel, panel, moments->covariance, .half = true};
    return algebra_add_product(context, &product);
}

/* The upper half's sums of products become covariances in both halves. */
static void finish_covariance(struct moments *moments)
{
    int64_t n = moments->columns;
    double *s = moments->covariance;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i; j < n; j++) {
            s[i * n + j] /= (double)(moments->rows - 1);
            s[j * n + i] = s[i * n + j];
        }
    }
}

sumi_status moments_reserve(sumi_context *context, int64_t rows, int64_t columns,
                            struct moments *moments)
{
    size_t n = (size_t)columns;
    *moments = (struct moments){.rows = rows, .columns = columns};
    moments->mean = context_allocate_zeroed(context, n, sizeof(double));
    moments->covariance = context_allocate_zeroed(context, n * n, sizeof(double));
    return moments->mean && moments->covariance ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static sumi_status check(struct work *work, const struct samples *samples)
{
    if (samples->rows < 2) {
        return context_fail(work->context, SUMI_ERROR_ARGUMENT,
                            "%s: a covariance needs at least 2 samples, but a set has %lld",
                            work->task, (long long)samples->rows);
    }
    return algebra_check(work->context, work->task, samples->columns);
}

sumi_status moments_measure(struct work *work, const struct samples *samples,
                            struct moments *moments)
{
    sumi_context *context = work->context;
    *moments = (struct moments){0};
    TRY(check(work, samples));
    double *panel = context_allocate(context, PANEL, (size_t)samples->columns * sizeof *panel);
    if (!panel) return SUMI_ERROR_MEMORY;
    sumi_status status = moments_reserve(context, samples->rows, samples->columns, moments);
    if (status == SUMI_OK) status = each_panel(work, samples, moments, panel, add_to_mean);
    if (status == SUMI_OK) status = each_panel(work, samples, moments, panel, add_to_covariance);
    if (status == SUMI_OK) finish_covariance(moments);
    context_release(context, panel);
    return status;
}

void moments_release(sumi_context *context, struct moments *moments)
{
    context_release(context, moments->mean);
    context_release(context, moments->covariance);
    *moments = (struct moments){0};
}

sumi_status frechet_distance(sumi_context *context, const struct moments *a,
                             const struct moments *b, double *distance, double *mean_term)
{
    int64_t n = a->columns;
    double trace = 0, sum = 0, root = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (a->mean[i] - b->mean[i]) * (a->mean[i] - b->mean[i]);
        trace += a->covariance[i * n + i] + b->covariance[i * n + i];
    }
    TRY(algebra_trace_of_root(context, n, a->covariance, b->covariance, &root));
    *mean_term = sum;
    *distance = sum + trace - 2 * root;
    return SUMI_OK;
}

/* ---- The measure ---- */

void moments_warn_of_bias(sumi_context *context, int64_t rows, int64_t columns)
{
    if (rows > columns || rows == 0) return;
    context_warn(context,
                 "frechet: a set of %lld samples has fewer than its %lld features plus one, so its "
                 "covariance is singular and the distance is too large; compare only distances of "
                 "the same number of samples, or measure more",
                 (long long)rows, (long long)columns);
}

static sumi_status run(sumi_measure *measure, struct work *work, const struct measured_sets *sets)
{
    struct moments a = {0}, b = {0};
    double distance = 0, mean_term = 0;
    work_begin(work, 2 * (sets->samples.rows + sets->reference.rows));
    sumi_status status = moments_measure(work, &sets->samples, &a);
    if (status == SUMI_OK) status = moments_measure(work, &sets->reference, &b);
    if (status == SUMI_OK)
        status = frechet_distance(measure->context, &a, &b, &distance, &mean_term);
    if (status == SUMI_OK)
        moments_warn_of_bias(measure->context, sets->samples.rows, sets->samples.columns);
    if (status == SUMI_OK)
        moments_warn_of_bias(measure->context, sets->reference.rows, sets->samples.columns);
    if (status == SUMI_OK) status = measure_add_number(measure, "distance", distance);
    if (status == SUMI_OK) status = measure_add_number(measure, "mean_term", mean_term);
    moments_release(measure->context, &a);
    moments_release(measure->context, &b);
    return status;
}

const struct measure_type measure_frechet = {
    .name = "frechet",
    .meaning = "distance of the Gaussians that have the sets' means and covariances (FID on "
               "features)",
    .paper = "Heusel et al. 2017, GANs trained by a two time-scale update rule",
    .best = MEASURE_LEAST,
    .sets = 2,
    .of = MEASURE_OF_FEATURES,
    .run = run,
};

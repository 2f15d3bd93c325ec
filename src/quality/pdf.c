/* SPDX-License-Identifier: Apache-2.0 */
/* The measure pdf: the distribution of single numbers of all items (the one-point distribution of
   fields), as densities in bins. */
#include <math.h>

#include "quality/measure.h"

struct settings {
    int64_t bins;
};

static const struct option options[] = {
    {WHOLE_OPTION("bins", "64", 1, 1 << 20, "number of bins between the least and largest number"),
     offsetof(struct settings, bins)},
    {.name = NULL},
};

static double number_at(const struct samples *set, int64_t i)
{
    return set->narrow ? set->narrow[i] : set->wide[i];
}

static void widen(const struct samples *set, double *low, double *high)
{
    for (int64_t i = 0; i < set->rows * set->columns; i++) {
        double number = number_at(set, i);
        if (number < *low) *low = number;
        if (number > *high) *high = number;
    }
}

/* Densities of a set; a number at the upper end is in the last bin. */
static void count(const struct samples *set, double low, double width, int64_t bins,
                  double *density)
{
    int64_t numbers = set->rows * set->columns;
    for (int64_t i = 0; i < numbers; i++) {
        int64_t bin = (int64_t)((number_at(set, i) - low) / width);
        density[bin < bins ? bin : bins - 1] += 1 / ((double)numbers * width);
    }
}

/* Half the integral of |p - q|: the total variation. */
static double variation(int64_t bins, double width, const double *p, const double *q)
{
    double sum = 0;
    for (int64_t i = 0; i < bins; i++) sum += fabs(p[i] - q[i]) * width;
    return sum / 2;
}

static sumi_status run(sumi_measure *measure, struct work *work, const struct measured_sets *sets)
{
    int64_t bins = ((const struct settings *)measure->settings)->bins;
    double low = INFINITY, high = -INFINITY;
    work_begin(work, 1);
    widen(&sets->samples, &low, &high);
    widen(&sets->reference, &low, &high);
    double width = high > low ? (high - low) / (double)bins : 1;
    double *middles = context_allocate_zeroed(measure->context, 3 * (size_t)bins, sizeof *middles);
    if (!middles) return SUMI_ERROR_MEMORY;
    double *ours = middles + bins, *theirs = ours + bins;
    for (int64_t i = 0; i < bins; i++) middles[i] = low + ((double)i + 0.5) * width;
    count(&sets->samples, low, width, bins, ours);
    count(&sets->reference, low, width, bins, theirs);
    sumi_status status =
        measure_add_number(measure, "total_variation", variation(bins, width, ours, theirs));
    if (status == SUMI_OK) status = measure_add_list(measure, "middles", bins, middles);
    if (status == SUMI_OK) status = measure_add_list(measure, "density", bins, ours);
    if (status == SUMI_OK) status = measure_add_list(measure, "reference_density", bins, theirs);
    context_release(measure->context, middles);
    return status == SUMI_OK ? work_advance(work, 1) : status;
}

const struct measure_type measure_pdf = {
    .name = "pdf",
    .meaning = "distribution of the single numbers of items, in bins",
    .paper = "Coles & Jones 1991, A lognormal model for the cosmological mass distribution",
    .best = MEASURE_LEAST,
    .sets = 2,
    .options = options,
    .size = sizeof(struct settings),
    .run = run,
};

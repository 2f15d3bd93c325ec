/* SPDX-License-Identifier: Apache-2.0 */
/* The measures kid, mmd and energy: discrepancies of two sets under three kernels. */
#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "quality/kernels.h"
#include "quality/measure.h"
#include "quality/subsets.h"

static sumi_status need_two(const sumi_measure *measure, const struct measured_sets *sets)
{
    if (sets->samples.rows >= 2 && sets->reference.rows >= 2) return SUMI_OK;
    return context_fail(
        measure->context, SUMI_ERROR_ARGUMENT,
        "%s: the unbiased estimate needs at least 2 samples in each set, but one "
        "has %lld",
        measure->type->name,
        (long long)(sets->samples.rows < 2 ? sets->samples.rows : sets->reference.rows));
}

/* ---- KID ---- */

static const struct option kid_options[] = {
    {WHOLE_OPTION("degree", "3", 1, 16, "degree of the kernel (x.y / columns + 1)^degree"),
     offsetof(struct subset_settings, degree)},
    {WHOLE_OPTION("subset", "1000", 2, 1 << 20,
                  "samples of a subset; sets with fewer are compared whole"),
     offsetof(struct subset_settings, size)},
    {WHOLE_OPTION("subsets", "100", 1, 100000, "number of random subsets"),
     offsetof(struct subset_settings, count), .when = "order=random"},
    {CHOICE_OPTION("order", "random", "random|consecutive",
                   "subsets are drawn at random, or are consecutive blocks of the sets"),
     offsetof(struct subset_settings, order)},
    {SEED_OPTION("seed", "0", "seed of the random subsets"), offsetof(struct subset_settings, seed),
     .when = "order=random"},
    {.name = NULL},
};

static sumi_status run_kid(sumi_measure *measure, struct work *work,
                           const struct measured_sets *sets)
{
    double mean = 0, deviation = 0;
    TRY(need_two(measure, sets));
    TRY(subsets_measure(work, measure->settings, &sets->samples, &sets->reference, &mean,
                        &deviation));
    TRY(measure_add_number(measure, "kid", mean));
    return measure_add_number(measure, "deviation", deviation);
}

const struct measure_type measure_kid = {
    .name = "kid",
    .meaning = "unbiased squared discrepancy under a polynomial kernel, mean over subsets",
    .paper = "Binkowski et al. 2018, Demystifying MMD GANs",
    .best = MEASURE_LEAST,
    .sets = 2,
    .options = kid_options,
    .size = sizeof(struct subset_settings),
    .of = MEASURE_OF_FEATURES,
    .run = run_kid,
};

/* ---- MMD ---- */

struct mmd_settings {
    double width;
};

enum { MEDIAN_ROWS = 2000 }; /* of each set, for the default width */

static const struct option mmd_options[] = {
    {NUMBER_OPTION("width", "0", 0, 1e30,
                   "s of the kernel exp(-|x-y|^2 / (2 s^2)); 0: the median distance of samples"),
     offsetof(struct mmd_settings, width)},
    {.name = NULL},
};

static sumi_status run_mmd(sumi_measure *measure, struct work *work,
                           const struct measured_sets *sets)
{
    const struct mmd_settings *settings = measure->settings;
    struct kernel kernel = {.kind = KERNEL_GAUSSIAN, .width = settings->width};
    struct discrepancy result = {0};
    TRY(need_two(measure, sets));
    if (kernel.width == 0) {
        work_begin(work, fmin((double)sets->samples.rows, MEDIAN_ROWS)
                             + fmin((double)sets->reference.rows, MEDIAN_ROWS));
        TRY(kernel_median_distance(work, &sets->samples, &sets->reference, MEDIAN_ROWS,
                                   &kernel.width));
    }
    if (!(kernel.width > 0)) {
        return context_fail(measure->context, SUMI_ERROR_NUMBER,
                            "mmd: the median distance of the samples is 0; set width");
    }
    work_begin(work, 2 * sets->samples.rows + sets->reference.rows);
    TRY(kernel_discrepancy(work, &sets->samples, &sets->reference, &kernel, &result));
    TRY(measure_add_number(measure, "unbiased", result.unbiased));
    TRY(measure_add_number(measure, "biased", result.biased));
    return measure_add_number(measure, "width", kernel.width);
}

const struct measure_type measure_mmd = {
    .name = "mmd",
    .meaning = "squared maximum mean discrepancy under a Gaussian kernel",
    .paper = "Gretton et al. 2012, A kernel two-sample test",
    .best = MEASURE_LEAST,
    .sets = 2,
    .options = mmd_options,
    .size = sizeof(struct mmd_settings),
    .of = MEASURE_OF_FEATURES,
    .run = run_mmd,
};

/* ---- Energy distance ---- */

static sumi_status run_energy(sumi_measure *measure, struct work *work,
                              const struct measured_sets *sets)
{
    const struct kernel kernel = {.kind = KERNEL_DISTANCE};
    struct discrepancy result = {0};
    work_begin(work, 2 * sets->samples.rows + sets->reference.rows);
    TRY(kernel_discrepancy(work, &sets->samples, &sets->reference, &kernel, &result));
    TRY(measure_add_number(measure, "squared", result.biased));
    return measure_add_number(measure, "distance", sqrt(fmax(result.biased, 0)));
}

const struct measure_type measure_energy = {
    .name = "energy",
    .meaning = "energy distance, squared: 2 E|x-y| - E|x-x'| - E|y-y'|",
    .paper = "Szekely & Rizzo 2013, Energy statistics",
    .best = MEASURE_LEAST,
    .sets = 2,
    .of = MEASURE_OF_FEATURES,
    .run = run_energy,
};

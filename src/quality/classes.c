/* SPDX-License-Identifier: Apache-2.0 */
/* The measure classes: how samples are shared out among the classes that a network sees in them. */
#include <math.h>
#include <string.h>

#include "quality/measure.h"

struct settings {
    double confident;
};

static const struct option options[] = {
    {NUMBER_OPTION("confident", "0.9", 0, 1, "least probability of a sample that counts as sure"),
     offsetof(struct settings, confident)},
    {.name = NULL},
};

/* The likeliest class of logits, and its probability. */
static int64_t find_likeliest(int64_t classes, const double *logits, double *probability)
{
    int64_t best = 0;
    double sum = 0;
    for (int64_t i = 1; i < classes; i++)
        if (logits[i] > logits[best]) best = i;
    for (int64_t i = 0; i < classes; i++) sum += exp(logits[i] - logits[best]);
    *probability = 1 / sum;
    return best;
}

static sumi_status add_results(sumi_measure *measure, int64_t rows, int64_t classes, double sure,
                               const double *shares, const double *likeliest)
{
    double entropy = 0, seen = 0;
    for (int64_t i = 0; i < classes; i++) {
        seen += shares[i] > 0;
        if (shares[i] > 0) entropy -= shares[i] * log2(shares[i]);
    }
    TRY(measure_add_number(measure, "entropy", entropy));
    TRY(measure_add_number(measure, "seen", seen));
    TRY(measure_add_number(measure, "confident", sure / (double)rows));
    TRY(measure_add_list(measure, "shares", classes, shares));
    return measure_add_list(measure, "likeliest", rows, likeliest);
}

static sumi_status run(sumi_measure *measure, struct work *work, const struct measured_sets *sets)
{
    const struct settings *settings = measure->settings;
    const struct samples *logits = &sets->samples;
    int64_t rows = logits->rows, classes = logits->columns;
    double *row =
        context_allocate_zeroed(work->context, 2 * (size_t)classes + (size_t)rows, sizeof *row);
    if (!row) return SUMI_ERROR_MEMORY;
    double *shares = row + classes, *likeliest = shares + classes, sure = 0;
    sumi_status status = SUMI_OK;
    work_begin(work, rows);
    for (int64_t i = 0; i < rows && status == SUMI_OK; i++) {
        double probability = 0;
        samples_panel(logits, i, 1, row);
        int64_t best = find_likeliest(classes, row, &probability);
        likeliest[i] = (double)best;
        shares[best] += 1 / (double)rows;
        sure += probability >= settings->confident;
        status = work_advance(work, 1);
    }
    if (status == SUMI_OK) status = add_results(measure, rows, classes, sure, shares, likeliest);
    context_release(work->context, row);
    return status;
}

const struct measure_type measure_classes = {
    .name = "classes",
    .meaning = "entropy in bits of the classes seen in the samples, how many are sure, the share "
               "of each class",
    .paper = "Shannon 1948, A mathematical theory of communication",
    .best = MEASURE_MOST,
    .sets = 1,
    .options = options,
    .size = sizeof(struct settings),
    .of = MEASURE_OF_LOGITS,
    .run = run,
};

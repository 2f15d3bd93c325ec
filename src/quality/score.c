/* SPDX-License-Identifier: Apache-2.0 */
/* The inception score. */
#include "quality/score.h"

#include <math.h>
#include <string.h>

#include "quality/measure.h"

/* Logits become log p(y|x) in place. */
static void normalise(int64_t classes, double *logits)
{
    double largest = logits[0], sum = 0;
    for (int64_t i = 1; i < classes; i++) largest = fmax(largest, logits[i]);
    for (int64_t i = 0; i < classes; i++) sum += exp(logits[i] - largest);
    for (int64_t i = 0; i < classes; i++) logits[i] -= largest + log(sum);
}

/* The score of one part: E sum p log p - sum of m log m with m the mean of p, which is the mean of
   KL(p || m); `row` and `mean` are scratch of a row. */
static double score_of(const struct samples *part, double *row, double *mean)
{
    double sum = 0, rows = (double)part->rows;
    int64_t classes = part->columns;
    memset(mean, 0, (size_t)classes * sizeof *mean);
    for (int64_t i = 0; i < part->rows; i++) {
        samples_panel(part, i, 1, row);
        normalise(classes, row);
        for (int64_t j = 0; j < classes; j++) {
            double p = exp(row[j]);
            mean[j] += p / rows;
            if (p > 0) sum += p * row[j] / rows;
        }
    }
    for (int64_t j = 0; j < classes; j++)
        if (mean[j] > 0) sum -= mean[j] * log(mean[j]);
    return exp(sum);
}

sumi_status inception_score(struct work *work, const struct samples *logits, int64_t splits,
                            double *mean, double *deviation)
{
    double *row =
        context_allocate(work->context, 2 * (size_t)logits->columns + (size_t)splits, sizeof *row);
    if (!row) return SUMI_ERROR_MEMORY;
    double *scores = row + 2 * logits->columns, sum = 0, squares = 0;
    sumi_status status = SUMI_OK;
    work_begin(work, splits);
    for (int64_t i = 0; i < splits && status == SUMI_OK; i++) {
        int64_t first = i * logits->rows / splits, end = (i + 1) * logits->rows / splits;
        struct samples part = samples_part(logits, first, end - first);
        scores[i] = score_of(&part, row, row + logits->columns);
        sum += scores[i];
        status = work_advance(work, 1);
    }
    *mean = sum / (double)splits;
    for (int64_t i = 0; i < splits && status == SUMI_OK; i++)
        squares += (scores[i] - *mean) * (scores[i] - *mean);
    *deviation = sqrt(squares / (double)splits);
    context_release(work->context, row);
    return status;
}

/* ---- The measure ---- */

struct settings {
    int64_t splits;
};

static const struct option options[] = {
    {WHOLE_OPTION("splits", "10", 1, 1 << 20, "number of consecutive parts of the samples"),
     offsetof(struct settings, splits)},
    {.name = NULL},
};

static sumi_status run(sumi_measure *measure, struct work *work, const struct measured_sets *sets)
{
    const struct settings *settings = measure->settings;
    double mean = 0, deviation = 0;
    if (sets->samples.columns < 2)
        return context_fail(measure->context, SUMI_ERROR_ARGUMENT,
                            "inception-score: expected logits of at least 2 classes, [n, classes]");
    if (sets->samples.rows < settings->splits) {
        return context_fail(measure->context, SUMI_ERROR_ARGUMENT,
                            "inception-score: %lld samples cannot be divided into %lld parts; set "
                            "splits",
                            (long long)sets->samples.rows, (long long)settings->splits);
    }
    TRY(inception_score(work, &sets->samples, settings->splits, &mean, &deviation));
    TRY(measure_add_number(measure, "score", mean));
    return measure_add_number(measure, "deviation", deviation);
}

const struct measure_type measure_inception_score = {
    .name = "inception-score",
    .meaning = "exp of the mean divergence of p(class|sample) from p(class); samples are logits",
    .paper = "Salimans et al. 2016, Improved techniques for training GANs",
    .best = MEASURE_MOST,
    .sets = 1,
    .options = options,
    .size = sizeof(struct settings),
    .of = MEASURE_OF_LOGITS,
    .run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The measure nearest: how near samples are to items of the training data, and the share of them
   that are memorised: those much nearer to one item than to any other. */
#include <math.h>

#include "quality/measure.h"
#include "quality/neighbours.h"

struct settings {
    double ratio;
};

static const struct option options[] = {
    {NUMBER_OPTION("ratio", "0.3333333333333333", 0, 1,
                   "a sample is memorised if its nearest item is nearer than this times the second "
                   "nearest"),
     offsetof(struct settings, ratio)},
    {.name = NULL},
};

/* Results of the distances[rows, 2] and indices[rows, 2] of all samples; `list` is scratch. */
static sumi_status add_results(sumi_measure *measure, int64_t rows, const double *distances,
                               const int64_t *indices, double *list)
{
    const struct settings *settings = measure->settings;
    double memorised = 0, sum = 0;
    for (int64_t i = 0; i < rows; i++) {
        double nearest = sqrt(distances[2 * i]), second = sqrt(distances[2 * i + 1]);
        memorised += nearest == 0 || nearest < settings->ratio * second;
        sum += nearest;
        list[i] = nearest;
    }
    TRY(measure_add_number(measure, "memorised", memorised / (double)rows));
    TRY(measure_add_number(measure, "mean_distance", sum / (double)rows));
    TRY(measure_add_list(measure, "distances", rows, list));
    for (int64_t i = 0; i < rows; i++) {
        double second = sqrt(distances[2 * i + 1]);
        list[i] = second > 0 ? sqrt(distances[2 * i]) / second : 0;
    }
    TRY(measure_add_list(measure, "ratios", rows, list));
    for (int64_t i = 0; i < rows; i++) list[i] = (double)indices[2 * i];
    return measure_add_list(measure, "neighbours", rows, list);
}

static sumi_status run(sumi_measure *measure, struct work *work, const struct measured_sets *sets)
{
    sumi_context *context = measure->context;
    int64_t rows = sets->samples.rows;
    if (sets->reference.rows < 2)
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "nearest: the two nearest items need at least 2 of them, but the "
                            "reference has 1");
    double *distances = context_allocate(context, (size_t)rows, 3 * sizeof *distances);
    int64_t *indices = context_allocate_zeroed(context, (size_t)rows, 2 * sizeof *indices);
    sumi_status status = distances && indices ? SUMI_OK : SUMI_ERROR_MEMORY;
    work_begin(work, rows);
    if (status == SUMI_OK)
        status =
            neighbours_find(work, &sets->samples, &sets->reference, false, 2, distances, indices);
    if (status == SUMI_OK)
        status = add_results(measure, rows, distances, indices, distances + 2 * rows);
    context_release(context, distances);
    context_release(context, indices);
    return status;
}

const struct measure_type measure_nearest = {
    .name = "nearest",
    .meaning = "share of samples that are memorised, and the nearest reference item of each",
    .paper = "Yoon et al. 2023, Diffusion probabilistic models generalize when they fail to "
             "memorize",
    .best = MEASURE_LEAST,
    .sets = 2,
    .options = options,
    .size = sizeof(struct settings),
    .of = MEASURE_OF_FEATURES,
    .run = run,
};

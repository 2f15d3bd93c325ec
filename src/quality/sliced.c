/* SPDX-License-Identifier: Apache-2.0 */
/* Optimal transport of numbers, and of samples along directions. */
#include "quality/sliced.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/philox.h"
#include "quality/measure.h"

/* ---- Sorted lists ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sort_numbers(int64_t count, double *values)
{
    qsort(values, (size_t)count, sizeof *values, compare);
}

double sorted_transport(int64_t m, const double *x, int64_t n, const double *y, int power)
{
    double sum = 0;
    int64_t at = 0; /* the quantile reached, in units of 1 / (m n) */
    for (int64_t i = 0, j = 0; i < m && j < n;) {
        int64_t x_end = (i + 1) * n, y_end = (j + 1) * m, end = x_end < y_end ? x_end : y_end;
        double apart = fabs(x[i] - y[j]);
        sum += (double)(end - at) * (power == 2 ? apart * apart : apart);
        at = end;
        i += end == x_end;
        j += end == y_end;
    }
    return sum / ((double)m * (double)n);
}

double sorted_largest_difference(int64_t m, const double *x, int64_t n, const double *y)
{
    double largest = 0;
    for (int64_t i = 0, j = 0; i < m && j < n;) {
        double value = fmin(x[i], y[j]);
        while (i < m && x[i] <= value) i++;
        while (j < n && y[j] <= value) j++;
        largest = fmax(largest, fabs((double)i / (double)m - (double)j / (double)n));
    }
    return largest;
}

/* ---- Directions ---- */

/* Projections of a set on a direction, sorted. */
static void project(const struct samples *set, const double *direction, double *row, double *sorted)
{
    for (int64_t i = 0; i < set->rows; i++) {
        double sum = 0;
        samples_panel(set, i, 1, row);
        for (int64_t j = 0; j < set->columns; j++) sum += row[j] * direction[j];
        sorted[i] = sum;
    }
    sort_numbers(set->rows, sorted);
}

sumi_status sliced_transport(struct work *work, const struct samples *a, const struct samples *b,
                             int64_t count, const double *directions, int power, double *costs)
{
    int threads = work->context->threads;
    int64_t columns = a->columns, size = columns + a->rows + b->rows;
    double *space = context_allocate(work->context, (size_t)threads, (size_t)size * sizeof *space);
    if (!space) return SUMI_ERROR_MEMORY;
    sumi_status status = SUMI_OK;
    for (int64_t start = 0; start < count && status == SUMI_OK; start += threads) {
        int64_t end = start + threads < count ? start + threads : count;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
        for (int64_t i = start; i < end; i++) {
            double *row = space + omp_get_thread_num() * size;
            double *x = row + columns, *y = x + a->rows;
            project(a, directions + i * columns, row, x);
            project(b, directions + i * columns, row, y);
            costs[i] = sorted_transport(a->rows, x, b->rows, y, power);
        }
        status = work_advance(work, end - start);
    }
    context_release(work->context, space);
    return status;
}

/* ---- The measure sliced-wasserstein ---- */

struct sliced_settings {
    int64_t directions, power;
    uint64_t seed;
};

static const struct option sliced_options[] = {
    {WHOLE_OPTION("directions", "128", 1, 1 << 20, "number of random directions"),
     offsetof(struct sliced_settings, directions)},
    {WHOLE_OPTION("power", "2", 1, 2, "p of the distance"),
     offsetof(struct sliced_settings, power)},
    {SEED_OPTION("seed", "0", "seed of the directions"), offsetof(struct sliced_settings, seed)},
    {.name = NULL},
};

/* Directions of length 1, evenly distributed; `normal` is scratch for one. */
static void draw_directions(const struct sliced_settings *settings, int64_t columns, float *normal,
                            double *directions)
{
    for (int64_t i = 0; i < settings->directions; i++) {
        const philox_stream stream = {
            .seed = settings->seed, .purpose = PURPOSE_DIRECTION, .step = (uint64_t)i};
        double squares = 0, *own = directions + i * columns;
        philox_normal(&stream, 0, columns, normal);
        for (int64_t j = 0; j < columns; j++) squares += (double)normal[j] * normal[j];
        for (int64_t j = 0; j < columns; j++) own[j] = normal[j] / sqrt(squares);
    }
}

static sumi_status add_sliced(sumi_measure *measure, const double *costs)
{
    const struct sliced_settings *settings = measure->settings;
    double sum = 0, largest = 0, power = 1.0 / (double)settings->power;
    for (int64_t i = 0; i < settings->directions; i++) {
        sum += costs[i];
        largest = fmax(largest, costs[i]);
    }
    TRY(measure_add_number(measure, "distance", pow(sum / (double)settings->directions, power)));
    return measure_add_number(measure, "largest", pow(largest, power));
}

static sumi_status run_sliced(sumi_measure *measure, struct work *work,
                              const struct measured_sets *sets)
{
    const struct sliced_settings *settings = measure->settings;
    sumi_context *context = measure->context;
    size_t count = (size_t)settings->directions, columns = (size_t)sets->samples.columns;
    double *directions = context_allocate(context, count, (columns + 1) * sizeof *directions);
    float *normal = context_allocate(context, columns, sizeof *normal);
    sumi_status status = directions && normal ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) {
        double *costs = directions + count * columns;
        draw_directions(settings, sets->samples.columns, normal, directions);
        work_begin(work, settings->directions);
        status = sliced_transport(work, &sets->samples, &sets->reference, settings->directions,
                                  directions, (int)settings->power, costs);
        if (status == SUMI_OK) status = add_sliced(measure, costs);
    }
    context_release(context, directions);
    context_release(context, normal);
    return status;
}

const struct measure_type measure_sliced = {
    .name = "sliced-wasserstein",
    .meaning = "Wasserstein distance along random directions",
    .paper = "Rabin et al. 2011, Wasserstein barycenter and its application to texture mixing",
    .best = MEASURE_LEAST,
    .sets = 2,
    .options = sliced_options,
    .size = sizeof(struct sliced_settings),
    .of = MEASURE_OF_FEATURES,
    .run = run_sliced,
};

/* ---- The measure marginal ---- */

/* The column of a set, sorted; `row` is scratch. */
static void take_column(const struct samples *set, int64_t column, double *sorted)
{
    for (int64_t i = 0; i < set->rows; i++) {
        int64_t at = i * set->columns + column;
        sorted[i] = set->narrow ? set->narrow[at] : set->wide[at];
    }
    sort_numbers(set->rows, sorted);
}

struct marginals {
    double first, second, difference; /* sums over columns */
};

static sumi_status measure_columns(struct work *work, const struct measured_sets *sets, double *x,
                                   double *y, struct marginals *sums)
{
    int64_t m = sets->samples.rows, n = sets->reference.rows;
    work_begin(work, sets->samples.columns);
    for (int64_t column = 0; column < sets->samples.columns; column++) {
        take_column(&sets->samples, column, x);
        take_column(&sets->reference, column, y);
        sums->first += sorted_transport(m, x, n, y, 1);
        sums->second += sqrt(sorted_transport(m, x, n, y, 2));
        sums->difference += sorted_largest_difference(m, x, n, y);
        TRY(work_advance(work, 1));
    }
    return SUMI_OK;
}

static sumi_status run_marginal(sumi_measure *measure, struct work *work,
                                const struct measured_sets *sets)
{
    double columns = (double)sets->samples.columns;
    struct marginals sums = {0};
    size_t rows = (size_t)(sets->samples.rows + sets->reference.rows);
    double *x = context_allocate(measure->context, rows, sizeof *x);
    if (!x) return SUMI_ERROR_MEMORY;
    sumi_status status = measure_columns(work, sets, x, x + sets->samples.rows, &sums);
    context_release(measure->context, x);
    if (status == SUMI_OK)
        status = measure_add_number(measure, "wasserstein1", sums.first / columns);
    if (status == SUMI_OK)
        status = measure_add_number(measure, "wasserstein2", sums.second / columns);
    if (status == SUMI_OK)
        status = measure_add_number(measure, "kolmogorov_smirnov", sums.difference / columns);
    return status;
}

const struct measure_type measure_marginal = {
    .name = "marginal",
    .meaning = "Wasserstein and Kolmogorov-Smirnov distances of single numbers, mean over columns",
    .paper = "Villani 2003, Topics in optimal transportation",
    .best = MEASURE_LEAST,
    .sets = 2,
    .run = run_marginal,
};

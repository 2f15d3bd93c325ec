/* SPDX-License-Identifier: Apache-2.0 */
/* Two sets of features made by formula, by every measure that a record has numbers of. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quality/assignment.h"
#include "quality/frechet.h"
#include "quality/kernels.h"
#include "quality/neighbours.h"
#include "quality/sliced.h"
#include "quality/subsets.h"
#include "vectors/formula.h"
#include "vectors/measures.h"

/* ---- The sets ---- */

/* X <- X M + 0.1 X with M[a, b] = cos(a b / 2 + 0.3) / sqrt(columns). */
static void correlate(int64_t rows, int64_t columns, double *values)
{
    double *mixed = malloc((size_t)columns * sizeof *mixed);
    for (int64_t i = 0; i < rows; i++) {
        double *row = values + i * columns;
        for (int64_t b = 0; b < columns; b++) {
            mixed[b] = 0.1 * row[b];
            for (int64_t a = 0; a < columns; a++)
                mixed[b] += row[a] * cos(0.5 * (double)(a * b) + 0.3) / sqrt((double)columns);
        }
        memcpy(row, mixed, (size_t)columns * sizeof *row);
    }
    free(mixed);
}

/* The set under a name, in new numbers; without rows where the record has none. */
static struct samples make_set(struct measures *measures, const char *name)
{
    json_object *record = vectors_get(measures->row->record, name);
    struct samples set = {.rows = (int64_t)vectors_number(record, "rows"),
                          .columns = (int64_t)vectors_number(record, "columns")};
    uint32_t n = (uint32_t)vectors_number(record, "n");
    double scale = vectors_number(record, "scale"), shift = vectors_number(record, "shift");
    if (set.rows < 2 || set.columns < 1 || set.rows > 100000 || set.columns > 10000) {
        vectors_fail(measures->row, "%s has no rows and columns", name);
        return (struct samples){0};
    }
    double *values = malloc((size_t)(set.rows * set.columns) * sizeof *values);
    for (int64_t i = 0; i < set.rows * set.columns; i++)
        values[i] = (double)(float)formula_mix(n, (uint32_t)i) * scale + shift;
    if (json_object_get_boolean(vectors_get(record, "correlated")))
        correlate(set.rows, set.columns, values);
    set.wide = values;
    return set;
}

/* ---- Frechet distance and discrepancies ---- */

static void compare_frechet(struct measures *measures, const struct samples *real,
                            const struct samples *fake)
{
    json_object *expected = vectors_get(measures->row->record, "frechet");
    struct moments a = {0}, b = {0};
    double distance = 0, mean_term = 0;
    if (!expected) return;
    if (measures_succeed(measures, moments_measure(&measures->work, real, &a))
        && measures_succeed(measures, moments_measure(&measures->work, fake, &b))
        && measures_succeed(measures,
                            frechet_distance(measures->context, &a, &b, &distance, &mean_term))) {
        measures_compare(measures, "frechet", distance, vectors_number(expected, "value"));
        measures_compare(measures, "mean_term", mean_term, vectors_number(expected, "mean_term"));
    }
    moments_release(measures->context, &a);
    moments_release(measures->context, &b);
}

static void compare_kid(struct measures *measures, const struct samples *real,
                        const struct samples *fake)
{
    json_object *record = measures->row->record;
    json_object *first = vectors_get(record, "kid_torch_fidelity_first_rows");
    json_object *blocks = vectors_get(record, "kid_blocks_of_50");
    const struct kernel kernel = {.kind = KERNEL_POLYNOMIAL, .degree = 3};
    struct discrepancy all = {0}, part = {0};
    const struct subset_settings settings = {.degree = 3, .size = 50, .order = SUBSETS_CONSECUTIVE};
    double mean = 0, deviation = 0;
    struct work *work = &measures->work;
    measures_succeed(measures, kernel_discrepancy(work, real, fake, &kernel, &all));
    measures_compare(measures, "kid_poly3_unbiased_all", all.unbiased,
                     vectors_number(record, "kid_poly3_unbiased_all"));
    measures_compare(measures, "kid_poly3_biased_all", all.biased,
                     vectors_number(record, "kid_poly3_biased_all"));
    int64_t rows = (int64_t)vectors_number(first, "rows");
    if (rows >= 2 && rows <= real->rows && rows <= fake->rows) {
        struct samples a = samples_first(real, rows), b = samples_first(fake, rows);
        measures_succeed(measures, kernel_discrepancy(work, &a, &b, &kernel, &part));
        measures_compare(measures, "kid_torch_fidelity_first_rows", part.unbiased,
                         vectors_number(first, "value"));
    }
    if (!blocks) return;
    measures_succeed(measures, subsets_measure(work, &settings, real, fake, &mean, &deviation));
    measures_compare(measures, "kid_blocks_of_50 mean", mean, vectors_number(blocks, "mean"));
    measures_compare(measures, "kid_blocks_of_50 deviation", deviation,
                     vectors_number(blocks, "deviation"));
}

static void compare_distances(struct measures *measures, const struct samples *real,
                              const struct samples *fake)
{
    json_object *record = measures->row->record;
    const struct kernel kernel = {.kind = KERNEL_DISTANCE};
    struct discrepancy energy = {0};
    double median = 0;
    /* The peer subtracts the ones of the diagonal from the sum of a set's kernel, which rounds what
       is left, before it divides by the number of pairs. */
    double rounding = DBL_EPSILON / (double)((real->rows < fake->rows ? real : fake)->rows - 1);
    json_object_object_foreach(vectors_get(record, "mmd_gauss"), width, expected)
    {
        const struct kernel gauss = {.kind = KERNEL_GAUSSIAN, .width = strtod(width, NULL)};
        struct discrepancy result = {0};
        measures_succeed(measures,
                         kernel_discrepancy(&measures->work, real, fake, &gauss, &result));
        double value = vectors_number(expected, "unbiased");
        vectors_compare(measures->row, result.unbiased, value, 1e-6 * fabs(value) + rounding,
                        "mmd %s unbiased", width);
        measures_compare(measures, "mmd biased", result.biased, vectors_number(expected, "biased"));
    }
    measures_succeed(measures, kernel_median_distance(&measures->work, real, fake,
                                                      real->rows + fake->rows, &median));
    measures_compare(measures, "median_distance", median,
                     vectors_number(record, "median_distance"));
    measures_succeed(measures, kernel_discrepancy(&measures->work, real, fake, &kernel, &energy));
    measures_compare(measures, "energy_distance_squared", energy.biased,
                     vectors_number(record, "energy_distance_squared"));
}

/* ---- Neighbours ---- */

static void compare_prdc(struct measures *measures, const struct samples *real,
                         const struct samples *fake)
{
    json_object_object_foreach(vectors_get(measures->row->record, "prdc"), k, expected)
    {
        struct prdc prdc = {0};
        if (!measures_succeed(measures,
                              neighbours_prdc(&measures->work, fake, real, atoll(k), &prdc)))
            return;
        measures_compare(measures, "precision", prdc.precision,
                         vectors_number(expected, "precision"));
        measures_compare(measures, "recall", prdc.recall, vectors_number(expected, "recall"));
        measures_compare(measures, "density", prdc.density, vectors_number(expected, "density"));
        measures_compare(measures, "coverage", prdc.coverage, vectors_number(expected, "coverage"));
    }
}

/* ---- Directions ---- */

/* Rows of mix(5000), each divided by its length. */
static double *make_directions(int64_t count, int64_t columns)
{
    double *directions = malloc((size_t)(count * columns) * sizeof *directions);
    for (int64_t i = 0; i < count; i++) {
        double *row = directions + i * columns, squares = 0;
        for (int64_t j = 0; j < columns; j++) {
            row[j] = formula_mix(5000, (uint32_t)(i * columns + j));
            squares += row[j] * row[j];
        }
        for (int64_t j = 0; j < columns; j++) row[j] /= sqrt(squares);
    }
    return directions;
}

static void compare_sliced(struct measures *measures, const struct samples *real,
                           const struct samples *fake)
{
    json_object *expected = vectors_get(measures->row->record, "sliced_wasserstein");
    int64_t count = (int64_t)vectors_number(expected, "projections");
    if (count < 1 || count > 4096) return;
    double *directions = make_directions(count, real->columns), costs[4096];
    for (int power = 1; power <= 2; power++) {
        double mean = 0, largest = 0;
        char name[16];
        measures_succeed(measures, sliced_transport(&measures->work, real, fake, count, directions,
                                                    power, costs));
        for (int64_t i = 0; i < count; i++) {
            mean += costs[i] / (double)count;
            largest = fmax(largest, costs[i]);
        }
        snprintf(name, sizeof name, "p%d", power);
        measures_compare(measures, name, pow(mean, 1.0 / power), vectors_number(expected, name));
        snprintf(name, sizeof name, "p%d_max", power);
        measures_compare(measures, name, pow(largest, 1.0 / power), vectors_number(expected, name));
    }
    free(directions);
}

static void compare_assignment(struct measures *measures, const struct samples *real,
                               const struct samples *fake)
{
    double square = 0;
    if (!vectors_get(measures->row->record, "wasserstein2_exact")) return;
    if (measures_succeed(measures, assignment_cost(&measures->work, real, fake, &square)))
        measures_compare(measures, "wasserstein2_exact", sqrt(square),
                         vectors_number(measures->row->record, "wasserstein2_exact"));
}

void measures_features(struct measures *measures)
{
    struct samples real = make_set(measures, "real"), fake = make_set(measures, "fake");
    if (real.rows && fake.rows && real.columns == fake.columns) {
        compare_frechet(measures, &real, &fake);
        compare_kid(measures, &real, &fake);
        compare_distances(measures, &real, &fake);
        compare_prdc(measures, &real, &fake);
        compare_sliced(measures, &real, &fake);
        compare_assignment(measures, &real, &fake);
    }
    free((void *)real.wide);
    free((void *)fake.wide);
}

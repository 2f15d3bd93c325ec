/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels over all pairs of rows, and their discrepancies. */
#include "quality/kernels.h"

#include <math.h>
#include <stdlib.h>

#include "quality/pairs.h"

/* Sums over pairs, a row at a time. */
struct sums {
    const struct kernel *kernel;
    double columns;
    bool same;             /* both sets are one: pairs of a row with itself are summed apart */
    double *rows, *itself; /* [rows of a] */
};

static double kernel_value(const struct sums *sums, double value)
{
    switch (sums->kernel->kind) {
    case KERNEL_GAUSSIAN: return exp(-value / (2 * sums->kernel->width * sums->kernel->width));
    case KERNEL_DISTANCE: return -sqrt(value);
    case KERNEL_POLYNOMIAL: break;
    }
    double base = value / sums->columns + 1, power = 1;
    for (int64_t i = 0; i < sums->kernel->degree; i++) power *= base;
    return power;
}

static void add_pairs(void *user, int64_t row, int64_t first, int64_t count, const double *values)
{
    struct sums *sums = user;
    double sum = 0;
    for (int64_t j = 0; j < count; j++) {
        double value = kernel_value(sums, values[j]);
        if (sums->same && first + j == row) sums->itself[row] = value;
        else sum += value;
    }
    sums->rows[row] += sum;
}

static double total(int64_t count, const double *values)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += values[i];
    return sum;
}

/* The sum over pairs of different rows, and over pairs of a row with itself. */
static sumi_status sum_pairs(struct work *work, const struct samples *a, const struct samples *b,
                             const struct kernel *kernel, double *different, double *itself)
{
    size_t rows = (size_t)a->rows;
    struct sums sums = {.kernel = kernel, .columns = (double)a->columns, .same = itself != NULL};
    sums.rows = context_allocate_zeroed(work->context, 2 * rows, sizeof *sums.rows);
    if (!sums.rows) return SUMI_ERROR_MEMORY;
    sums.itself = sums.rows + rows;
    enum pair_kind kind = kernel->kind == KERNEL_POLYNOMIAL ? PAIR_PRODUCT : PAIR_SQUARED_DISTANCE;
    sumi_status status = pairs_visit(work, a, b, kind, add_pairs, &sums);
    *different = total(a->rows, sums.rows);
    if (itself) *itself = total(a->rows, sums.itself);
    context_release(work->context, sums.rows);
    return status;
}

sumi_status kernel_discrepancy(struct work *work, const struct samples *a, const struct samples *b,
                               const struct kernel *kernel, struct discrepancy *result)
{
    double aa, aa_itself, bb, bb_itself, ab;
    TRY(sum_pairs(work, a, a, kernel, &aa, &aa_itself));
    TRY(sum_pairs(work, b, b, kernel, &bb, &bb_itself));
    TRY(sum_pairs(work, a, b, kernel, &ab, NULL));
    double m = (double)a->rows, n = (double)b->rows;
    result->unbiased = aa / (m * (m - 1)) + bb / (n * (n - 1)) - 2 * ab / (m * n);
    result->biased = (aa + aa_itself) / (m * m) + (bb + bb_itself) / (n * n) - 2 * ab / (m * n);
    return SUMI_OK;
}

/* ---- The median distance ---- */

/* Distances of pairs of which the first row is before the second, in their places. */
struct distances {
    int64_t rows;
    double *values; /* [rows (rows - 1) / 2] */
};

static void keep_distances(void *user, int64_t row, int64_t first, int64_t count,
                           const double *values)
{
    const struct distances *distances = user;
    double *own = distances->values + row * (row - 1) / 2; /* pairs of `row` with earlier rows */
    for (int64_t j = 0; j < count && first + j < row; j++) own[first + j] = sqrt(values[j]);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Up to `most` rows of a set, evenly chosen, into rows[][columns]; returns how many. */
static int64_t choose(const struct samples *samples, int64_t most, double *rows)
{
    int64_t count = samples->rows < most ? samples->rows : most;
    for (int64_t i = 0; i < count; i++)
        samples_panel(samples, i * samples->rows / count, 1, rows + i * samples->columns);
    return count;
}

static double middle(int64_t count, double *values)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

sumi_status kernel_median_distance(struct work *work, const struct samples *a,
                                   const struct samples *b, int64_t most, double *median)
{
    sumi_context *context = work->context;
    int64_t room = (a->rows < most ? a->rows : most) + (b->rows < most ? b->rows : most);
    double *chosen = context_allocate(context, (size_t)room, (size_t)a->columns * sizeof *chosen);
    struct distances distances = {.rows = room};
    distances.values =
        context_allocate(context, (size_t)(room * (room - 1) / 2), sizeof *distances.values);
    sumi_status status = chosen && distances.values ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) {
        int64_t first = choose(a, most, chosen);
        choose(b, most, chosen + first * a->columns);
        const struct samples all = {.rows = room, .columns = a->columns, .wide = chosen};
        status = pairs_visit(work, &all, &all, PAIR_SQUARED_DISTANCE, keep_distances, &distances);
    }
    if (status == SUMI_OK) *median = middle(room * (room - 1) / 2, distances.values);
    context_release(context, chosen);
    context_release(context, distances.values);
    return status;
}

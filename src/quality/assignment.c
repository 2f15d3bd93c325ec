/* SPDX-License-Identifier: Apache-2.0 */
/* The best assignment by shortest augmenting paths (Jonker & Volgenant 1987), and the measure
   wasserstein made of it. */
#include "quality/assignment.h"

#include <math.h>
#include <string.h>

#include "quality/measure.h"
#include "quality/pairs.h"

/* Rows are assigned one by one. Potentials keep all reduced costs, cost - row - column, at 0 or
   more, and those of assigned pairs at 0. Column n stands for the row that is being assigned. */
struct assignment {
    int64_t n;
    const double *costs;               /* [n, n] */
    double *row, *column, *distance;   /* potentials [n], [n+1]; path lengths [n+1] */
    int64_t *owner, *before, *reached; /* [n+1]: row of a column; previous column of its path;
                                          whether its shortest path is known */
};

/* Extends shortest paths from the reached column `from`; returns the nearest column not reached
   and how far it is beyond the last. */
static int64_t extend(struct assignment *a, int64_t from, double *step)
{
    int64_t nearest = -1, row = a->owner[from];
    *step = INFINITY;
    for (int64_t j = 0; j < a->n; j++) {
        if (a->reached[j]) continue;
        double reduced = a->costs[row * a->n + j] - a->row[row] - a->column[j];
        if (reduced < a->distance[j]) {
            a->distance[j] = reduced;
            a->before[j] = from;
        }
        if (a->distance[j] >= *step) continue;
        *step = a->distance[j];
        nearest = j;
    }
    return nearest;
}

/* Moves the potentials so that the path to the nearest column has reduced cost 0. */
static void move_potentials(struct assignment *a, double step)
{
    for (int64_t j = 0; j <= a->n; j++) {
        if (a->reached[j]) {
            a->row[a->owner[j]] += step;
            a->column[j] -= step;
        } else {
            a->distance[j] -= step;
        }
    }
}

static void assign_row(struct assignment *a, int64_t row)
{
    int64_t at = a->n;
    a->owner[at] = row;
    for (int64_t j = 0; j <= a->n; j++) {
        a->distance[j] = INFINITY;
        a->reached[j] = 0;
    }
    while (a->owner[at] >= 0) { /* until a column that no row has */
        double step;
        a->reached[at] = 1;
        int64_t next = extend(a, at, &step);
        move_potentials(a, step);
        at = next;
    }
    while (at != a->n) { /* each column of the path passes to the row before it */
        int64_t previous = a->before[at];
        a->owner[at] = a->owner[previous];
        at = previous;
    }
}

static sumi_status assign_all(struct work *work, struct assignment *a, double *mean_square)
{
    double sum = 0;
    for (int64_t j = 0; j <= a->n; j++) a->owner[j] = -1;
    for (int64_t i = 0; i < a->n; i++) {
        assign_row(a, i);
        TRY(work_advance(work, 1));
    }
    for (int64_t j = 0; j < a->n; j++) sum += a->costs[a->owner[j] * a->n + j];
    *mean_square = sum / (double)a->n;
    return SUMI_OK;
}

struct cost_matrix {
    int64_t columns;
    double *costs;
};

static void keep_costs(void *user, int64_t row, int64_t first, int64_t count, const double *values)
{
    const struct cost_matrix *matrix = user;
    memcpy(matrix->costs + row * matrix->columns + first, values, (size_t)count * sizeof *values);
}

sumi_status assignment_cost(struct work *work, const struct samples *a, const struct samples *b,
                            double *mean_square)
{
    sumi_context *context = work->context;
    int64_t n = a->rows;
    size_t size = (size_t)n;
    double *costs = context_allocate(context, size, size * sizeof *costs);
    double *numbers = context_allocate_zeroed(context, 3 * (size + 1), sizeof *numbers);
    int64_t *indices = context_allocate_zeroed(context, 3 * (size + 1), sizeof *indices);
    sumi_status status = costs && numbers && indices ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) {
        struct cost_matrix matrix = {n, costs};
        struct assignment assignment = {n,
                                        costs,
                                        numbers,
                                        numbers + n + 1,
                                        numbers + 2 * (n + 1),
                                        indices,
                                        indices + n + 1,
                                        indices + 2 * (n + 1)};
        status = pairs_visit(work, a, b, PAIR_SQUARED_DISTANCE, keep_costs, &matrix);
        if (status == SUMI_OK) status = assign_all(work, &assignment, mean_square);
    }
    context_release(context, costs);
    context_release(context, numbers);
    context_release(context, indices);
    return status;
}

/* ---- The measure ---- */

enum { MOST_ROWS = 8192 }; /* whose matrix of costs has 512 MiB */

static sumi_status run(sumi_measure *measure, struct work *work, const struct measured_sets *sets)
{
    int64_t rows = sets->samples.rows;
    double square = 0;
    if (rows != sets->reference.rows || rows > MOST_ROWS) {
        return context_fail(measure->context, SUMI_ERROR_ARGUMENT,
                            "wasserstein: assigns samples one to one, so both sets must have as "
                            "many, at most %d, not %lld and %lld; sliced-wasserstein takes others",
                            MOST_ROWS, (long long)rows, (long long)sets->reference.rows);
    }
    work_begin(work, 2 * rows);
    TRY(assignment_cost(work, &sets->samples, &sets->reference, &square));
    return measure_add_number(measure, "wasserstein2", sqrt(square));
}

const struct measure_type measure_wasserstein = {
    .name = "wasserstein",
    .meaning = "exact Wasserstein distance, by the best assignment of samples to items",
    .paper = "Jonker & Volgenant 1987, A shortest augmenting path algorithm for linear assignment",
    .best = MEASURE_LEAST,
    .sets = 2,
    .of = MEASURE_OF_FEATURES,
    .run = run,
};

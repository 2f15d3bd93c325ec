/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest neighbours among the rows of sets, by the distances of all pairs. */
#include "quality/neighbours.h"

#include <math.h>

#include "quality/measure.h"
#include "quality/pairs.h"

/* ---- Nearest rows ---- */

struct nearest {
    bool same;
    int64_t k;
    double *distances; /* [rows, k], sorted */
    int64_t *indices;  /* or NULL */
};

/* Inserts a distance before those that are larger; the largest is dropped. */
static void insert(const struct nearest *nearest, int64_t row, double distance, int64_t index)
{
    double *own = nearest->distances + row * nearest->k;
    int64_t *indices = nearest->indices ? nearest->indices + row * nearest->k : NULL;
    int64_t place = nearest->k - 1;
    for (; place > 0 && own[place - 1] > distance; place--) {
        own[place] = own[place - 1];
        if (indices) indices[place] = indices[place - 1];
    }
    own[place] = distance;
    if (indices) indices[place] = index;
}

static void keep_nearest(void *user, int64_t row, int64_t first, int64_t count,
                         const double *values)
{
    const struct nearest *nearest = user;
    const double *last = nearest->distances + (row + 1) * nearest->k - 1;
    for (int64_t j = 0; j < count; j++) {
        if (nearest->same && first + j == row) continue;
        if (values[j] < *last) insert(nearest, row, values[j], first + j);
    }
}

sumi_status neighbours_find(struct work *work, const struct samples *a, const struct samples *b,
                            bool same, int64_t k, double *distances, int64_t *indices)
{
    struct nearest nearest = {.same = same, .k = k, .distances = distances, .indices = indices};
    for (int64_t i = 0; i < a->rows * k; i++) distances[i] = INFINITY;
    return pairs_visit(work, a, b, PAIR_SQUARED_DISTANCE, keep_nearest, &nearest);
}

/* ---- Manifolds ---- */

/* Of each row: in how many balls of the other set it is, and whether another's row is in its own.
 */
struct covering {
    const double *own, *other; /* squared radii */
    int64_t *inside, *holds;   /* [rows] */
};

static void count_balls(void *user, int64_t row, int64_t first, int64_t count, const double *values)
{
    const struct covering *covering = user;
    for (int64_t j = 0; j < count; j++) {
        covering->inside[row] += values[j] < covering->other[first + j];
        covering->holds[row] += values[j] < covering->own[row];
    }
}

/* Shares of rows that are inside a ball of the other set, and that hold one of its rows; and the
   mean number of balls that a row is in. */
struct shares {
    double inside, holding, balls;
};

static sumi_status cover(struct work *work, const struct samples *a, const double *own,
                         const struct samples *b, const double *other, struct shares *shares)
{
    int64_t *counts = context_allocate_zeroed(work->context, 2 * (size_t)a->rows, sizeof *counts);
    if (!counts) return SUMI_ERROR_MEMORY;
    struct covering covering = {own, other, counts, counts + a->rows};
    sumi_status status = pairs_visit(work, a, b, PAIR_SQUARED_DISTANCE, count_balls, &covering);
    *shares = (struct shares){0};
    for (int64_t i = 0; i < a->rows; i++) {
        shares->inside += covering.inside[i] > 0;
        shares->holding += covering.holds[i] > 0;
        shares->balls += (double)covering.inside[i];
    }
    double rows = (double)a->rows;
    shares->inside /= rows, shares->holding /= rows, shares->balls /= rows;
    context_release(work->context, counts);
    return status;
}

/* The squared distance of each row to its k-th neighbour in its own set. */
static sumi_status radii(struct work *work, const struct samples *set, int64_t k, double *squared)
{
    double *nearest =
        context_allocate(work->context, (size_t)set->rows, (size_t)k * sizeof *nearest);
    if (!nearest) return SUMI_ERROR_MEMORY;
    sumi_status status = neighbours_find(work, set, set, true, k, nearest, NULL);
    for (int64_t i = 0; i < set->rows; i++) squared[i] = nearest[(i + 1) * k - 1];
    context_release(work->context, nearest);
    return status;
}

sumi_status neighbours_prdc(struct work *work, const struct samples *samples,
                            const struct samples *reference, int64_t k, struct prdc *result)
{
    double *own =
        context_allocate(work->context, (size_t)(samples->rows + reference->rows), sizeof *own);
    if (!own) return SUMI_ERROR_MEMORY;
    double *other = own + samples->rows;
    struct shares fake = {0}, real = {0};
    sumi_status status = radii(work, samples, k, own);
    if (status == SUMI_OK) status = radii(work, reference, k, other);
    if (status == SUMI_OK) status = cover(work, samples, own, reference, other, &fake);
    if (status == SUMI_OK) status = cover(work, reference, other, samples, own, &real);
    *result = (struct prdc){.precision = fake.inside,
                            .recall = real.inside,
                            .density = fake.balls / (double)k,
                            .coverage = real.holding};
    context_release(work->context, own);
    return status;
}

/* ---- The measure ---- */

struct settings {
    int64_t k;
};

static const struct option options[] = {
    {WHOLE_OPTION("k", "0", 0, 1000,
                  "number of neighbours that make the radius of a ball; 0: 3 for precision and "
                  "recall, 5 for density and coverage"),
     offsetof(struct settings, k)},
    {.name = NULL},
};

static sumi_status check(const sumi_measure *measure, const struct measured_sets *sets, int64_t k)
{
    int64_t fewer =
        sets->samples.rows < sets->reference.rows ? sets->samples.rows : sets->reference.rows;
    if (fewer > k) return SUMI_OK;
    return context_fail(measure->context, SUMI_ERROR_ARGUMENT,
                        "prdc: the distance to neighbour %lld needs more than that many samples in "
                        "each set, but one has %lld",
                        (long long)k, (long long)fewer);
}

static sumi_status run(sumi_measure *measure, struct work *work, const struct measured_sets *sets)
{
    const struct settings *settings = measure->settings;
    int64_t first = settings->k ? settings->k : 3, second = settings->k ? settings->k : 5;
    struct prdc few = {0}, many = {0};
    TRY(check(measure, sets, second));
    int64_t passes = first == second ? 1 : 2;
    work_begin(work, passes * 2 * (sets->samples.rows + sets->reference.rows));
    TRY(neighbours_prdc(work, &sets->samples, &sets->reference, first, &few));
    many = few;
    if (passes == 2) TRY(neighbours_prdc(work, &sets->samples, &sets->reference, second, &many));
    TRY(measure_add_number(measure, "precision", few.precision));
    TRY(measure_add_number(measure, "recall", few.recall));
    TRY(measure_add_number(measure, "density", many.density));
    return measure_add_number(measure, "coverage", many.coverage);
}

const struct measure_type measure_prdc = {
    .name = "prdc",
    .meaning = "precision, recall, density and coverage by balls of nearest neighbours",
    .paper = "Kynkaanniemi et al. 2019, Improved precision and recall metric; Naeem et al. 2020, "
             "Reliable fidelity and diversity metrics",
    .best = MEASURE_MOST,
    .sets = 2,
    .options = options,
    .size = sizeof(struct settings),
    .of = MEASURE_OF_FEATURES,
    .run = run,
};

/* Group normalisation with an optional SiLU, one pass forward and two backward, channels last:
   x[n, s, c] with s the spatial extent. Rows of one item are cut into parts so that a single image
   keeps all threads busy; partial sums are added in a fixed order. */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/loops/loops.h"

enum { ROWS_IN_FLOAT = 64 };

/* Sizes of a problem, and how its rows are cut. */
struct extent {
    int64_t items, rows, c, groups;
    int parts, threads; /* parts of one item */
};

static struct extent measure(const struct problem *problem)
{
    const struct shape *x = problem->inputs[0];
    struct extent e = {.items = x->size[0],
                       .rows = shape_span(x, 1, x->rank - 1),
                       .c = x->size[x->rank - 1],
                       .groups = problem->node->attributes.groups};
    e.threads = worthwhile_threads(problem->threads, shape_count(x) * 2);
    e.parts = e.items >= e.threads ? 1 : e.threads;
    if (e.parts > e.rows) e.parts = (int)e.rows;
    return e;
}

/* First row of a part. */
static int64_t part_start(const struct extent *e, int part)
{
    return e->rows * part / e->parts;
}

/* The rows of part number `task` of all parts of all items. */
struct rows {
    int64_t item, count;
    int64_t at; /* first element of the rows in x */
};

static struct rows rows_of(const struct extent *e, int64_t task)
{
    int part = (int)(task % e->parts);
    int64_t item = task / e->parts, first = part_start(e, part);
    return (struct rows){item, part_start(e, part + 1) - first, (item * e->rows + first) * e->c};
}

/* ---- sums over rows: two doubles a channel for each item and part, then folded ---- */

/* Adds a block of rows into first[c] and second[c]. */
typedef void (*add_rows)(const struct call *call, int64_t item, int64_t rows, const float *x,
                         const float *upstream, float *first, float *second);

/* Bytes for partial sums: [items, parts, 2, c] doubles and the float blocks behind them. */
static size_t partial_bytes(const struct extent *e)
{
    size_t cells = (size_t)(e->items * e->parts * 2 * e->c);
    return cells * (sizeof(double) + sizeof(float));
}

static void sum_parts(const struct call *call, const struct extent *e, const float *upstream,
                      void *scratch, add_rows add)
{
    double *partial = scratch;
    float *blocks = (float *)(partial + e->items * e->parts * 2 * e->c);
#pragma omp parallel for num_threads(e->threads) if (e->threads > 1) schedule(static)
    for (int64_t task = 0; task < e->items * e->parts; task++) {
        struct rows rows = rows_of(e, task);
        double *totals = partial + task * 2 * e->c;
        float *block = blocks + task * 2 * e->c;
        memset(totals, 0, (size_t)(2 * e->c) * sizeof *totals);
        for (int64_t row = 0; row < rows.count; row += ROWS_IN_FLOAT) {
            int64_t left = rows.count - row, at = rows.at + row * e->c;
            int64_t count = left < ROWS_IN_FLOAT ? left : ROWS_IN_FLOAT;
            memset(block, 0, (size_t)(2 * e->c) * sizeof *block);
            add(call, rows.item, count, call->inputs[0] + at, upstream ? upstream + at : NULL,
                block, block + e->c);
            for (int64_t i = 0; i < 2 * e->c; i++) totals[i] += block[i];
        }
    }
    for (int64_t item = 0; item < e->items; item++) { /* fold the parts into the first */
        double *totals = partial + item * e->parts * 2 * e->c;
        for (int part = 1; part < e->parts; part++) {
            for (int64_t i = 0; i < 2 * e->c; i++) totals[i] += totals[part * 2 * e->c + i];
        }
    }
}

/* ---- moments: mean and 1/std of each group ---- */

static sumi_status prepare_moments(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct extent e = measure(problem);
    *scratch = partial_bytes(&e);
    return SUMI_OK;
}

/* Sums are taken about the item's first row, so that a large mean costs no accuracy. */
static void add_moments(const struct call *call, int64_t item, int64_t rows, const float *x,
                        const float *upstream, float *first, float *second)
{
    (void)upstream;
    struct extent e = measure(call->problem);
    const float *shift = call->inputs[0] + item * e.rows * e.c;
    loops_select()->moments(rows, e.c, x, shift, first, second);
}

static sumi_status run_moments(const struct call *call)
{
    struct extent e = measure(call->problem);
    double epsilon = call->problem->node->attributes.shift;
    sum_parts(call, &e, NULL, call->scratch, add_moments);
    const double *partial = call->scratch;
    int64_t width = e.c / e.groups;
    for (int64_t item = 0; item < e.items; item++) {
        const double *first = partial + item * e.parts * 2 * e.c, *second = first + e.c;
        const float *shift = call->inputs[0] + item * e.rows * e.c;
        for (int64_t g = 0; g < e.groups; g++) {
            double mean = 0, square = 0, count = (double)(e.rows * width);
            for (int64_t i = g * width; i < (g + 1) * width; i++) {
                mean += (first[i] + (double)e.rows * shift[i]) / count;
            }
            for (int64_t i = g * width; i < (g + 1) * width; i++) {
                double d = shift[i] - mean; /* x - mean = (x - shift) + d */
                square += second[i] + 2 * d * first[i] + (double)e.rows * d * d;
            }
            double variance = square / count;
            float *out = call->output + (item * e.groups + g) * 2;
            out[0] = (float)mean;
            out[1] = (float)(1 / sqrt((variance > 0 ? variance : 0) + epsilon));
        }
    }
    return SUMI_OK;
}

const struct kernel kernel_group_moments = {prepare_moments, run_moments, NULL};

/* ---- per-channel coefficients ---- */

enum { COEFFICIENTS = 7 };

/* Coefficients of one item in tables[items, COEFFICIENTS, c]. */
static struct norm_coefficients coefficients_of(const float *tables, int64_t item, int64_t c)
{
    const float *table = tables + item * COEFFICIENTS * c;
    return (struct norm_coefficients){.slope = table,
                                      .offset = table + c,
                                      .mean = table + 2 * c,
                                      .inverse = table + 3 * c,
                                      .of_gradient = table + 4 * c,
                                      .constant = table + 5 * c,
                                      .of_x = table + 6 * c};
}

/* Fills the first four for all items: inputs are x, moments[n, groups, 2], scale and shift of [c]
   or [n, c]. */
static void fill_coefficients(const struct call *call, const struct extent *e, float *tables)
{
    const float *moments = call->inputs[1], *scale = call->inputs[2], *shift = call->inputs[3];
    int64_t scale_step = call->problem->inputs[2]->rank == 2 ? e->c : 0;
    int64_t shift_step = call->problem->inputs[3]->rank == 2 ? e->c : 0;
    int64_t width = e->c / e->groups;
    for (int64_t item = 0; item < e->items; item++) {
        float *table = tables + item * COEFFICIENTS * e->c;
        for (int64_t i = 0; i < e->c; i++) {
            const float *moment = moments + (item * e->groups + i / width) * 2;
            float slope = moment[1] * scale[item * scale_step + i];
            table[i] = slope;
            table[e->c + i] = shift[item * shift_step + i] - moment[0] * slope;
            table[2 * e->c + i] = moment[0];
            table[3 * e->c + i] = moment[1];
        }
    }
}

static size_t table_bytes(const struct extent *e)
{
    return ((size_t)(e->items * COEFFICIENTS * e->c) * sizeof(float) + 63) / 64 * 64;
}

static sumi_status prepare_norm(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct extent e = measure(problem);
    *scratch = table_bytes(&e);
    return SUMI_OK;
}

static sumi_status run_norm(const struct call *call)
{
    struct extent e = measure(call->problem);
    float *tables = call->scratch;
    const bool silu = call->problem->node->attributes.silu;
    const struct loops *loops = loops_select();
    fill_coefficients(call, &e, tables);
#pragma omp parallel for num_threads(e.threads) if (e.threads > 1) schedule(static)
    for (int64_t task = 0; task < e.items * e.parts; task++) {
        struct rows rows = rows_of(&e, task);
        struct norm_coefficients k = coefficients_of(tables, rows.item, e.c);
        loops->norm(rows.count, e.c, call->inputs[0] + rows.at, &k, silu,
                    call->output + rows.at);
    }
    return SUMI_OK;
}

const struct kernel kernel_group_norm = {prepare_norm, run_norm, NULL};

/* ---- gradients: inputs x, moments, scale, shift, upstream (, sums) ---- */

static sumi_status prepare_sums(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct extent e = measure(problem);
    *scratch = table_bytes(&e) + partial_bytes(&e);
    return SUMI_OK;
}

static void add_norm_sums(const struct call *call, int64_t item, int64_t rows, const float *x,
                          const float *upstream, float *first, float *second)
{
    struct extent e = measure(call->problem);
    const float *tables = call->scratch;
    struct norm_coefficients k = coefficients_of(tables, item, e.c);
    loops_select()->norm_sums(rows, e.c, x, upstream, &k, call->problem->node->attributes.silu,
                              first, second);
}

static sumi_status run_sums(const struct call *call)
{
    struct extent e = measure(call->problem);
    char *behind_tables = (char *)call->scratch + table_bytes(&e);
    fill_coefficients(call, &e, call->scratch);
    sum_parts(call, &e, call->inputs[4], behind_tables, add_norm_sums);
    const double *partial = (const double *)(void *)behind_tables;
    for (int64_t item = 0; item < e.items; item++) {
        for (int64_t i = 0; i < 2 * e.c; i++) {
            call->output[item * 2 * e.c + i] = (float)partial[item * e.parts * 2 * e.c + i];
        }
    }
    return SUMI_OK;
}

const struct kernel kernel_group_norm_sums = {prepare_sums, run_sums, NULL};

/* With m elements in a group, G1 = sum of scale S0 and G2 = sum of scale S1 over its channels,
   dx = inverse (scale d - (G1 + xhat G2) / m), written as a linear function of d and x. */
static void fill_gradient_coefficients(const struct call *call, const struct extent *e,
                                       float *tables)
{
    const float *scale = call->inputs[2], *sums = call->inputs[5];
    int64_t scale_step = call->problem->inputs[2]->rank == 2 ? e->c : 0;
    int64_t width = e->c / e->groups;
    double m = (double)(e->rows * width);
    for (int64_t item = 0; item < e->items; item++) {
        float *table = tables + item * COEFFICIENTS * e->c;
        const float *scales = scale + item * scale_step, *sum = sums + item * 2 * e->c;
        for (int64_t g = 0; g < e->groups; g++) {
            double g1 = 0, g2 = 0;
            for (int64_t i = g * width; i < (g + 1) * width; i++) {
                g1 += (double)scales[i] * sum[i];
                g2 += (double)scales[i] * sum[e->c + i];
            }
            for (int64_t i = g * width; i < (g + 1) * width; i++) {
                double mean = table[2 * e->c + i], inverse = table[3 * e->c + i];
                table[4 * e->c + i] = table[i];
                table[5 * e->c + i] = (float)(-inverse / m * (g1 - g2 * inverse * mean));
                table[6 * e->c + i] = (float)(-inverse / m * g2 * inverse);
            }
        }
    }
}

static sumi_status run_data_gradient(const struct call *call)
{
    struct extent e = measure(call->problem);
    float *tables = call->scratch;
    const bool silu = call->problem->node->attributes.silu;
    const struct loops *loops = loops_select();
    fill_coefficients(call, &e, tables);
    fill_gradient_coefficients(call, &e, tables);
#pragma omp parallel for num_threads(e.threads) if (e.threads > 1) schedule(static)
    for (int64_t task = 0; task < e.items * e.parts; task++) {
        struct rows rows = rows_of(&e, task);
        struct norm_coefficients k = coefficients_of(tables, rows.item, e.c);
        loops->norm_gradient(rows.count, e.c, call->inputs[0] + rows.at,
                             call->inputs[4] + rows.at, &k, silu, call->output + rows.at);
    }
    return SUMI_OK;
}

const struct kernel kernel_group_norm_data_gradient = {prepare_norm, run_data_gradient, NULL};

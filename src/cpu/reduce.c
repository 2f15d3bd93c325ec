/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over axes, and broadcasting, their transpose. A sum is walked as alternating runs of kept
   and summed axes; the four shapes that networks use (all, leading rows, the rows of each item,
   trailing elements) have their own loops. */
#include <string.h>

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"

enum { ROWS_IN_FLOAT = 64, ELEMENTS_IN_FLOAT = 4096, MAX_PARTS = 64 };

/* Axes of x merged into runs that are kept or summed. */
struct runs {
    int rank;
    int64_t size[SUMI_MAX_RANK];
    bool summed[SUMI_MAX_RANK];
};

static struct runs find_runs(const struct shape *x, const struct shape *output)
{
    struct runs runs = {0};
    for (int i = 0; i < x->rank; i++) {
        if (x->size[i] == 1) continue;
        bool summed = output->size[i] == 1;
        if (!runs.rank || runs.summed[runs.rank - 1] != summed) {
            runs.summed[runs.rank] = summed;
            runs.size[runs.rank++] = 1;
        }
        runs.size[runs.rank - 1] *= x->size[i];
    }
    return runs;
}

/* The parts into which a long sum is divided, one for each thread that pays off. */
static int part_count(const struct problem *problem, int64_t work)
{
    int threads = worthwhile_threads(problem->threads, work);
    return threads < MAX_PARTS ? threads : MAX_PARTS;
}

/* Whether rows[items, rows, columns] of each item are summed to [items, columns]; a single item
   where the first axis is summed. */
static bool sums_rows(const struct runs *runs, int64_t *items, int64_t *rows, int64_t *columns)
{
    bool first = runs->rank == 2 && runs->summed[0], middle = runs->rank == 3 && runs->summed[1];
    *items = middle ? runs->size[0] : 1;
    *rows = runs->size[middle ? 1 : 0];
    *columns = runs->size[middle ? 2 : 1];
    return first || middle;
}

/* The parts into which the rows of each item are divided: one if there are enough items for the
   threads. */
static int row_parts(const struct problem *problem, int64_t items, int64_t work)
{
    return items > 1 ? 1 : part_count(problem, work);
}

static sumi_status prepare_sum(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct runs runs = find_runs(problem->inputs[0], &problem->node->shape);
    int64_t items, rows, columns;
    if (sums_rows(&runs, &items, &rows, &columns)) {
        int64_t parts = items * row_parts(problem, items, rows * columns);
        *scratch = (size_t)(parts * columns) * (sizeof(double) + sizeof(float));
    }
    return SUMI_OK;
}

/* Sum of n elements: float inside a block, double across blocks. */
static double sum_long(const struct loops *loops, int64_t n, const float *x)
{
    double total = 0;
    for (int64_t first = 0; first < n; first += ELEMENTS_IN_FLOAT) {
        int64_t count = n - first < ELEMENTS_IN_FLOAT ? n - first : ELEMENTS_IN_FLOAT;
        total += loops->sum(count, x + first);
    }
    return total;
}

/* Shared among a team. */
static void sum_parts(int parts, int64_t n, const float *x, double *partial)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int part = 0; part < parts; part++) {
        int64_t first = n * part / parts, end = n * (part + 1) / parts;
        partial[part] = sum_long(loops, end - first, x + first);
    }
}

static void sum_all(const struct call *call, int64_t n)
{
    int parts = part_count(call->problem, n);
    double partial[MAX_PARTS];
    BY_TEAM(parts, sum_parts(parts, n, call->inputs[0], partial));
    double total = 0;
    for (int part = 0; part < parts; part++) total += partial[part];
    call->output[0] = (float)total;
}

/* total[columns] of x[rows, columns], with block[columns] to work in: float inside a block of rows,
   double across blocks. */
static void sum_part(int64_t rows, int64_t columns, const float *x, double *total, float *block)
{
    const struct loops *loops = loops_select();
    memset(total, 0, (size_t)columns * sizeof *total);
    for (int64_t row = 0; row < rows; row += ROWS_IN_FLOAT) {
        int64_t count = rows - row < ROWS_IN_FLOAT ? rows - row : ROWS_IN_FLOAT;
        memset(block, 0, (size_t)columns * sizeof *block);
        loops->sum_rows(count, columns, x + row * columns, block);
        for (int64_t c = 0; c < columns; c++) total[c] += block[c];
    }
}

/* totals[items, parts, columns] of x[items, rows, columns]. Shared among a team. */
static void sum_row_parts(const struct call *call, int64_t items, int parts, int64_t rows,
                          int64_t columns)
{
    double *totals = call->scratch;
    float *blocks = (float *)(totals + items * parts * columns);
#pragma omp for schedule(static)
    for (int64_t part = 0; part < items * parts; part++) {
        int64_t first = rows * (part % parts) / parts, end = rows * (part % parts + 1) / parts;
        const float *x = call->inputs[0] + (part / parts * rows + first) * columns;
        sum_part(end - first, columns, x, totals + part * columns, blocks + part * columns);
    }
}

/* x[items, rows, columns] to [items, columns]. */
static void sum_rows(const struct call *call, int64_t items, int64_t rows, int64_t columns)
{
    int parts = row_parts(call->problem, items, rows * columns);
    int threads = worthwhile_threads(call->problem->threads, items * rows * columns);
    double *totals = call->scratch;
    BY_TEAM(threads, sum_row_parts(call, items, parts, rows, columns));
    for (int64_t item = 0; item < items; item++) {
        const double *total = totals + item * parts * columns;
        for (int64_t c = 0; c < columns; c++) {
            double sum = total[c];
            for (int part = 1; part < parts; part++) sum += total[part * columns + c];
            call->output[item * columns + c] = (float)sum;
        }
    }
}

/* x[rows, n] to [rows]. Shared among a team. */
static void sum_trailing(const struct call *call, int64_t rows, int64_t n)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        call->output[row] = (float)sum_long(loops, n, call->inputs[0] + row * n);
    }
}

/* Sums into `outer` results, each over the remaining runs from `run` on, starting at x. */
static double sum_runs(const struct runs *runs, const int64_t *steps, int run, const float *x)
{
    while (run < runs->rank && !runs->summed[run]) run++;
    if (run == runs->rank) return *x;
    double total = 0;
    for (int64_t i = 0; i < runs->size[run]; i++) {
        total += sum_runs(runs, steps, run + 1, x + i * steps[run]);
    }
    return total;
}

/* Shared among a team. */
static void sum_general(const struct call *call, const struct runs *runs)
{
    int64_t steps[SUMI_MAX_RANK], step = 1;
    for (int i = runs->rank - 1; i >= 0; i--) {
        steps[i] = step;
        step *= runs->size[i];
    }
    int64_t count = shape_count(&call->problem->node->shape);
#pragma omp for schedule(static)
    for (int64_t k = 0; k < count; k++) {
        int64_t rest = k, at = 0;
        for (int i = runs->rank - 1; i >= 0; i--) {
            if (runs->summed[i]) continue;
            at += rest % runs->size[i] * steps[i];
            rest /= runs->size[i];
        }
        call->output[k] = (float)sum_runs(runs, steps, 0, call->inputs[0] + at);
    }
}

static sumi_status run_sum(const struct call *call)
{
    struct runs runs = find_runs(call->problem->inputs[0], &call->problem->node->shape);
    int64_t items, rows, columns;
    int threads = worthwhile_threads(call->problem->threads, shape_count(call->problem->inputs[0]));
    if (runs.rank == 0) call->output[0] = call->inputs[0][0];
    else if (runs.rank == 1 && runs.summed[0]) sum_all(call, runs.size[0]);
    else if (sums_rows(&runs, &items, &rows, &columns)) sum_rows(call, items, rows, columns);
    else if (runs.rank == 2) BY_TEAM(threads, sum_trailing(call, runs.size[0], runs.size[1]));
    else BY_TEAM(threads, sum_general(call, &runs));
    return SUMI_OK;
}

const struct kernel kernel_sum = {.prepare = prepare_sum, .run = run_sum};

/* Shared among a team. */
static void broadcast(const struct call *call)
{
    const struct shape *x = call->problem->inputs[0], *output = &call->problem->node->shape;
    int missing = output->rank - x->rank, last = output->rank - 1;
    int64_t steps[SUMI_MAX_RANK], step = 1;
    for (int i = last; i >= 0; i--) {
        bool repeated = i < missing || x->size[i - missing] == 1;
        steps[i] = repeated ? 0 : step;
        if (!repeated) step *= x->size[i - missing];
    }
    int64_t row_size = output->rank ? output->size[last] : 1;
    int64_t rows = shape_count(output) / row_size;
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        int64_t rest = row, at = 0;
        for (int i = last - 1; i >= 0; i--) {
            at += rest % output->size[i] * steps[i];
            rest /= output->size[i];
        }
        const float *source = call->inputs[0] + at;
        float *target = call->output + row * row_size;
        if (last >= 0 && steps[last]) memcpy(target, source, (size_t)row_size * sizeof *target);
        else
            for (int64_t i = 0; i < row_size; i++) target[i] = *source;
    }
}

static sumi_status run_broadcast(const struct call *call)
{
    int64_t work = shape_count(&call->problem->node->shape);
    BY_TEAM(worthwhile_threads(call->problem->threads, work), broadcast(call));
    return SUMI_OK;
}

const struct kernel kernel_broadcast = {.run = run_broadcast};

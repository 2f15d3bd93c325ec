/* SPDX-License-Identifier: Apache-2.0 */
/* Summaries of draws; see draws.h. */
#include "draws.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_SHOWN = 4, ROWS_SHOWN = 16, TITLE_SIZE = 24 };

/* ---- Mean and deviation ---- */

static void fill_summaries(const sumi_array *drawn, struct draws *draws)
{
    int64_t size = sumi_array_count(&draws->mean);
    double count = (double)draws->count;
    for (int64_t i = 0; i < size; i++) {
        double sum = 0, squares = 0;
        for (int64_t d = 0; d < draws->count; d++) sum += drawn->data[d * size + i];
        double mean = sum / count;
        for (int64_t d = 0; d < draws->count; d++) {
            double away = drawn->data[d * size + i] - mean;
            squares += away * away;
        }
        draws->mean.data[i] = (float)mean;
        draws->deviation.data[i] = draws->count > 1 ? (float)sqrt(squares / (count - 1)) : 0;
    }
}

int draws_summarise(sumi_context *context, const sumi_array *drawn, int64_t items,
                    struct draws *draws)
{
    int64_t shape[SUMI_MAX_RANK];
    memcpy(shape, drawn->shape, sizeof shape);
    shape[0] = items;
    *draws = (struct draws){.count = drawn->shape[0] / items, .items = items};
    sumi_status status = sumi_array_create(context, drawn->rank, shape, &draws->mean);
    if (status == SUMI_OK)
        status = sumi_array_create(context, drawn->rank, shape, &draws->deviation);
    if (status != SUMI_OK) return fail_context(context);
    fill_summaries(drawn, draws);
    return EXIT_DONE;
}

void draws_release(sumi_context *context, struct draws *draws)
{
    sumi_array_release(context, &draws->mean);
    sumi_array_release(context, &draws->deviation);
}

/* ---- Against the true items ---- */

/* 10 log10 of the squared range over the mean square error: the range is 2 for pictures, that of
   the items for others. */
static double psnr_of(const sumi_array *items, int64_t repeats, const float *estimates)
{
    double squares = 0, least = INFINITY, most = -INFINITY;
    int64_t size = sumi_array_count(items);
    for (int64_t i = 0; i < size * repeats; i++) {
        double truth = items->data[i % size], away = estimates[i] - truth;
        squares += away * away / (double)(size * repeats);
        least = fmin(least, truth);
        most = fmax(most, truth);
    }
    double range = items->rank == 4 ? 2 : most - least;
    return 10 * log10(range * range / squares);
}

/* Draws that are below a true number, and draws that are not above it. */
static void rank_of(const sumi_array *drawn, int64_t size, int64_t i, float truth, int64_t *below,
                    int64_t *not_above)
{
    *below = *not_above = 0;
    for (int64_t d = 0; d < drawn->shape[0] && d * size + i < sumi_array_count(drawn); d++) {
        *below += drawn->data[d * size + i] < truth;
        *not_above += drawn->data[d * size + i] <= truth;
    }
}

void draws_compare(const sumi_array *items, const sumi_array *drawn, struct draws *draws)
{
    int64_t size = sumi_array_count(items), n = draws->count;
    int64_t k = (int64_t)llround(0.05 * (double)(n + 1)), held = 0;
    if (k < 1) k = 1;
    for (int64_t i = 0; i < size; i++) {
        int64_t below, not_above;
        rank_of(drawn, size, i, items->data[i], &below, &not_above);
        held += not_above >= k && n - below >= k;
    }
    draws->interval = (double)(n + 1 - 2 * k) / (double)(n + 1);
    draws->inside = (double)held / (double)size;
    draws->psnr_of_mean = psnr_of(items, 1, draws->mean.data);
    draws->psnr_of_sample = psnr_of(items, n, drawn->data);
}

int draws_misfit(sumi_context *context, const sumi_operator *linear, const sumi_array *measured,
                 const sumi_array *drawn, struct draws *draws)
{
    sumi_array again = {0};
    double squares = 0;
    int64_t size = sumi_array_count(measured), kept = 0;
    sumi_status status = sumi_array_create(context, measured->rank, measured->shape, &again);
    for (int64_t d = 0; d < draws->count && status == SUMI_OK; d++) {
        const float *x = drawn->data + d * sumi_array_count(&draws->mean);
        status = sumi_operator_apply(linear, draws->items, x, again.data);
        for (int64_t i = 0; i < size && status == SUMI_OK; i++) {
            if (again.data[i] == 0) continue; /* outside a mask */
            double away = measured->data[i] - again.data[i];
            squares += away * away;
            kept++;
        }
    }
    sumi_array_release(context, &again);
    draws->misfit = kept ? sqrt(squares / (double)kept) : 0;
    return status == SUMI_OK ? EXIT_DONE : fail_context(context);
}

/* ---- The table ---- */

/* The columns of a table, each [items, item]. */
struct columns {
    int count;
    const float *values[SAMPLES_SHOWN + 4];
    char titles[SAMPLES_SHOWN + 4][TITLE_SIZE];
};

static void add_column(struct columns *columns, const char *title, int number, const float *values)
{
    char *text = columns->titles[columns->count];
    if (number) snprintf(text, TITLE_SIZE, "%s %d", title, number);
    else snprintf(text, TITLE_SIZE, "%s", title);
    columns->values[columns->count++] = values;
}

static struct columns columns_of(const struct draws_table *table, const float *seen)
{
    struct columns columns = {.count = 0};
    const struct draws *draws = table->draws;
    if (table->items) add_column(&columns, "original", 0, table->items->data);
    add_column(&columns, "measured", 0, seen);
    for (int d = 0; d < draws->count && d < SAMPLES_SHOWN; d++)
        add_column(&columns, "sample", d + 1,
                   table->drawn->data + d * sumi_array_count(&draws->mean));
    add_column(&columns, "mean", 0, draws->mean.data);
    if (draws->count > 1) add_column(&columns, "deviation", 0, draws->deviation.data);
    return columns;
}

/* What was measured, as an item: the pseudo-inverse, which every named operator has. */
static sumi_status see(sumi_context *context, const struct draws_table *table, sumi_array *seen)
{
    const sumi_array *mean = &table->draws->mean;
    sumi_status status = sumi_array_create(context, mean->rank, mean->shape, seen);
    if (status != SUMI_OK) return status;
    return sumi_operator_inverse(table->linear, mean->shape[0], table->measured->data, seen->data);
}

/* Deviations of pictures are drawn from black, 0, to white, 1 or more. */
static float shown(const struct columns *columns, int column, int rank, float value)
{
    bool deviation = strcmp(columns->titles[column], "deviation") == 0;
    return deviation && rank == 4 ? 2 * fminf(value, 1) - 1 : value;
}

sumi_status draws_draw(sumi_context *context, const struct draws_table *table, const char *path)
{
    const sumi_array *mean = &table->draws->mean;
    const char *titles[SAMPLES_SHOWN + 4];
    sumi_array seen = {0}, cells = {0};
    sumi_status status = see(context, table, &seen);
    const struct columns columns = columns_of(table, seen.data);
    int64_t rows = mean->shape[0] < ROWS_SHOWN ? mean->shape[0] : ROWS_SHOWN;
    int64_t shape[SUMI_MAX_RANK] = {rows, columns.count};
    int64_t size = sumi_array_count(mean) / mean->shape[0];
    memcpy(shape + 2, mean->shape + 1, (size_t)(mean->rank - 1) * sizeof *shape);
    if (status == SUMI_OK) status = sumi_array_create(context, mean->rank + 1, shape, &cells);
    for (int c = 0; c < columns.count; c++) titles[c] = columns.titles[c];
    for (int64_t i = 0; status == SUMI_OK && i < sumi_array_count(&cells); i++) {
        int64_t cell = i / size, row = cell / columns.count;
        int column = (int)(cell % columns.count);
        cells.data[i] =
            shown(&columns, column, mean->rank, columns.values[column][row * size + i % size]);
    }
    if (status == SUMI_OK) status = sumi_draw_table(context, &cells, titles, NULL, path);
    sumi_array_release(context, &seen);
    sumi_array_release(context, &cells);
    return status;
}

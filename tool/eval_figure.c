/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of `sumi eval`: samples beside their nearest reference items, a histogram of classes,
   curves of spectra and distributions, and a sweep's quality and diversity by evaluations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval.h"

enum { DRAWN_ROWS = 8 };

/* ---- Lists of the report ---- */

/* The numbers of a list under "MEASURE" and "NAME", in new memory; NULL where there is none. */
static double *find_list(struct json_object *row, const char *measure, const char *name,
                         int64_t *count)
{
    struct json_object *results = NULL, *list = NULL;
    if (!json_object_object_get_ex(eval_member(row, "measures"), measure, &results)
        || !json_object_object_get_ex(results, name, &list)
        || !json_object_is_type(list, json_type_array))
        return NULL;
    *count = (int64_t)json_object_array_length(list);
    double *numbers = calloc((size_t)*count, sizeof *numbers);
    for (int64_t i = 0; i < *count && numbers; i++)
        numbers[i] = json_object_get_double(json_object_array_get_idx(list, (size_t)i));
    return numbers;
}

/* ---- Neighbours ---- */

/* Copies sample `from` and its neighbour to row `row` of the cells. */
static void fill_row(const struct eval *eval, const double *neighbours, int64_t from, int64_t row,
                     int64_t size, float *cells)
{
    const sumi_array *samples = &eval->samples.items, *reference = &eval->reference.items;
    int64_t nearest = (int64_t)neighbours[from];
    float *cell = cells + 2 * row * size;
    memcpy(cell, samples->data + from * size, (size_t)size * sizeof *cell);
    memcpy(cell + size, reference->data + nearest * size, (size_t)size * sizeof *cell);
}

/* The numbers of the samples with the least ratios, in ascending order: the likest copies. */
static void find_likest(int64_t count, const double *ratios, int64_t order[DRAWN_ROWS])
{
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t place = found < DRAWN_ROWS ? found++ : DRAWN_ROWS;
        for (; place > 0 && ratios[order[place - 1]] > ratios[i]; place--)
            if (place < DRAWN_ROWS) order[place] = order[place - 1];
        if (place < DRAWN_ROWS) order[place] = i;
    }
}

static sumi_status draw_pairs(struct eval *eval, const double *neighbours, const double *ratios)
{
    static const char *const TITLES[] = {"sample", "nearest"};
    const sumi_array *samples = &eval->samples.items;
    int64_t count = samples->shape[0], order[DRAWN_ROWS] = {0};
    int64_t shape[SUMI_MAX_RANK] = {count < DRAWN_ROWS ? count : DRAWN_ROWS, 2};
    int64_t size = sumi_array_count(samples) / count;
    char titles[DRAWN_ROWS][32];
    const char *rows[DRAWN_ROWS];
    sumi_array cells = {0};
    memcpy(shape + 2, samples->shape + 1, (size_t)(samples->rank - 1) * sizeof *shape);
    sumi_status status = sumi_array_create(eval->context, samples->rank + 1, shape, &cells);
    if (status != SUMI_OK) return status;
    find_likest(count, ratios, order);
    for (int64_t i = 0; i < shape[0]; i++) {
        fill_row(eval, neighbours, order[i], i, size, cells.data);
        snprintf(titles[i], sizeof titles[i], "ratio %.2f", ratios[order[i]]);
        rows[i] = titles[i];
    }
    status = sumi_draw_table(eval->context, &cells, TITLES, rows, eval->settings->output);
    sumi_array_release(eval->context, &cells);
    return status;
}

/* Samples beside their nearest items, the likest copies first. */
static sumi_status draw_neighbours(struct eval *eval)
{
    const sumi_array *samples = &eval->samples.items, *reference = &eval->reference.items;
    int64_t count = 0, other = 0;
    double *neighbours = find_list(eval->report, "nearest", "neighbours", &count);
    double *ratios = find_list(eval->report, "nearest", "ratios", &other);
    bool fits = neighbours && ratios && count == other && samples->rank == reference->rank
                && samples->rank <= 4 && count == samples->shape[0];
    for (int i = 1; fits && i < samples->rank; i++) fits = samples->shape[i] == reference->shape[i];
    for (int64_t i = 0; fits && i < count; i++)
        fits = neighbours[i] >= 0 && neighbours[i] < (double)reference->shape[0];
    sumi_status status = fits ? draw_pairs(eval, neighbours, ratios) : SUMI_OK;
    eval->drawn = fits;
    free(neighbours);
    free(ratios);
    return status;
}

/* ---- Classes and curves ---- */

static sumi_status draw_classes(struct eval *eval)
{
    int64_t count = 0;
    double *classes = find_list(eval->report, "classes", "likeliest", &count);
    sumi_array numbers = {0};
    if (!classes) return SUMI_OK;
    sumi_status status = sumi_array_create(eval->context, 2, (int64_t[]){count, 1}, &numbers);
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) numbers.data[i] = (float)classes[i];
    if (status == SUMI_OK)
        status = sumi_draw_grid(eval->context, &numbers, 0, eval->settings->output);
    eval->drawn = true;
    sumi_array_release(eval->context, &numbers);
    free(classes);
    return status;
}

static const char *const CURVES[][5] = {
    {"power-spectrum", "waves", "power", "reference_power", "wave number"},
    {"spectrum", "frequencies", "density", "reference_density", "frequency"},
    {"pdf", "middles", "density", "reference_density", "number"},
};

/* The curves of both sets of a measure, if it was measured. */
static sumi_status draw_curves(struct eval *eval, const char *const curve[5])
{
    int64_t count = 0;
    double *x = find_list(eval->report, curve[0], curve[1], &count);
    double *ours = find_list(eval->report, curve[0], curve[2], &count);
    double *theirs = find_list(eval->report, curve[0], curve[3], &count);
    sumi_status status = SUMI_OK;
    if (x && ours && theirs) {
        const sumi_line lines[] = {{sizeof *lines, "samples", count, x, ours},
                                   {sizeof *lines, "reference", count, x, theirs}};
        eval->drawn = true;
        status = sumi_draw_lines(eval->context, lines, 2, curve[0], curve[4], curve[2],
                                 eval->settings->output);
    }
    free(x);
    free(ours);
    free(theirs);
    return status;
}

int eval_draw(struct eval *eval)
{
    sumi_status status = draw_neighbours(eval);
    if (status == SUMI_OK && !eval->drawn) status = draw_classes(eval);
    for (size_t i = 0; i < sizeof CURVES / sizeof *CURVES && status == SUMI_OK && !eval->drawn; i++)
        status = draw_curves(eval, CURVES[i]);
    if (status != SUMI_OK) return fail_context(eval->context);
    if (eval->drawn) return EXIT_DONE;
    return fail(EXIT_USAGE, "eval: none of the measures has a figure; --output is for nearest, "
                            "classes, power-spectrum, spectrum and pdf, and for --sweep");
}

/* ---- A sweep ---- */

enum { MOST_LINES = 64, MOST_POINTS = 256 };

struct curves {
    int count;
    char names[MOST_LINES][EVAL_NAME_SIZE];
    double x[MOST_LINES][MOST_POINTS], y[MOST_LINES][MOST_POINTS];
    sumi_line lines[MOST_LINES];
};

/* The line of that name; NULL where there are too many. */
static sumi_line *find_line(struct curves *curves, const char *name)
{
    for (int i = 0; i < curves->count; i++)
        if (strcmp(curves->names[i], name) == 0) return &curves->lines[i];
    if (curves->count == MOST_LINES) return NULL;
    int number = curves->count++;
    snprintf(curves->names[number], EVAL_NAME_SIZE, "%s", name);
    curves->lines[number] = (sumi_line){sizeof(sumi_line), curves->names[number], 0,
                                        curves->x[number], curves->y[number]};
    return &curves->lines[number];
}

/* Adds a number of a row to the line of what the row has in its name beside "steps=N". */
static void add_point(struct curves *curves, struct json_object *row, const char *measure,
                      const char *result, double evaluations)
{
    struct json_object *value = NULL;
    char name[EVAL_NAME_SIZE];
    double number = 0;
    if (!json_object_object_get_ex(row, "name", &value)
        || !eval_number(row, measure, result, &number))
        return;
    const char *text = json_object_get_string(value), *steps = strstr(text, "steps=");
    int before = steps ? (int)(steps - text) : (int)strlen(text);
    size_t after = steps ? strcspn(steps, " ") : 0;
    snprintf(name, sizeof name, "%s %.*s%s", result ? result : measure, before, text,
             steps ? steps + after : "");
    sumi_line *line = find_line(curves, name);
    if (!line || line->count == MOST_POINTS) return;
    ((double *)line->x)[line->count] = evaluations;
    ((double *)line->y)[line->count++] = number;
}

/* Quality: the first measure but prdc; diversity: recall, where it was measured. */
static void add_row(const struct eval *eval, struct curves *curves, struct json_object *row)
{
    struct json_object *set = NULL, *value = NULL;
    if (!json_object_object_get_ex(row, "samples", &set)
        || !json_object_object_get_ex(set, "evaluations", &value))
        return;
    double evaluations = json_object_get_double(value);
    for (int i = 0; i < eval->count; i++) {
        if (strcmp(eval->names[i], "prdc") == 0) continue;
        add_point(curves, row, eval->names[i], NULL, evaluations);
        break;
    }
    add_point(curves, row, "prdc", "recall", evaluations);
}

int eval_draw_sweep(struct eval *eval)
{
    struct curves *curves = calloc(1, sizeof *curves);
    struct json_object *rows = NULL;
    if (!curves) return fail(EXIT_FAILED, "out of memory");
    json_object_object_get_ex(eval->report, "rows", &rows);
    for (size_t i = 0; rows && i < json_object_array_length(rows); i++)
        add_row(eval, curves, json_object_array_get_idx(rows, i));
    sumi_status status = sumi_draw_lines(
        eval->context, curves->lines, curves->count, "quality and diversity by evaluations",
        "evaluations of the network", "measure", eval->settings->output);
    free(curves);
    eval->drawn = status == SUMI_OK;
    return status == SUMI_OK ? EXIT_DONE : fail_context(eval->context);
}

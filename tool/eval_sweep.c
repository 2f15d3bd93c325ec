/* SPDX-License-Identifier: Apache-2.0 */
/* `sumi eval --sweep solver=ddim,unipc steps=5,10`: a row for each combination of the lists, in
   which the first list changes slowest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval.h"
#include "interrupt.h"

enum { MOST_AXES = 6, MOST_VALUES = 64, VALUE_SIZE = 64, MOST_ROWS = 4096 };

/* "steps=5,10" */
struct axis {
    char name[EVAL_NAME_SIZE];
    int count;
    char values[MOST_VALUES][VALUE_SIZE];
};

struct sweep {
    struct eval *eval;
    int axis_count;
    struct axis axes[MOST_AXES];
    /* Of the present row: assignments of options of the solver, and its name in the report. */
    char assignments[MOST_AXES][EVAL_NAME_SIZE + VALUE_SIZE + 2];
    char name[MOST_AXES * VALUE_SIZE];
};

/* ---- The lists ---- */

static int read_axis(struct sweep *sweep, const char *text)
{
    struct axis *axis = &sweep->axes[sweep->axis_count];
    size_t length = strcspn(text, "=");
    if (sweep->axis_count == MOST_AXES)
        return fail(EXIT_USAGE, "eval: --sweep has more than %d lists", MOST_AXES);
    if (length == 0 || length >= EVAL_NAME_SIZE || !text[length] || !text[length + 1])
        return fail(EXIT_USAGE, "eval: --sweep %s: expected a list such as steps=5,10", text);
    snprintf(axis->name, sizeof axis->name, "%.*s", (int)length, text);
    for (text += length + 1; *text; text += *text == ',') {
        length = strcspn(text, ",");
        if (axis->count == MOST_VALUES || length == 0 || length >= VALUE_SIZE)
            return fail(EXIT_USAGE, "eval: --sweep %s: expected up to %d words with commas between",
                        axis->name, MOST_VALUES);
        snprintf(axis->values[axis->count++], VALUE_SIZE, "%.*s", (int)length, text);
        text += length;
    }
    sweep->axis_count++;
    return EXIT_DONE;
}

static int read_axes(struct sweep *sweep)
{
    const struct texts *lists = &sweep->eval->settings->sweep;
    int64_t rows = 1;
    if (!eval_is_model(sweep->eval->arguments[0]))
        return fail(EXIT_USAGE, "eval: --sweep needs a model, and %s is none",
                    sweep->eval->arguments[0]);
    for (int i = 0; i < lists->count; i++) {
        int code = read_axis(sweep, lists->items[i]);
        if (code != EXIT_DONE) return code;
        rows *= sweep->axes[i].count;
        if (rows > MOST_ROWS)
            return fail(EXIT_USAGE, "eval: --sweep has more than %d combinations", MOST_ROWS);
    }
    return EXIT_DONE;
}

/* ---- Rows ---- */

static void choose(struct sweep *sweep, int number, const char *name, const char *value)
{
    struct inference_settings *choices = &sweep->eval->choices;
    size_t length = strlen(sweep->name);
    snprintf(sweep->name + length, sizeof sweep->name - length, "%s%s%s%s", number ? " " : "",
             strcmp(name, "solver") == 0 ? "" : name, strcmp(name, "solver") == 0 ? "" : "=",
             value);
    if (strcmp(name, "solver") == 0) {
        choices->solver = value;
    } else if (strcmp(name, "steps") == 0) {
        choices->steps = strtoll(value, NULL, 10);
    } else if (strcmp(name, "seed") == 0) {
        choices->seed = value;
    } else if (choices->options.count < LIST_LIMIT) {
        char *assignment = sweep->assignments[number];
        snprintf(assignment, sizeof sweep->assignments[number], "%s=%s", name, value);
        choices->options.items[choices->options.count++] = assignment;
    }
}

/* Sets the choices of row `number`. */
static void choose_all(struct sweep *sweep, const struct inference_settings *given, int64_t number)
{
    int64_t left = 1;
    sweep->eval->choices = *given;
    sweep->name[0] = 0;
    for (int i = 0; i < sweep->axis_count; i++) left *= sweep->axes[i].count;
    for (int i = 0; i < sweep->axis_count; i++) {
        left /= sweep->axes[i].count;
        choose(sweep, i, sweep->axes[i].name,
               sweep->axes[i].values[number / left % sweep->axes[i].count]);
    }
}

static struct json_object *find_row(struct json_object *rows, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i), *value = NULL;
        if (json_object_object_get_ex(row, "name", &value)
            && strcmp(json_object_get_string(value), name) == 0)
            return row;
    }
    struct json_object *row = json_object_new_object();
    json_object_object_add(row, "name", json_object_new_string(name));
    json_object_array_add(rows, row);
    return row;
}

static struct json_object *find_rows(struct eval *eval)
{
    struct json_object *rows = NULL;
    if (json_object_object_get_ex(eval->report, "rows", &rows)) return rows;
    rows = json_object_new_array();
    json_object_object_add(eval->report, "rows", rows);
    return rows;
}

/* Opens the model with the choices of each row, so that none is refused after others were measured.
 */
static int check_rows(struct sweep *sweep, const struct inference_settings *given, int64_t count)
{
    struct eval *eval = sweep->eval;
    const struct eval_reading reading = {.context = eval->context, .settings = &eval->choices};
    int code = EXIT_DONE;
    for (int64_t i = 0; i < count && code == EXIT_DONE; i++) {
        choose_all(sweep, given, i);
        code = eval_check_model(&reading, eval->arguments[0]);
        if (code != EXIT_DONE) fail(code, "eval: --sweep: \"%s\" cannot be sampled", sweep->name);
    }
    return code;
}

int eval_sweep(struct eval *eval)
{
    struct sweep *sweep = calloc(1, sizeof *sweep);
    const struct inference_settings given = eval->choices;
    int64_t count = 1;
    if (!sweep) return fail(EXIT_FAILED, "out of memory");
    sweep->eval = eval;
    int code = read_axes(sweep);
    for (int i = 0; i < sweep->axis_count; i++) count *= sweep->axes[i].count;
    if (code == EXIT_DONE) code = check_rows(sweep, &given, count);
    struct json_object *rows = code == EXIT_DONE ? find_rows(eval) : NULL;
    for (int64_t i = 0; i < count && code == EXIT_DONE; i++) {
        choose_all(sweep, &given, i);
        if (!eval->settings->inference.quiet)
            fprintf(stderr, "row %lld of %lld: %s\n", (long long)i + 1, (long long)count,
                    sweep->name);
        struct json_object *row = find_row(rows, sweep->name);
        json_object_object_add(row, "number", json_object_new_int64(i));
        code = eval_measure_row(eval, row);
        eval_set_release(eval->context, &eval->samples);
    }
    eval->choices = given;
    free(sweep);
    return code;
}

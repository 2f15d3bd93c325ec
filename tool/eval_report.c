/* SPDX-License-Identifier: Apache-2.0 */
/* The report of `sumi eval`: kept in a file, resumed from it, and printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eval.h"

enum { PATH_LIMIT = 4096 };

struct json_object *eval_member(struct json_object *object, const char *name)
{
    struct json_object *member = NULL;
    if (json_object_object_get_ex(object, name, &member)) return member;
    member = json_object_new_object();
    json_object_object_add(object, name, member);
    return member;
}

bool eval_number(struct json_object *row, const char *measure, const char *result, double *number)
{
    struct json_object *all = NULL, *one = NULL, *value = NULL;
    if (!json_object_object_get_ex(row, "measures", &all)
        || !json_object_object_get_ex(all, measure, &one))
        return false;
    if (result) json_object_object_get_ex(one, result, &value);
    json_object_object_foreach(one, name, first)
    {
        (void)name;
        if (!result && !value) value = first;
    }
    if (!json_object_is_type(value, json_type_double) && !json_object_is_type(value, json_type_int))
        return false;
    *number = json_object_get_double(value);
    return true;
}

/* ---- The file ---- */

static void add_texts(struct json_object *settings, const char *name, const struct texts *texts)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < texts->count; i++)
        json_object_array_add(list, json_object_new_string(texts->items[i]));
    json_object_object_add(settings, name, list);
}

static void add_text(struct json_object *settings, const char *name, const char *text)
{
    if (text) json_object_object_add(settings, name, json_object_new_string(text));
}

/* What the numbers depend on: an evaluation is resumed with the same only. Measures may be added.
 */
static struct json_object *describe_settings(const struct eval *eval)
{
    const struct eval_settings *settings = eval->settings;
    const struct inference_settings *inference = &settings->inference;
    struct json_object *all = json_object_new_object();
    add_text(all, "samples", eval->arguments[0]);
    add_text(all, "reference", eval->argument_count > 1 ? eval->arguments[1] : NULL);
    add_text(all, "features", settings->features);
    add_text(all, "solver", inference->solver);
    add_text(all, "seed", inference->seed);
    add_text(all, "rng", inference->rng);
    add_text(all, "size", inference->size);
    add_texts(all, "set", &inference->options);
    add_texts(all, "label", &inference->labels);
    json_object_object_add(all, "steps", json_object_new_int64(inference->steps));
    json_object_object_add(all, "items", json_object_new_int64(settings->items));
    json_object_object_add(all, "references", json_object_new_int64(settings->references));
    return all;
}

/* The name of the first setting that is not the same in both; NULL where all are. */
static const char *find_difference(struct json_object *ours, struct json_object *theirs)
{
    json_object_object_foreach(ours, name, value)
    {
        struct json_object *other = NULL;
        json_object_object_get_ex(theirs, name, &other);
        if (!json_object_equal(value, other)) return name;
    }
    json_object_object_foreach(theirs, key, unused)
    {
        (void)unused;
        if (!json_object_object_get_ex(ours, key, NULL)) return key;
    }
    return NULL;
}

static int read_report(struct eval *eval, struct json_object *settings)
{
    const char *path = eval->settings->results, *difference = NULL;
    struct json_object *kept = NULL;
    eval->report = json_object_from_file(path);
    if (!eval->report || !json_object_object_get_ex(eval->report, "settings", &kept))
        return fail(EXIT_FAILED, "eval: %s is not a report of `sumi eval --results`", path);
    difference = find_difference(settings, kept);
    if (!difference) return EXIT_DONE;
    return fail(EXIT_USAGE,
                "eval: %s was measured with another \"%s\"; resume with the same, or name another "
                "file",
                path, difference);
}

int eval_begin_report(struct eval *eval)
{
    const char *path = eval->settings->results;
    struct json_object *settings = describe_settings(eval);
    int code = EXIT_DONE;
    if (eval->settings->resume && access(path, F_OK) == 0) {
        code = read_report(eval, settings);
        json_object_put(settings);
        return code;
    }
    eval->report = json_object_new_object();
    json_object_object_add(eval->report, "settings", settings);
    return code;
}

int eval_keep_report(struct eval *eval)
{
    const char *path = eval->settings->results;
    char temporary[PATH_LIMIT];
    if (!path) return EXIT_DONE;
    int length = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (length >= (int)sizeof temporary
        || json_object_to_file_ext(temporary, eval->report, JSON_C_TO_STRING_PRETTY) != 0
        || rename(temporary, path) != 0)
        return fail(EXIT_FAILED, "eval: %s could not be written", path);
    return EXIT_DONE;
}

/* ---- A table ---- */

static const char *text_of(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : "";
}

static int64_t count_of(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, name, &value) ? json_object_get_int64(value) : 0;
}

/* "1000 of 28x28x1" from the shape of a set; "" where it is only statistics. */
static void describe_shape(struct json_object *set, char *text, size_t size)
{
    struct json_object *list = NULL;
    int64_t shape[SUMI_MAX_RANK];
    char item[96];
    text[0] = 0;
    if (!json_object_object_get_ex(set, "shape", &list)) return;
    int rank = (int)json_object_array_length(list);
    if (rank < 2 || rank > SUMI_MAX_RANK) return;
    for (int i = 0; i < rank; i++)
        shape[i] = json_object_get_int64(json_object_array_get_idx(list, (size_t)i));
    format_shape(rank - 1, shape + 1, item, sizeof item);
    snprintf(text, size, "%lld of %s", (long long)shape[0], item);
}

static void print_set(struct json_object *row, const char *name)
{
    struct json_object *set = NULL, *seconds = NULL;
    char text[128];
    if (!json_object_object_get_ex(row, name, &set)) return;
    describe_shape(set, text, sizeof text);
    if (!text[0] && !count_of(set, "features")) return;
    if (!text[0])
        snprintf(text, sizeof text, "mean and covariance of %lld features",
                 (long long)count_of(set, "features"));
    printf("%-10s %s, %s", name, text, text_of(set, "file"));
    if (json_object_object_get_ex(set, "seconds", &seconds))
        printf(": %lld evaluations a sample, %.1f s", (long long)count_of(set, "evaluations"),
               json_object_get_double(seconds));
    printf("\n");
}

static bool is_list(struct json_object *value)
{
    return json_object_is_type(value, json_type_array);
}

/* A line for each number; lists are in the JSON and in the figure. */
static void print_measures(struct json_object *row)
{
    json_object_object_foreach(eval_member(row, "measures"), measure, results)
    {
        json_object_object_foreach(results, name, value)
        {
            if (!is_list(value))
                printf("%-20s %-22s %.6g\n", measure, name, json_object_get_double(value));
        }
    }
}

/* ---- The table of a sweep ---- */

/* The columns of a measure: of prdc its four numbers, of others the first. */
static void print_cells(const struct eval *eval, struct json_object *row)
{
    static const char *const PRDC[] = {"precision", "recall", "density", "coverage", NULL};
    static const char *const FIRST[] = {NULL, NULL};
    for (int i = 0; i < eval->count; i++) {
        bool four = strcmp(eval->names[i], "prdc") == 0;
        const char *const *names = four ? PRDC : FIRST;
        for (int k = 0; k < (four ? 4 : 1); k++) {
            double number = 0;
            if (!row) printf(" %12.20s", four ? names[k] : eval->names[i]);
            else if (eval_number(row, eval->names[i], names[k], &number)) printf(" %12.5g", number);
            else printf(" %12s", "-");
        }
    }
    printf("\n");
}

static void print_sweep(const struct eval *eval, struct json_object *rows)
{
    size_t count = json_object_array_length(rows);
    int width = 12;
    for (size_t i = 0; i < count; i++) {
        int length = (int)strlen(text_of(json_object_array_get_idx(rows, i), "name"));
        if (length > width) width = length;
    }
    printf("%-*s %11s %8s", width, "samples by", "evaluations", "seconds");
    print_cells(eval, NULL);
    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i), *set = NULL, *value = NULL;
        double seconds = 0;
        if (!json_object_object_get_ex(row, "samples", &set)) continue;
        if (json_object_object_get_ex(set, "seconds", &value))
            seconds = json_object_get_double(value);
        printf("%-*s %11lld %8.1f", width, text_of(row, "name"),
               (long long)count_of(set, "evaluations"), seconds);
        print_cells(eval, row);
    }
}

int eval_print_report(struct eval *eval)
{
    const struct eval_settings *settings = eval->settings;
    struct json_object *rows = NULL;
    if (settings->inference.json) {
        struct json_object *report = eval->report;
        eval->report = NULL;
        return print_json(report);
    }
    print_set(eval->report, "samples");
    print_set(eval->report, "reference");
    if (json_object_object_get_ex(eval->report, "rows", &rows)) print_sweep(eval, rows);
    else print_measures(eval->report);
    if (settings->statistics)
        printf("%s: mean and covariance of the samples\n", settings->statistics);
    if (settings->results) printf("%s: the report\n", settings->results);
    if (eval->drawn) printf("%s: the figure\n", settings->output);
    return EXIT_DONE;
}

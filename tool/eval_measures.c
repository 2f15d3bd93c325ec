/* SPDX-License-Identifier: Apache-2.0 */
/* The measures of `sumi eval`: opening them, and running them on items or on features. */
#include <stdio.h>
#include <string.h>

#include "eval.h"
#include "interrupt.h"

/* ---- Opening ---- */

static bool find_info(const char *name, sumi_measure_info *info)
{
    *info = (sumi_measure_info){.size = sizeof *info};
    for (int i = 0; sumi_measure_describe(i, info); i++)
        if (strcmp(info->name, name) == 0) return true;
    return false;
}

static bool is_frechet(const struct eval *eval, int number)
{
    return strcmp(eval->names[number], "frechet") == 0;
}

/* The measures where --metrics names none; statistics alone have one. */
static const char *usual_measures(const struct eval *eval, bool statistics)
{
    if (eval->settings->statistics && eval->argument_count < 2) return "";
    return statistics ? "frechet" : "frechet,kid,prdc,sliced-wasserstein";
}

/* Opens the next measure, of which a set that is only statistics may have none. */
static int open_measure(struct eval *eval, const char *name, size_t length, bool statistics)
{
    int number = eval->count;
    if (number == MOST_MEASURES)
        return fail(EXIT_USAGE, "eval: --metrics has more than %d measures", MOST_MEASURES);
    snprintf(eval->names[number], EVAL_NAME_SIZE, "%.*s", (int)length, name);
    sumi_status status =
        sumi_measure_create(eval->context, eval->names[number], &eval->measures[number]);
    if (status != SUMI_OK) return fail_argument(eval->context, status);
    eval->count++;
    if (!statistics || is_frechet(eval, number)) return EXIT_DONE;
    return fail(EXIT_USAGE, "eval: an .npz file has no items for %s, only for frechet",
                eval->names[number]);
}

/* "kid.degree=2" */
static int set_measure(struct eval *eval, const char *assignment)
{
    size_t dot = strcspn(assignment, "."), equals = strcspn(assignment, "=");
    char option[EVAL_NAME_SIZE];
    snprintf(option, sizeof option, "%.*s", (int)(equals - dot - 1), assignment + dot + 1);
    for (int i = 0; i < eval->count; i++) {
        if (strlen(eval->names[i]) != dot || strncmp(eval->names[i], assignment, dot) != 0)
            continue;
        sumi_status status = sumi_measure_set(eval->measures[i], option, assignment + equals + 1);
        return status == SUMI_OK ? EXIT_DONE : fail_argument(eval->context, status);
    }
    return fail(EXIT_USAGE, "eval: --set %s: %.*s is not among --metrics", assignment, (int)dot,
                assignment);
}

/* Logits of classes are computed by a network; without one, the items themselves are logits. */
static int check_logits(struct eval *eval)
{
    sumi_features_info about = {.size = sizeof about};
    sumi_measure_info info;
    if (!eval->features || !sumi_features_describe(eval->features, &about) || about.classes)
        return EXIT_DONE;
    for (int i = 0; i < eval->count; i++) {
        if (!find_info(eval->names[i], &info) || !info.logits) continue;
        return fail(EXIT_USAGE,
                    "eval: %s needs logits of classes, and the network of --features "
                    "has none",
                    eval->names[i]);
    }
    return EXIT_DONE;
}

int eval_open_measures(struct eval *eval, bool statistics)
{
    const char *text = eval->settings->metrics;
    int code = EXIT_DONE;
    if (!text) text = usual_measures(eval, statistics);
    while (*text && code == EXIT_DONE) {
        size_t length = strcspn(text, ",");
        code = open_measure(eval, text, length, statistics);
        text += length + (text[length] == ',');
    }
    for (int i = 0; i < eval->of_measures.count && code == EXIT_DONE; i++)
        code = set_measure(eval, eval->of_measures.items[i]);
    if (code == EXIT_DONE) code = check_logits(eval);
    if (code != EXIT_DONE || eval->count || eval->settings->statistics) return code;
    return fail(EXIT_USAGE, "eval: --metrics names no measure");
}

bool eval_needs_reference(const struct eval *eval)
{
    for (int i = 0; i < eval->count; i++) {
        sumi_measure_info info;
        if (find_info(eval->names[i], &info) && info.sets == 2) return true;
    }
    return false;
}

/* ---- Sets ---- */

static bool show(void *user, const sumi_progress *progress)
{
    struct eval *eval = user;
    if (!eval->settings->inference.quiet) progress_show(&eval->line, progress);
    return !interrupt_came();
}

/* Features or logits of a set, computed once; items where there is no network. */
static sumi_status find_rows(struct eval *eval, struct eval_set *set, const sumi_measure_info *info,
                             const sumi_array **rows)
{
    bool logits = info->logits;
    *rows = &set->items;
    if (!eval->features || !(info->features || logits)) return SUMI_OK;
    sumi_array *kept = logits ? &set->logits : &set->features;
    *rows = kept;
    if (kept->rank) return SUMI_OK;
    sumi_status status =
        sumi_features_set(eval->features, "output", logits ? "logits" : "features");
    if (status != SUMI_OK) return status;
    return sumi_features_measure(eval->features, &set->items, show, eval, kept);
}

/* The mean and covariance of a set: from its file if it is one, from the features that are there,
   or from the cache. */
static sumi_status find_statistics(struct eval *eval, struct eval_set *set, bool cache)
{
    static const sumi_measure_info frechet = {.features = true};
    const sumi_array *rows = &set->items;
    if (set->statistics) return SUMI_OK;
    if (eval->features && cache && !set->features.rank) {
        sumi_status status = sumi_features_set(eval->features, "output", "features");
        if (status != SUMI_OK) return status;
        return sumi_statistics_of_features(eval->features, &set->items, true, show, eval,
                                           &set->statistics);
    }
    sumi_status status = find_rows(eval, set, &frechet, &rows);
    if (status != SUMI_OK) return status;
    return sumi_statistics_measure(eval->context, rows, cache && !eval->features, show, eval,
                                   &set->statistics);
}

static int read_reference(struct eval *eval)
{
    struct eval_reading reading = {.context = eval->context,
                                   .settings = &eval->choices,
                                   .sets = &eval->of_recipe,
                                   .count = eval->settings->references};
    if (eval->reference_read || !eval_needs_reference(eval)) return EXIT_DONE;
    eval->reference_read = true;
    if (eval->argument_count > 1) return eval_read(&reading, eval->arguments[1], &eval->reference);
    if (!eval_is_model(eval->arguments[0])) {
        return fail(EXIT_USAGE,
                    "eval: %s is not a model with a recipe; name the reference as the second set",
                    eval->arguments[0]);
    }
    eval->reference.name = "the training data";
    return eval_read_training(&reading, eval->arguments[0], &eval->reference);
}

static int read_samples(struct eval *eval)
{
    const sumi_array *items = &eval->reference.items;
    struct eval_reading reading = {.context = eval->context,
                                   .settings = &eval->choices,
                                   .sets = &eval->of_recipe,
                                   .count = eval->settings->items,
                                   .like = items->rank && !eval->features ? items : NULL};
    return eval_read(&reading, eval->arguments[0], &eval->samples);
}

/* ---- Measuring ---- */

static sumi_status run_frechet(struct eval *eval)
{
    sumi_status status = find_statistics(eval, &eval->samples, false);
    if (status == SUMI_OK) status = find_statistics(eval, &eval->reference, eval->settings->cache);
    if (status != SUMI_OK) return status;
    return sumi_statistics_distance(eval->samples.statistics, eval->reference.statistics,
                                    &eval->frechet[0], &eval->frechet[1]);
}

static sumi_status run_measure(struct eval *eval, int number)
{
    const sumi_array *samples = NULL, *reference = NULL;
    sumi_measure_info info;
    if (is_frechet(eval, number)) return run_frechet(eval);
    find_info(eval->names[number], &info);
    sumi_status status = find_rows(eval, &eval->samples, &info, &samples);
    if (status == SUMI_OK && info.sets == 2)
        status = find_rows(eval, &eval->reference, &info, &reference);
    if (status != SUMI_OK) return status;
    return sumi_measure_run(eval->measures[number], samples, reference, show, eval);
}

static sumi_status keep_statistics(struct eval *eval)
{
    if (!eval->settings->statistics) return SUMI_OK;
    sumi_status status = find_statistics(eval, &eval->samples, false);
    if (status != SUMI_OK) return status;
    return sumi_statistics_write(eval->samples.statistics, eval->settings->statistics);
}

/* ---- Results ---- */

static struct json_object *numbers_as_json(const sumi_measured *measured)
{
    if (measured->count == 1) return json_number(measured->values[0]);
    struct json_object *list = json_object_new_array();
    for (int64_t i = 0; i < measured->count; i++)
        json_object_array_add(list, json_number(measured->values[i]));
    return list;
}

static void add_results(struct eval *eval, int number, struct json_object *row)
{
    static const char *const NAMES[] = {"distance", "mean_term"};
    struct json_object *all = json_object_new_object();
    sumi_measured measured = {.size = sizeof measured};
    for (int i = 0; is_frechet(eval, number) && i < 2; i++)
        json_object_object_add(all, NAMES[i], json_number(eval->frechet[i]));
    for (int i = 0; sumi_measure_get(eval->measures[number], i, &measured); i++)
        json_object_object_add(all, measured.name, numbers_as_json(&measured));
    json_object_object_add(eval_member(row, "measures"), eval->names[number], all);
}

static struct json_object *set_as_json(const struct eval_set *set)
{
    struct json_object *about = json_file(set->name, &set->items);
    if (!set->items.rank)
        json_object_object_add(about, "features",
                               json_object_new_int64(sumi_statistics_features(set->statistics)));
    if (!set->evaluations) return about;
    json_object_object_add(about, "evaluations", json_object_new_int64(set->evaluations));
    json_object_object_add(about, "seconds", json_number(set->seconds));
    return about;
}

static bool is_measured(const struct eval *eval, struct json_object *row, int number)
{
    return json_object_object_get_ex(eval_member(row, "measures"), eval->names[number], NULL);
}

static bool is_complete(const struct eval *eval, struct json_object *row)
{
    for (int i = 0; i < eval->count; i++)
        if (!is_measured(eval, row, i)) return false;
    return !eval->settings->statistics && (!eval->settings->output || eval->settings->sweep.count);
}

static int read_sets(struct eval *eval, struct json_object *row)
{
    int code = read_reference(eval);
    if (code == EXIT_DONE) code = read_samples(eval);
    if (code != EXIT_DONE) return code;
    json_object_object_add(row, "samples", set_as_json(&eval->samples));
    if (eval->reference.name)
        json_object_object_add(eval->report, "reference", set_as_json(&eval->reference));
    return EXIT_DONE;
}

int eval_measure_row(struct eval *eval, struct json_object *row)
{
    if (is_complete(eval, row)) return EXIT_DONE;
    int code = read_sets(eval, row);
    if (code != EXIT_DONE) return code;
    progress_open(&eval->line, stderr, NULL);
    sumi_status status = keep_statistics(eval);
    for (int i = 0; i < eval->count && status == SUMI_OK && code == EXIT_DONE; i++) {
        if (is_measured(eval, row, i)) continue;
        status = run_measure(eval, i);
        if (status != SUMI_OK) break;
        add_results(eval, i, row);
        code = eval_keep_report(eval);
    }
    if (!eval->settings->inference.quiet) progress_close(&eval->line);
    return status == SUMI_OK ? code : fail_argument(eval->context, status);
}

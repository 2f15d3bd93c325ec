/* SPDX-License-Identifier: Apache-2.0 */
/* sumi eval: measures how near samples are to a reference set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval_sets.h"
#include "interrupt.h"
#include "print.h"
#include "progress.h"

enum { MOST_MEASURES = 32, NAME_SIZE = 64, DRAWN_ROWS = 8 };

struct settings {
    struct inference_settings inference;
    const char *metrics, *output, *statistics;
    int64_t items, references;
    bool list, cache;
};

/* The state of one call. */
struct work {
    sumi_context *context;
    const struct settings *settings;
    struct inference_settings choices; /* the settings; of --set only those of the solver */
    struct texts of_measures, of_recipe;
    struct eval_set samples, reference;
    sumi_measure *measures[MOST_MEASURES];
    char names[MOST_MEASURES][NAME_SIZE];
    int count, done;
    double frechet[2]; /* distance and mean term, which come from statistics */
    progress_line line;
};

/* ---- The measures ---- */

static bool find_info(const char *name, sumi_measure_info *info)
{
    *info = (sumi_measure_info){.size = sizeof *info};
    for (int i = 0; sumi_measure_describe(i, info); i++)
        if (strcmp(info->name, name) == 0) return true;
    return false;
}

static bool is_frechet(const struct work *work, int number)
{
    return strcmp(work->names[number], "frechet") == 0;
}

/* Result `number` of a measure. */
static bool find_result(const struct work *work, int measure, int number, sumi_measured *result)
{
    static const char *const NAMES[] = {"distance", "mean_term"};
    if (!is_frechet(work, measure))
        return sumi_measure_get(work->measures[measure], number, result);
    if (number > 1) return false;
    *result = (sumi_measured){sizeof *result, NAMES[number], 1, &work->frechet[number]};
    return true;
}

/* The measures where --metrics names none; statistics alone have one. */
static const char *usual_measures(const struct work *work, bool statistics, int sets)
{
    if (work->settings->statistics && sets < 2) return "";
    if (statistics) return "frechet";
    return "frechet,kid,prdc,sliced-wasserstein";
}

/* Opens the next measure, of which a set that is only statistics may have none. */
static int open_measure(struct work *work, const char *name, size_t length, bool statistics)
{
    int number = work->count;
    if (number == MOST_MEASURES)
        return fail(EXIT_USAGE, "eval: --metrics has more than %d measures", MOST_MEASURES);
    snprintf(work->names[number], NAME_SIZE, "%.*s", (int)length, name);
    sumi_status status =
        sumi_measure_create(work->context, work->names[number], &work->measures[number]);
    if (status != SUMI_OK) return fail_argument(work->context, status);
    work->count++;
    if (!statistics || is_frechet(work, number)) return EXIT_DONE;
    return fail(EXIT_USAGE, "eval: an .npz file has no items for %s, only for frechet",
                work->names[number]);
}

/* The measures of --metrics, or the usual ones. */
static int open_measures(struct work *work, bool statistics, int sets)
{
    const char *text =
        work->settings->metrics ? work->settings->metrics : usual_measures(work, statistics, sets);
    int code = EXIT_DONE;
    while (*text && code == EXIT_DONE) {
        size_t length = strcspn(text, ",");
        code = open_measure(work, text, length, statistics);
        text += length + (text[length] == ',');
    }
    if (code != EXIT_DONE || work->count || work->settings->statistics) return code;
    return fail(EXIT_USAGE, "eval: --metrics names no measure");
}

/* "kid.degree=2" */
static int set_measure(struct work *work, const char *assignment)
{
    size_t dot = strcspn(assignment, "."), equals = strcspn(assignment, "=");
    char option[NAME_SIZE];
    snprintf(option, sizeof option, "%.*s", (int)(equals - dot - 1), assignment + dot + 1);
    for (int i = 0; i < work->count; i++) {
        if (strlen(work->names[i]) != dot || strncmp(work->names[i], assignment, dot) != 0)
            continue;
        sumi_status status = sumi_measure_set(work->measures[i], option, assignment + equals + 1);
        return status == SUMI_OK ? EXIT_DONE : fail_argument(work->context, status);
    }
    return fail(EXIT_USAGE, "eval: --set %s: %.*s is not among --metrics", assignment, (int)dot,
                assignment);
}

/* Values of --set: "measure.option", "section.key" of a recipe, or an option of the solver. */
static void divide_sets(struct work *work)
{
    const struct texts *all = &work->settings->inference.options;
    work->choices = work->settings->inference;
    work->choices.options.count = 0;
    for (int i = 0; i < all->count; i++) {
        const char *text = all->items[i];
        char name[NAME_SIZE];
        sumi_measure_info info;
        size_t length = strcspn(text, ".=");
        snprintf(name, sizeof name, "%.*s", (int)length, text);
        struct texts *texts = text[length] != '.'      ? &work->choices.options
                              : find_info(name, &info) ? &work->of_measures
                                                       : &work->of_recipe;
        texts->items[texts->count++] = text;
    }
}

static bool needs_reference(const struct work *work)
{
    for (int i = 0; i < work->count; i++) {
        sumi_measure_info info;
        if (find_info(work->names[i], &info) && info.sets == 2) return true;
    }
    return false;
}

/* Checks everything before the first step. */
static int prepare(struct work *work, int count, const char *const *arguments)
{
    const char *output = work->settings->output, *kept = work->settings->statistics;
    bool statistics =
        has_ending(arguments[0], ".npz") || (count > 1 && has_ending(arguments[1], ".npz"));
    divide_sets(work);
    int code = open_measures(work, statistics, count);
    for (int i = 0; i < work->of_measures.count && code == EXIT_DONE; i++)
        code = set_measure(work, work->of_measures.items[i]);
    if (code == EXIT_DONE && output && !has_ending(output, ".png"))
        code = fail(EXIT_USAGE, "eval: %s should end in .png", output);
    if (code == EXIT_DONE && output) code = check_output(output);
    if (code == EXIT_DONE && kept && !has_ending(kept, ".npz"))
        code = fail(EXIT_USAGE, "eval: %s should end in .npz", kept);
    if (code == EXIT_DONE && kept) code = check_output(kept);
    if (code == EXIT_DONE) code = computing_apply(work->context, &work->choices.computing);
    return code;
}

/* ---- The sets ---- */

static int read_sets(struct work *work, int count, const char *const *arguments)
{
    struct eval_reading first = {work->context, &work->choices, &work->of_recipe,
                                 work->settings->items, NULL};
    struct eval_reading second = first;
    second.count = work->settings->references;
    bool model = eval_is_model(arguments[0]), second_needed = needs_reference(work);
    if (second_needed && count < 2 && !model)
        return fail(EXIT_USAGE,
                    "eval: %s is not a model with a recipe; name the reference as the "
                    "second set",
                    arguments[0]);
    int code = EXIT_DONE;
    if (second_needed && count > 1) {
        code = eval_read(&second, arguments[1], &work->reference);
        first.like = &work->reference.items;
    } else if (second_needed) {
        work->reference.name = "the training data";
        code = eval_read_training(&second, arguments[0], &work->reference);
    }
    return code == EXIT_DONE ? eval_read(&first, arguments[0], &work->samples) : code;
}

/* ---- Measuring ---- */

static bool show(void *user, const sumi_progress *progress)
{
    struct work *work = user;
    if (!work->settings->inference.quiet) progress_show(&work->line, progress);
    return !interrupt_came();
}

/* The mean and covariance of a set, from its file if it is one. */
static sumi_status find_statistics(struct work *work, struct eval_set *set, bool cache)
{
    if (set->statistics) return SUMI_OK;
    return sumi_statistics_measure(work->context, &set->items, cache, show, work, &set->statistics);
}

static sumi_status run_frechet(struct work *work)
{
    sumi_status status = find_statistics(work, &work->samples, false);
    if (status == SUMI_OK) status = find_statistics(work, &work->reference, work->settings->cache);
    if (status != SUMI_OK) return status;
    return sumi_statistics_distance(work->samples.statistics, work->reference.statistics,
                                    &work->frechet[0], &work->frechet[1]);
}

static sumi_status run_measure(struct work *work, int number)
{
    sumi_measure_info info;
    bool alone = find_info(work->names[number], &info) && info.sets == 1;
    if (is_frechet(work, number)) return run_frechet(work);
    return sumi_measure_run(work->measures[number], &work->samples.items,
                            alone ? NULL : &work->reference.items, show, work);
}

static sumi_status keep_statistics(struct work *work)
{
    if (!work->settings->statistics) return SUMI_OK;
    sumi_status status = find_statistics(work, &work->samples, false);
    if (status != SUMI_OK) return status;
    return sumi_statistics_write(work->samples.statistics, work->settings->statistics);
}

static sumi_status run_measures(struct work *work)
{
    progress_open(&work->line, stderr, NULL);
    sumi_status status = keep_statistics(work);
    while (work->done < work->count && status == SUMI_OK) {
        status = run_measure(work, work->done);
        work->done += status == SUMI_OK;
    }
    if (!work->settings->inference.quiet) progress_close(&work->line);
    return status;
}

/* ---- Reporting ---- */

static struct json_object *measured_as_json(const struct work *work, int measure)
{
    struct json_object *all = json_object_new_object();
    sumi_measured measured = {.size = sizeof measured};
    for (int i = 0; find_result(work, measure, i, &measured); i++) {
        struct json_object *value;
        if (measured.count == 1) {
            value = json_number(measured.values[0]);
        } else {
            value = json_object_new_array();
            for (int64_t j = 0; j < measured.count; j++)
                json_object_array_add(value, json_number(measured.values[j]));
        }
        json_object_object_add(all, measured.name, value);
    }
    return all;
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

static int report_json(const struct work *work)
{
    struct json_object *answer = json_object_new_object(), *all = json_object_new_object();
    json_object_object_add(answer, "samples", set_as_json(&work->samples));
    if (work->reference.name)
        json_object_object_add(answer, "reference", set_as_json(&work->reference));
    for (int i = 0; i < work->done; i++)
        json_object_object_add(all, work->names[i], measured_as_json(work, i));
    json_object_object_add(answer, "measures", all);
    return print_json(answer);
}

static void print_set(const char *what, const struct eval_set *set)
{
    char shape[96];
    if (!set->items.rank && set->statistics)
        printf("%-10s mean and covariance of %lld features, %s\n", what,
               (long long)sumi_statistics_features(set->statistics), set->name);
    if (!set->items.rank) return;
    format_shape(set->items.rank - 1, set->items.shape + 1, shape, sizeof shape);
    printf("%-10s %lld of %s, %s", what, (long long)set->items.shape[0], shape, set->name);
    if (set->evaluations)
        printf(": %lld evaluations a sample, %.1f s", (long long)set->evaluations, set->seconds);
    printf("\n");
}

/* A line for each number; lists are in the JSON and in the figure. */
static int report_table(const struct work *work)
{
    print_set("samples", &work->samples);
    print_set("reference", &work->reference);
    for (int i = 0; i < work->done; i++) {
        sumi_measured measured = {.size = sizeof measured};
        for (int j = 0; find_result(work, i, j, &measured); j++) {
            if (measured.count == 1)
                printf("%-20s %-22s %.6g\n", work->names[i], measured.name, measured.values[0]);
        }
    }
    if (work->settings->statistics)
        printf("%s: mean and covariance of the samples\n", work->settings->statistics);
    if (work->settings->output) printf("%s: the figure\n", work->settings->output);
    return EXIT_DONE;
}

/* ---- The figure ---- */

static bool find_list(const sumi_measure *measure, const char *name, sumi_measured *list)
{
    *list = (sumi_measured){.size = sizeof *list};
    for (int i = 0; sumi_measure_get(measure, i, list); i++)
        if (strcmp(list->name, name) == 0) return true;
    return false;
}

/* Samples beside their nearest reference items. */
static sumi_status draw_neighbours(const struct work *work, const sumi_measured *neighbours)
{
    static const char *const TITLES[] = {"sample", "nearest"};
    const sumi_array *samples = &work->samples.items;
    int64_t shape[SUMI_MAX_RANK] = {DRAWN_ROWS, 2}, size = sumi_array_count(samples);
    sumi_array cells = {0};
    size /= samples->shape[0];
    if (samples->shape[0] < DRAWN_ROWS) shape[0] = samples->shape[0];
    memcpy(shape + 2, samples->shape + 1, (size_t)(samples->rank - 1) * sizeof *shape);
    sumi_status status = sumi_array_create(work->context, samples->rank + 1, shape, &cells);
    if (status != SUMI_OK) return status;
    for (int64_t i = 0; i < shape[0]; i++) {
        const float *nearest = work->reference.items.data + (int64_t)neighbours->values[i] * size;
        memcpy(cells.data + 2 * i * size, samples->data + i * size, (size_t)size * sizeof(float));
        memcpy(cells.data + (2 * i + 1) * size, nearest, (size_t)size * sizeof(float));
    }
    status = sumi_draw_table(work->context, &cells, TITLES, NULL, work->settings->output);
    sumi_array_release(work->context, &cells);
    return status;
}

/* The curves of the first measure that has them, samples and reference. */
static sumi_status draw_curves(const struct work *work, bool *drawn)
{
    static const char *const CURVES[][4] = {
        {"waves", "power", "reference_power", "wave number"},
        {"frequencies", "density", "reference_density", "frequency"},
        {"middles", "density", "reference_density", "number"},
    };
    for (int i = 0; i < work->done; i++) {
        for (size_t c = 0; c < sizeof CURVES / sizeof *CURVES; c++) {
            sumi_measured x, ours, theirs;
            if (!find_list(work->measures[i], CURVES[c][0], &x)
                || !find_list(work->measures[i], CURVES[c][1], &ours)
                || !find_list(work->measures[i], CURVES[c][2], &theirs))
                continue;
            const sumi_line lines[] = {
                {sizeof *lines, "samples", x.count, x.values, ours.values},
                {sizeof *lines, "reference", x.count, x.values, theirs.values}};
            *drawn = true;
            return sumi_draw_lines(work->context, lines, 2, work->names[i], CURVES[c][3],
                                   CURVES[c][1], work->settings->output);
        }
    }
    return SUMI_OK;
}

static int draw(const struct work *work)
{
    sumi_status status = SUMI_OK;
    bool drawn = false;
    for (int i = 0; i < work->done && !drawn; i++) {
        sumi_measured neighbours;
        drawn = work->samples.items.rank <= 4
                && find_list(work->measures[i], "neighbours", &neighbours);
        if (drawn) status = draw_neighbours(work, &neighbours);
    }
    if (!drawn) status = draw_curves(work, &drawn);
    if (status != SUMI_OK) return fail_context(work->context);
    if (drawn) return EXIT_DONE;
    return fail(EXIT_USAGE, "eval: none of the measures has a figure; --output is for nearest, "
                            "power-spectrum, spectrum and pdf");
}

static int print_list(void)
{
    sumi_measure_info info = {.size = sizeof info};
    for (int i = 0; sumi_measure_describe(i, &info); i++) print_entry(info.name, 20, info.meaning);
    return EXIT_DONE;
}

/* ---- The command ---- */

static int measure(struct work *work, int count, const char *const *arguments)
{
    int code = prepare(work, count, arguments);
    if (code == EXIT_DONE) interrupt_catch();
    if (code == EXIT_DONE) code = read_sets(work, count, arguments);
    if (code != EXIT_DONE) return code;
    sumi_status status = run_measures(work);
    int failed = status == SUMI_OK ? EXIT_DONE : fail_argument(work->context, status);
    if (failed == EXIT_DONE && work->settings->output) failed = draw(work);
    if (work->done == 0 && failed != EXIT_DONE) return failed;
    code = work->settings->inference.json ? report_json(work) : report_table(work);
    return failed == EXIT_DONE ? code : failed;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    struct work work = {.context = context, .settings = user};
    if (work.settings->list) return print_list();
    if (count < 1) return fail(EXIT_USAGE, "eval needs SAMPLES; see `sumi eval --help`");
    int code = measure(&work, count, arguments);
    for (int i = 0; i < work.count; i++) sumi_measure_free(work.measures[i]);
    sumi_statistics_free(work.samples.statistics);
    sumi_statistics_free(work.reference.statistics);
    sumi_array_release(context, &work.samples.items);
    sumi_array_release(context, &work.reference.items);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, metrics, 0, "NAME,NAME",
               A_TEXT("metrics", "the measures, of `sumi eval --list`; default:\n"
                                 "frechet,kid,prdc,sliced-wasserstein")),
    OPTION_ROW(struct settings, list, 0, NULL, A_FLAG("list", "list the measures")),
    OPTION_ROW(struct settings, items, 'n', "N",
               A_COUNT("items", "number of samples to draw from a model (default: 1000), or the\n"
                                "first items of another set (default: at most 10000)")),
    OPTION_ROW(struct settings, references, 0, "N",
               A_COUNT("references", "the first items of the reference; default: at most 10000")),
    OPTION_ROW(struct settings, output, 'o', "FILE.png",
               A_TEXT("output", "a figure: of nearest, samples beside their neighbours; else of\n"
                                "power-spectrum, spectrum or pdf, the curves of both sets")),
    OPTION_ROW(struct settings, statistics, 0, "FILE.npz",
               A_TEXT("statistics", "write the mean and the covariance of SAMPLES, as pytorch-fid\n"
                                    "and torch-fidelity read them")),
    OPTION_ROW(struct settings, cache, 0, NULL,
               A_FLAG("cache", "keep those of the reference in the cache folder, by a checksum of\n"
                               "its items, and read them from there the next time")),
    INFERENCE_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command eval_command = {
    .name = "eval",
    .summary = "measure how near samples are to a reference set",
    .usage = "SAMPLES [REFERENCE] [--metrics NAME,NAME] [-n N] [-o FILE.png] [--json] ...",
    .details =
        "Measures samples against a reference. Each set is a model's folder, of which samples are\n"
        "drawn, a folder of pictures, an .npy or .csv file of items, or a recipe, whose data set\n"
        "is meant; for frechet also an .npz file with a mean \"mu\" and a covariance \"sigma\".\n"
        "Without REFERENCE it is the data that the model was trained on. --set also\n"
        "sets options of measures (kid.subset=500) and values of the recipe (data.split=test).\n"
        "Numbers of items are compared as they are: these are not distances of Inception's\n"
        "features.\n\n"
        "examples:\n"
        "  sumi eval runs/digits --metrics frechet,prdc -n 2000 --json\n"
        "  sumi eval generated/ real/ --metrics kid,nearest --set kid.subset=200 -o nearest.png\n"
        "  sumi eval restored.npy original.npy --metrics psnr,ssim",
    .options = OPTIONS,
    .arguments = "SAMPLES and REFERENCE",
    .least = 0,
    .most = 2,
    .settings_size = sizeof(struct settings),
    .run = run,
};

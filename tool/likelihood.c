/* SPDX-License-Identifier: Apache-2.0 */
/* sumi likelihood: measures the likelihood of data under a model, as the variational bound, term by
   term, or as the exact density along the probability flow. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "held_out.h"
#include "inference.h"
#include "interrupt.h"
#include "labels.h"
#include "print.h"
#include "progress.h"
#include "size.h"

struct settings {
    struct inference_settings inference;
    const char *data, *output, *map, *decoder, *method, *tolerance, *probe;
    int64_t items, draws, steps, probes, trajectories, times;
    bool exact, all, ways;
};

enum { ITEMS_USUAL = 100, DRAWS_USUAL = 20, MAP_SIDE = 96 };

/* The state of one call. */
struct work {
    sumi_context *context;
    const struct settings *settings;
    struct inference inference;
    struct inference_settings choices; /* the settings; of --set only those of the solver */
    struct numbers classes;            /* of --label */
    struct texts sets;                 /* those of the recipe: "section.key=value" */
    sumi_data *data;
    sumi_likelihood *likelihood;
    int64_t numbers;     /* of an item */
    bool points, levels; /* levels: pictures, whose numbers are bytes */
    progress_line line;
};

/* ---- Preparing ---- */

/* Opens the recipe of the model, or another one: with the test part of a data set that has one, and
   with other items of a generator than in training. */
static int open_recipe(struct work *work)
{
    const struct settings *settings = work->settings;
    sumi_status status = SUMI_OK;
    if (settings->data) {
        sumi_recipe_free(work->inference.recipe);
        work->inference.recipe = NULL;
        status = sumi_recipe_open(work->context, settings->data, &work->inference.recipe);
        if (status != SUMI_OK) return fail_recipe(work->context, status);
    } else if (!work->inference.recipe) {
        return fail(EXIT_USAGE, "likelihood: %s has no recipe.ini; name the data with --data",
                    work->inference.folder);
    } else {
        status = held_out_seed(work->inference.recipe);
    }
    if (status == SUMI_OK) status = held_out_split(work->inference.recipe);
    for (int i = 0; i < work->sets.count && status == SUMI_OK; i++)
        status = sumi_recipe_set(work->inference.recipe, work->sets.items[i]);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(work->context, status);
}

static sumi_status set_whole(struct work *work, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return value ? sumi_likelihood_set(work->likelihood, name, text) : SUMI_OK;
}

static sumi_status set_text(struct work *work, const char *name, const char *value)
{
    return value ? sumi_likelihood_set(work->likelihood, name, value) : SUMI_OK;
}

static int set_likelihood(struct work *work)
{
    const struct settings *settings = work->settings;
    bool usual = !settings->exact && !settings->all; /* the density does not read them */
    bool weighted = settings->trajectories > 0;
    int64_t items = settings->exact   ? 0
                    : settings->items ? settings->items
                    : usual           ? ITEMS_USUAL
                                      : 0;
    int64_t draws = settings->draws ? settings->draws : usual && !weighted ? DRAWS_USUAL : 0;
    sumi_status status =
        sumi_likelihood_create(work->context, work->inference.solver, &work->likelihood);
    if (status == SUMI_OK) status = set_whole(work, "items", items);
    if (status == SUMI_OK) status = set_whole(work, "draws", draws);
    if (status == SUMI_OK) status = set_whole(work, "trajectories", settings->trajectories);
    if (status == SUMI_OK) status = set_whole(work, "times", settings->times);
    if (status == SUMI_OK) status = set_whole(work, "steps", settings->steps);
    if (status == SUMI_OK) status = set_whole(work, "probes", settings->probes);
    if (status == SUMI_OK) status = set_text(work, "seed", settings->inference.seed);
    if (status == SUMI_OK) status = set_text(work, "decoder", settings->decoder);
    if (status == SUMI_OK) status = set_text(work, "method", settings->method);
    if (status == SUMI_OK) status = set_text(work, "tolerance", settings->tolerance);
    if (status == SUMI_OK) status = set_text(work, "probe", settings->probe);
    if (status == SUMI_OK && work->levels && settings->exact)
        status = set_text(work, "dequantise", "true");
    return status == SUMI_OK ? EXIT_DONE : fail_argument(work->context, status);
}

/* Refuses options of the other measure. */
static int check_measure(const struct settings *settings)
{
    const char *of_bound = settings->draws          ? "draws"
                           : settings->decoder      ? "decoder"
                           : settings->trajectories ? "trajectories"
                           : settings->times        ? "times"
                                                    : NULL;
    const char *of_density = settings->method      ? "method"
                             : settings->steps     ? "steps"
                             : settings->tolerance ? "tolerance"
                             : settings->probe     ? "probe"
                             : settings->probes    ? "probes"
                                                   : NULL;
    if (settings->ways && (settings->exact || settings->output || settings->map))
        return fail(EXIT_USAGE, "likelihood: --ways prints a table, without --exact, --output and "
                                "--map");
    if (settings->trajectories && (settings->draws || settings->output) && !settings->ways)
        return fail(EXIT_USAGE, "likelihood: trajectories visit all times and have no terms: "
                                "--trajectories does not go with --draws and --output");
    if (settings->ways) return EXIT_DONE;
    if (settings->exact && of_bound) {
        return fail(EXIT_USAGE, "likelihood: the exact density does not read --%s; the bound does",
                    of_bound);
    }
    if (!settings->exact && settings->inference.labels.count) {
        return fail(EXIT_USAGE, "likelihood: the bound takes the classes of the data, not --label; "
                                "--exact does");
    }
    if (!settings->exact && of_density) {
        return fail(EXIT_USAGE, "likelihood: the bound does not read --%s; --exact does",
                    of_density);
    }
    return EXIT_DONE;
}

/* Keys of a recipe have a section and a dot; options of a solver have none. */
static void divide_sets(struct work *work)
{
    const struct texts *all = &work->settings->inference.options;
    struct texts *own = &work->choices.options;
    work->choices = work->settings->inference;
    own->count = 0;
    for (int i = 0; i < all->count; i++) {
        const char *text = all->items[i];
        struct texts *texts = text[strcspn(text, ".=")] == '.' ? &work->sets : own;
        texts->items[texts->count++] = text;
    }
}

static int prepare(struct work *work)
{
    const struct settings *settings = work->settings;
    int64_t shape[SUMI_MAX_RANK];
    int code = check_measure(settings);
    if (code == EXIT_DONE && settings->output) code = check_output(settings->output);
    if (code == EXIT_DONE && settings->output && !has_ending(settings->output, ".png"))
        code = fail(EXIT_USAGE, "likelihood: %s should end in .png", settings->output);
    if (code == EXIT_DONE && settings->map) code = check_output(settings->map);
    bool fits = !settings->map || (settings->exact && has_ending(settings->map, ".png"));
    if (code == EXIT_DONE && !fits)
        code = fail(EXIT_USAGE, "likelihood: --map FILE.png needs --exact");
    if (code == EXIT_DONE && settings->output && settings->exact)
        code = fail(EXIT_USAGE, "likelihood: the exact density has no terms to draw");
    if (code == EXIT_DONE) code = inference_open(&work->inference, NULL);
    if (code == EXIT_DONE && sampling_has_latents(work->inference.model))
        code = fail(EXIT_FAILED,
                    "likelihood: %s is a model of latents, and the likelihood of latents is not "
                    "that of the pictures, so there is none to measure",
                    work->inference.folder);
    if (code == EXIT_DONE) code = open_recipe(work);
    if (code == EXIT_DONE)
        code = labels_read("likelihood", work->inference.model, &settings->inference.labels,
                           &work->classes);
    if (code != EXIT_DONE) return code;
    if (sumi_data_open(work->context, work->inference.recipe, &work->data) != SUMI_OK)
        return fail_context(work->context);
    code = size_adopt(work->context, work->inference.model, "the recipe's data set", work->data);
    if (code != EXIT_DONE) return code;
    int rank = sumi_data_shape(work->data, shape);
    work->numbers = 1;
    for (int i = 0; i < rank; i++) work->numbers *= shape[i];
    work->points = sumi_data_kind(work->data) == SUMI_POINTS;
    work->levels = sumi_data_kind(work->data) == SUMI_PICTURE;
    if (settings->map
        && (!work->points || shape[0] != 2 || sumi_model_classes(work->inference.model)))
        return fail(EXIT_USAGE, "likelihood: --map is for points in the plane without classes");
    return set_likelihood(work);
}

/* ---- Measuring ---- */

static bool show(void *user, const sumi_progress *progress)
{
    struct work *work = user;
    if (!work->settings->inference.quiet) progress_show(&work->line, progress);
    return !interrupt_came();
}

/* Measures the densities of x[shape], whose items have these classes if the model takes classes. */
static sumi_status measure_items(struct work *work, int rank, const int64_t *shape, const float *x,
                                 const int32_t *classes)
{
    sumi_status status = SUMI_OK;
    if (work->classes.count)
        status = inference_classes(work->context, work->inference.model, work->inference.session,
                                   shape[0], &work->classes, -1);
    else if (sumi_model_classes(work->inference.model))
        status = inference_repeat_classes(work->context, work->inference.model,
                                          work->inference.session, shape[0], classes);
    if (status != SUMI_OK) return status;
    return sumi_session_density(work->inference.session, work->likelihood, rank, shape, x, NULL,
                                show, work);
}

/* Measures the first items, with their classes. */
static sumi_status measure_density(struct work *work)
{
    int64_t all = sumi_data_count(work->data), count = work->settings->items;
    int64_t shape[1 + SUMI_MAX_RANK];
    if (!count) count = work->settings->all ? all : ITEMS_USUAL;
    if (count > all) count = all;
    shape[0] = count;
    int rank = 1 + sumi_data_shape(work->data, shape + 1);
    sumi_array items = {0};
    int64_t *indices = calloc((size_t)count, sizeof *indices);
    int32_t *labels = calloc((size_t)count, sizeof *labels);
    sumi_status status = indices && labels ? SUMI_OK : SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count && indices; i++) indices[i] = i * all / count;
    if (status == SUMI_OK) status = sumi_array_create(work->context, rank, shape, &items);
    if (status == SUMI_OK) status = sumi_data_read(work->data, indices, count, items.data, labels);
    if (status == SUMI_OK) {
        status = measure_items(work, rank, shape, items.data, labels);
    }
    sumi_array_release(work->context, &items);
    free(indices);
    free(labels);
    return status;
}

/* Half the side of a square about 0 with the first points of the data and a margin. */
static sumi_status map_extent(const struct work *work, double *extent)
{
    enum { LOOKED_AT = 1000 };
    int64_t count = sumi_data_count(work->data);
    float point[2], most = 0;
    for (int64_t i = 0; i < count && i < LOOKED_AT; i++) {
        sumi_status status = sumi_data_read(work->data, &i, 1, point, NULL);
        if (status != SUMI_OK) return status;
        most = fmaxf(most, fmaxf(fabsf(point[0]), fabsf(point[1])));
    }
    *extent = 1.15 * most;
    return SUMI_OK;
}

/* Computes values[count] from bits: the square roots of the densities, from black at 0 to white at
   the greatest. */
static void shade(int64_t count, const double *bits, float *values)
{
    double least = INFINITY;
    for (int64_t i = 0; i < count; i++) least = fmin(least, bits[i]);
    for (int64_t i = 0; i < count; i++) values[i] = (float)(2 * exp2((least - bits[i]) / 2) - 1);
}

/* Draws the density over the plane as a picture, the y axis upwards. */
static sumi_status draw_map(struct work *work)
{
    const int64_t count = MAP_SIDE * MAP_SIDE, points[] = {count, 2};
    const int64_t picture[] = {1, MAP_SIDE, MAP_SIDE, 1};
    sumi_array places = {0}, values = {0};
    double extent = 0, *bits = calloc((size_t)count, sizeof *bits);
    sumi_status status = bits ? map_extent(work, &extent) : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = sumi_array_create(work->context, 2, points, &places);
    if (status == SUMI_OK) status = sumi_array_create(work->context, 4, picture, &values);
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        double across = (double)(i % MAP_SIDE) + 0.5, down = (double)(i / MAP_SIDE) + 0.5;
        places.data[2 * i] = (float)(extent * (2 * across / MAP_SIDE - 1));
        places.data[2 * i + 1] = (float)(extent * (1 - 2 * down / MAP_SIDE));
    }
    if (status == SUMI_OK) {
        status = sumi_session_density(work->inference.session, work->likelihood, 2, points,
                                      places.data, bits, show, work);
    }
    if (status == SUMI_OK) {
        shade(count, bits, values.data);
        status = sumi_draw_grid(work->context, &values, 0, work->settings->map);
    }
    sumi_array_release(work->context, &places);
    sumi_array_release(work->context, &values);
    free(bits);
    return status;
}

static int measure(struct work *work)
{
    interrupt_catch();
    progress_open(&work->line, stderr, NULL);
    sumi_status status = SUMI_OK;
    if (work->settings->map)
        status = draw_map(work); /* first, so that the table describes the
                                    items */
    if (status == SUMI_OK) {
        sumi_session *session = work->inference.session;
        status = work->settings->exact ? measure_density(work)
                 : work->settings->trajectories
                     ? sumi_session_importance(session, work->likelihood, work->data, show, work)
                     : sumi_session_bound(session, work->likelihood, work->data, show, work);
    }
    if (!work->settings->inference.quiet) progress_close(&work->line);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(work->context, status);
}

/* ---- Reporting ---- */

/* The quantity p of -log2 p: a probability of levels of a byte or of bits, or a density. It depends
   on the decoder of the bound, which by default depends on the kind of items (sumi_likelihood_set,
   "decoder"). */
struct measured {
    const char *name, *meaning;
};

static struct measured measured(const struct work *work)
{
    static const struct measured LEVELS = {"levels",
                                           "the probability of an item's levels, 256 a number"},
                                 BITS = {"bits", "the probability of an item's bits"},
                                 DENSITY = {"density", "the density at an item"};
    const char *decoder = work->settings->decoder;
    if (work->settings->exact) return work->levels ? LEVELS : DENSITY;
    if (strcmp(sumi_solver_name(work->inference.solver), "binomial") == 0) return BITS;
    if (!decoder || strcmp(decoder, "auto") == 0) return work->points ? DENSITY : LEVELS;
    return strcmp(decoder, "discretised") == 0 ? LEVELS : DENSITY;
}

static struct json_object *describe_units(void)
{
    struct json_object *units = json_object_new_object();
    json_object_object_add(units, "bits", json_object_new_string("bits/item"));
    json_object_object_add(units, "error", json_object_new_string("bits/item"));
    json_object_object_add(units, "bits_per_number", json_object_new_string("bits/dim"));
    return units;
}

static struct json_object *describe(const sumi_likelihood_term *term)
{
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "bits", json_number(term->bits));
    json_object_object_add(object, "error", json_number(term->error));
    json_object_object_add(object, "draws", json_object_new_int64(term->draws));
    if (term->time >= 0) json_object_object_add(object, "t", json_object_new_int64(term->time));
    return object;
}

static int report_json(const struct work *work)
{
    struct json_object *answer = json_object_new_object(), *steps = json_object_new_array();
    sumi_likelihood_term term = {.size = sizeof term};
    json_object_object_add(answer, "numbers", json_object_new_int64(work->numbers));
    json_object_object_add(answer, "of", json_object_new_string(measured(work).name));
    json_object_object_add(answer, "units", describe_units());
    for (int64_t i = 0; sumi_likelihood_get(work->likelihood, i, &term); i++) {
        if (i < 4) json_object_object_add(answer, term.name, describe(&term));
        else json_object_array_add(steps, describe(&term));
    }
    sumi_likelihood_get(work->likelihood, 0, &term);
    json_object_object_add(answer, "bits_per_number",
                           json_number(term.bits / (double)work->numbers));
    json_object_object_add(answer, "terms", steps);
    return print_json(answer);
}

/* Prints the terms, in bits per item and per number. */
static int report_table(const struct work *work)
{
    static const char *const MEANINGS[] = {"-log2 p", "L_T, prior", "L_0, data", "L_t, steps"};
    static const char *const WEIGHTED[] = {"-log2 p", "one"};
    bool weighted = work->settings->trajectories > 0;
    sumi_likelihood_term term = {.size = sizeof term};
    printf("%-12s %12s %10s %12s\n",
           work->settings->exact ? "exact"
           : weighted            ? "importance"
                                 : "bound",
           "bits/item", "error", "bits/dim");
    for (int64_t i = 3; i >= 0; i--) {
        if (!sumi_likelihood_get(work->likelihood, i, &term)) continue;
        printf("%-12s %12.4f %10.4f %12.5f\n", (weighted ? WEIGHTED : MEANINGS)[i], term.bits,
               term.error, term.bits / (double)work->numbers);
    }
    printf("-log2 of %s; an item has %lld numbers (dim)\n", measured(work).meaning,
           (long long)work->numbers);
    if (work->settings->output) printf("%s: the terms by time\n", work->settings->output);
    if (work->settings->map) printf("%s: the density\n", work->settings->map);
    return EXIT_DONE;
}

/* Draws L_t of each time t from 1, in bits per number. */
static sumi_status draw(const struct work *work)
{
    sumi_likelihood_term term = {.size = sizeof term};
    int64_t count = 0;
    while (sumi_likelihood_get(work->likelihood, 4 + count, &term)) count++;
    double *values = calloc(2 * (size_t)count + 1, sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    double *times = values + count;
    for (int64_t i = 0; sumi_likelihood_get(work->likelihood, 4 + i, &term); i++) {
        values[i] = term.bits / (double)work->numbers;
        times[i] = (double)(i + 1);
    }
    const sumi_line line = {
        .size = sizeof line, .name = "L_t", .count = count, .x = times, .y = values};
    sumi_status status = sumi_draw_lines(work->context, &line, 1, "terms of the bound by time", "t",
                                         "bits/dim", work->settings->output);
    free(values);
    return status;
}

/* ---- Three ways ---- */

/* The ways of --ways: the settings of each, from the caller's. */
static struct settings choose_way(const struct settings *given, int way)
{
    struct settings chosen = *given;
    chosen.exact = way == 1;
    chosen.trajectories = way != 2 ? 0 : given->trajectories ? given->trajectories : 10;
    if (way == 1) chosen.times = 0;
    if (way != 0) chosen.draws = 0;
    if (way == 1) chosen.decoder = NULL;
    return chosen;
}

/* Measures one way; the settings of `work` are the caller's again afterwards. */
static int measure_way(struct work *work, int way, sumi_likelihood_term *total)
{
    const struct settings *given = work->settings;
    const struct settings chosen = choose_way(given, way);
    work->settings = &chosen;
    sumi_likelihood_free(work->likelihood);
    work->likelihood = NULL;
    int code = set_likelihood(work);
    if (code == EXIT_DONE) code = measure(work);
    if (code == EXIT_DONE) sumi_likelihood_get(work->likelihood, 0, total);
    work->settings = given;
    return code;
}

/* Measures and prints a row for each way, as it is done. */
static int report_ways(struct work *work)
{
    static const char *const NAMES[] = {"bound", "exact", "importance"};
    struct json_object *answer = json_object_new_object();
    bool json = work->settings->inference.json;
    double numbers = (double)work->numbers;
    int code = EXIT_DONE;
    if (!json) printf("%-12s %12s %10s %12s %10s\n", "", "bits/item", "error", "bits/dim", "error");
    for (int way = 0; way < 3 && code == EXIT_DONE; way++) {
        sumi_likelihood_term total = {.size = sizeof total};
        code = measure_way(work, way, &total);
        if (code != EXIT_DONE) break;
        json_object_object_add(answer, NAMES[way], describe(&total));
        if (json) continue;
        printf("%-12s %12.4f %10.4f %12.5f %10.5f\n", NAMES[way], total.bits, total.error,
               total.bits / numbers, total.error / numbers);
        fflush(stdout);
    }
    json_object_object_add(answer, "numbers", json_object_new_int64(work->numbers));
    json_object_object_add(answer, "units", describe_units());
    if (json) return code == EXIT_DONE ? print_json(answer) : (json_object_put(answer), code);
    json_object_put(answer);
    printf("bound: term by term; exact: along the flow%s; importance: by %lld trajectories\n",
           work->levels ? ", levels spread evenly" : "",
           (long long)choose_way(work->settings, 2).trajectories);
    return code;
}

static int report(const struct work *work)
{
    if (work->settings->output && draw(work) != SUMI_OK) return fail_context(work->context);
    return work->settings->inference.json ? report_json(work) : report_table(work);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    struct work work = {.context = context, .settings = user};
    (void)count;
    divide_sets(&work);
    work.inference = inference_of(context, &work.choices, "likelihood", arguments[0]);
    int code = prepare(&work);
    if (code == EXIT_DONE && work.settings->ways) {
        interrupt_catch();
        code = report_ways(&work);
    } else {
        if (code == EXIT_DONE) code = measure(&work);
        if (code == EXIT_DONE) code = report(&work);
    }
    sumi_likelihood_free(work.likelihood);
    sumi_data_free(work.data);
    inference_close(&work.inference);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, data, 0, "RECIPE",
               A_TEXT("data", "the recipe of the data; default: that of the model, with the\n"
                              "test part of its data set, or new items of its\n"
                              "generator")),
    OPTION_ROW(struct settings, items, 'n', "N", A_COUNT("items", "number of items; default: 100")),
    OPTION_ROW(struct settings, draws, 0, "K",
               A_COUNT("draws", "number of times that each item is noised to; default: 20")),
    OPTION_ROW(struct settings, trajectories, 0, "K",
               A_COUNT("trajectories",
                       "the importance-weighted bound, with K trajectories of each\n"
                       "item through all times, instead of the bound term by term")),
    OPTION_ROW(struct settings, ways, 0, NULL,
               A_FLAG("ways", "a table of the bound, the exact density and the\n"
                              "importance-weighted bound with their standard errors")),
    OPTION_ROW(struct settings, times, 0, "N",
               A_COUNT("times",
                       "number of steps that a path in continuous time, such as that of a\n"
                       "flow, is divided into for a bound; default: 1000")),
    OPTION_ROW(struct settings, all, 0, NULL,
               A_FLAG("all", "all items and all times, unless given otherwise")),
    OPTION_ROW(struct settings, decoder, 0, "NAME",
               A_TEXT("decoder", "the last step of the bound: discretised, the probability of\n"
                                 "levels of a byte; gaussian, a density; forward, the first\n"
                                 "forward step; coin, the probability of bits; auto: discretised\n"
                                 "for pictures and signals, gaussian for points, forward for\n"
                                 "bits")),
    OPTION_ROW(struct settings, exact, 0, NULL,
               A_FLAG("exact", "the exact density instead of the bound; for pictures, with\n"
                               "their levels spread evenly over a level's width")),
    OPTION_ROW(struct settings, method, 0, "NAME",
               A_TEXT("method", "with --exact, the integrator: rk45 (the default), rk4, heun,\n"
                                "midpoint or euler")),
    OPTION_ROW(struct settings, steps, 0, "N",
               A_COUNT("steps", "number of steps of euler, midpoint, heun or rk4; that of rk45\n"
                                "depends on its tolerance")),
    OPTION_ROW(struct settings, tolerance, 0, "X", A_TEXT("tolerance", "of rk45; default: 1e-5")),
    OPTION_ROW(struct settings, probe, 0, "KIND",
               A_TEXT("probe",
                      "with --exact, how the trace is computed: exact, with random\n"
                      "vectors that are rademacher or gaussian, or auto: exact for items of\n"
                      "few numbers, else rademacher")),
    OPTION_ROW(struct settings, probes, 0, "N",
               A_COUNT("probes", "random vectors for each item; default: 1")),
    SOLVER_ROW(struct settings),
    SET_ROW(struct settings),
    LIST_ROW(struct settings, inference.options, 0, "NAME=VALUE ...", TAKES_ASSIGNMENTS,
             A_TEXT("option", "the same; --set also changes values of the recipe whose data\n"
                              "are measured (section.key=value)")),
    SEED_ROW(struct settings),
    LABEL_ROW(struct settings),
    SIZE_ROW(struct settings),
    GUIDANCE_ROWS(struct settings, inference.guidance),
    STEERING_ROWS(struct settings, inference.guides),
    COMPUTING_AND_REPORT_ROWS(struct settings),
    OPTION_ROW(struct settings, output, 'o', "FILE.png",
               A_TEXT("output", "a picture of the bound's terms by time")),
    OPTION_ROW(struct settings, map, 0, "FILE.png",
               A_TEXT("map", "with --exact, a picture of the density over the plane")),
    {.letter = 0},
};

const struct command likelihood_command = {
    .name = "likelihood",
    .summary = "measure the likelihood of data: the bound term by term, or the exact density",
    .usage = "MODEL [--data RECIPE] [-n N] [--draws K] [--exact] [-o FILE.png] ...",
    .details =
        "Prints -log2 p in bits per item (bits/item), with its standard error, and in bits per\n"
        "number (bits/dim): the variational bound as the sum of L_T, L_t and L_0, or with --exact\n"
        "the density along the probability flow. The line below the table defines p: the\n"
        "probability of the levels of pictures, or a density.\n\n"
        "examples:\n"
        "  sumi likelihood runs/ddpm-mnist -n 1000 --draws 20 -o terms.png\n"
        "  sumi likelihood runs/ddpm-mnist --all --json\n"
        "  sumi likelihood runs/points --exact -n 500",
    .options = OPTIONS,
    .arguments = "MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

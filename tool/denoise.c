/* SPDX-License-Identifier: Apache-2.0 */
/* sumi denoise: the figure of original, noised and denoised items at several noise levels. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inference.h"
#include "interrupt.h"
#include "own_items.h"
#include "print.h"

enum { ITEMS_USUAL = 2, POINTS_USUAL = 500, TITLE_SIZE = 32 };

struct settings {
    struct inference_settings inference;
    struct numbers levels;
    const char *input, *output;
    int64_t count;
};

/* The state of one call. */
struct work {
    sumi_context *context;
    const struct settings *settings;
    struct inference inference;
    struct numbers levels; /* times to noise to, where denoising begins */
    sumi_array pictures;   /* originals, in a model over latents; else empty */
    sumi_array items;      /* originals [n, item], or their latents while these are denoised */
    sumi_array cells;      /* images and signals [levels, 3 n, item]; points [1 + 2 levels, n, 2] */
};

static bool has_points(const struct work *work)
{
    return sumi_model_kind(work->inference.model) == SUMI_POINTS;
}

/* ---- Preparing ---- */

static int check_files(const struct settings *settings)
{
    if (!settings->output)
        return fail(EXIT_USAGE, "denoise needs -o FILE.png; see `sumi denoise --help`");
    if (!has_ending(settings->output, ".png"))
        return fail(EXIT_USAGE, "denoise: %s should end in .png", settings->output);
    return check_output(settings->output);
}

/* Sets the solver to begin at a time; fails if it cannot. */
static sumi_status begin_at(const struct work *work, double time)
{
    char text[32];
    snprintf(text, sizeof text, "%.17g", time);
    sumi_status status = sumi_solver_set(work->inference.solver, "start_time", text);
    if (status != SUMI_OK) return status;
    return sumi_solver_times(work->inference.solver, NULL, 0) > 0 ? SUMI_OK : SUMI_ERROR_ARGUMENT;
}

/* The given levels, or a tenth, a quarter, a half and three quarters of the schedule. */
static int choose_levels(struct work *work)
{
    static const double USUAL[] = {0.1, 0.25, 0.5, 0.75};
    const struct numbers *wanted = &work->settings->levels;
    double first = 0;
    sumi_solver_times(work->inference.solver, &first, 1);
    work->levels.count = wanted->count ? wanted->count : (int)(sizeof USUAL / sizeof *USUAL);
    for (int i = 0; i < work->levels.count; i++) {
        double level = wanted->count ? wanted->items[i] : floor(USUAL[i] * (first + 1));
        if (begin_at(work, level) != SUMI_OK) {
            return fail(EXIT_USAGE, "denoise: --noise-level %g: %s", level,
                        sumi_context_message(work->context));
        }
        work->levels.items[i] = level;
    }
    return EXIT_DONE;
}

static int open_model(struct work *work)
{
    int code = inference_open(&work->inference, NULL);
    return code == EXIT_DONE ? choose_levels(work) : code;
}

/* Reads the originals and their classes: from the user's file, or the first items of the recipe's
   data. */
static int read_items(struct work *work)
{
    const struct settings *settings = work->settings;
    struct numbers labels;
    int64_t usual =
        sumi_model_kind(work->inference.model) == SUMI_POINTS ? POINTS_USUAL : ITEMS_USUAL;
    struct items_choice choice = {.command = "denoise",
                                  .folder = work->inference.folder,
                                  .input = settings->input,
                                  .recipe = work->inference.recipe,
                                  .count = settings->count ? settings->count : usual,
                                  .wanted = &settings->inference.labels};
    int code = items_choose(work->context, work->inference.model, &choice, &work->items, &labels);
    if (code != EXIT_DONE) return code;
    if (sumi_model_classes(work->inference.model) && !labels.count) {
        return fail(EXIT_USAGE,
                    "denoise: this model needs the class of each item; give it with --label");
    }
    return inference_set_classes(&work->inference, work->items.shape[0], &labels);
}

/* ---- Noising and denoising ---- */

static sumi_status create_cells(struct work *work)
{
    const sumi_array *items = &work->items;
    int64_t levels = work->levels.count, shape[SUMI_MAX_RANK] = {levels, 3 * items->shape[0]};
    if (has_points(work)) {
        shape[0] = 1 + 2 * levels;
        shape[1] = items->shape[0];
    }
    memcpy(shape + 2, items->shape + 1, (size_t)(items->rank - 1) * sizeof *shape);
    return sumi_array_create(work->context, items->rank + 1, shape, &work->cells);
}

/* Copies items[n, item] to their cells: kind 0 original, 1 noised, 2 denoised. */
static void place_items(struct work *work, int level, int kind, const float *items)
{
    int64_t count = work->items.shape[0], size = sumi_array_count(&work->items) / count;
    for (int64_t i = 0; i < count; i++) {
        int64_t cell = (level * count + i) * 3 + kind;
        if (has_points(work)) cell = (kind ? 2 * level + kind : 0) * count + i;
        memcpy(work->cells.data + cell * size, items + i * size, (size_t)size * sizeof *items);
    }
}

static sumi_status denoise_level(struct work *work, int level, sumi_array *state)
{
    double time = work->levels.items[level];
    sumi_status status = begin_at(work, time);
    if (status == SUMI_OK)
        status = sumi_solver_start(work->inference.solver, state->rank, state->shape, state->data);
    if (status == SUMI_OK) {
        status = sampling_noise_items(work->inference.solver, &work->items, time, state);
    }
    if (status != SUMI_OK) return status;
    place_items(work, level, 0, work->items.data);
    place_items(work, level, 1, state->data);
    struct sampling sampling = inference_sampling(&work->inference);
    status = sampling_run(&sampling, state);
    if (status == SUMI_OK) place_items(work, level, 2, state->data);
    return status;
}

/* Decodes the cells, and puts the originals back. */
static sumi_status leave_latents(struct work *work)
{
    const sumi_model *model = work->inference.model;
    if (!sampling_has_latents(model)) return SUMI_OK;
    sumi_status status = sampling_decode_frames(
        work->context, model, work->settings->inference.computing.precision, &work->cells);
    if (status != SUMI_OK) return status;
    sumi_array_release(work->context, &work->items);
    work->items = work->pictures;
    work->pictures = (sumi_array){0};
    for (int level = 0; level < work->levels.count; level++)
        place_items(work, level, 0, work->items.data);
    return SUMI_OK;
}

static int denoise(struct work *work)
{
    sumi_array state = {0};
    interrupt_catch();
    int code = inference_encode(&work->inference, &work->items, &work->pictures);
    if (code != EXIT_DONE) return code;
    sumi_status status = create_cells(work);
    if (status == SUMI_OK) {
        status = sumi_array_create(work->context, work->items.rank, work->items.shape, &state);
    }
    for (int level = 0; level < work->levels.count && status == SUMI_OK; level++)
        status = denoise_level(work, level, &state);
    if (status == SUMI_OK) status = leave_latents(work);
    sumi_array_release(work->context, &state);
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

/* ---- Drawing ---- */

static double level_time(const struct work *work, int level)
{
    return work->levels.items[level];
}

static sumi_status draw_points(const struct work *work)
{
    char titles[2 * LIST_LIMIT][TITLE_SIZE];
    const char *columns[1 + 2 * LIST_LIMIT] = {"original"};
    for (int i = 0; i < work->levels.count; i++) {
        char *noised = titles[2 * i], *denoised = titles[2 * i + 1];
        snprintf(noised, TITLE_SIZE, "noised, t = %g", level_time(work, i));
        snprintf(denoised, TITLE_SIZE, "denoised");
        columns[1 + 2 * i] = noised;
        columns[2 + 2 * i] = denoised;
    }
    return sumi_draw_filmstrip(work->context, &work->cells, columns, work->settings->output);
}

static sumi_status draw_table(const struct work *work)
{
    static const char *const TITLES[] = {"original", "noised", "denoised"};
    int64_t columns = work->cells.shape[1];
    char rows[LIST_LIMIT][TITLE_SIZE];
    const char *row_titles[LIST_LIMIT];
    const char **column_titles = calloc((size_t)columns, sizeof *column_titles);
    if (!column_titles) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < columns; i++) column_titles[i] = TITLES[i % 3];
    for (int i = 0; i < work->levels.count; i++) {
        snprintf(rows[i], TITLE_SIZE, "t = %g", level_time(work, i));
        row_titles[i] = rows[i];
    }
    sumi_status status = sumi_draw_table(work->context, &work->cells, column_titles, row_titles,
                                         work->settings->output);
    free(column_titles);
    return status;
}

/* The root mean square difference between the originals and a kind of items at a level. */
static double deviation(const struct work *work, int level, int kind)
{
    int64_t count = work->items.shape[0], size = sumi_array_count(&work->items) / count;
    double sum = 0;
    for (int64_t i = 0; i < count * size; i++) {
        int64_t cell = (level * count + i / size) * 3 + kind;
        if (has_points(work)) cell = (2 * level + kind) * count + i / size;
        double difference = work->cells.data[cell * size + i % size] - work->items.data[i];
        sum += difference * difference;
    }
    return sqrt(sum / (double)(count * size));
}

static int report(const struct work *work)
{
    const struct settings *settings = work->settings;
    struct json_object *levels = settings->inference.json ? json_object_new_array() : NULL;
    if (!settings->inference.json && !settings->inference.quiet)
        printf("root mean square distance to the original\n"
               "      t     noised   denoised\n");
    for (int i = 0; i < work->levels.count; i++) {
        double time = level_time(work, i), before = deviation(work, i, 1),
               after = deviation(work, i, 2);
        if (settings->inference.json) {
            struct json_object *one = json_object_new_object();
            json_object_object_add(one, "t", json_number(time));
            json_object_object_add(one, "noised", json_number(before));
            json_object_object_add(one, "denoised", json_number(after));
            json_object_array_add(levels, one);
        } else if (!settings->inference.quiet) {
            printf("%7g %10.4f %10.4f\n", time, before, after);
        }
    }
    if (!settings->inference.json) {
        if (!settings->inference.quiet) printf("%s: the pictures\n", settings->output);
        return EXIT_DONE;
    }
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "file", json_object_new_string(settings->output));
    json_object_object_add(answer, "items", json_object_new_int64(work->items.shape[0]));
    json_object_object_add(answer, "levels", levels);
    return print_json(answer);
}

static int draw(const struct work *work)
{
    sumi_status status = has_points(work) ? draw_points(work) : draw_table(work);
    return status == SUMI_OK ? report(work) : fail_context(work->context);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    struct work work = {.context = context,
                        .settings = settings,
                        .inference =
                            inference_of(context, &settings->inference, "denoise", arguments[0])};
    (void)count;
    int code = check_files(work.settings);
    if (code == EXIT_DONE) code = open_model(&work);
    if (code == EXIT_DONE) code = read_items(&work);
    if (code == EXIT_DONE) code = denoise(&work);
    if (code == EXIT_DONE) code = draw(&work);
    sumi_array_release(context, &work.cells);
    sumi_array_release(context, &work.items);
    sumi_array_release(context, &work.pictures);
    inference_close(&work.inference);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, output, 'o', "FILE.png", A_TEXT("output", "the picture to write")),
    LIST_ROW(struct settings, levels, 't', "T ...", TAKES_NUMBERS,
             A_NUMBER("noise-level", 0, 1e30,
                      "times of the schedule to noise to; default: a tenth, a\n"
                      "quarter, a half and three quarters of it")),
    OPTION_ROW(struct settings, input, 'i', "FILE",
               A_TEXT("input", "your own items: .npy, .csv, a picture or a folder of them,\n"
                               "scaled and cropped to the model's size; default: the training\n"
                               "data of the model")),
    OPTION_ROW(struct settings, count, 'n', "N",
               A_COUNT("count", "number of items; default: 2, or 500 points")),
    INFERENCE_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command denoise_command = {
    .name = "denoise",
    .summary = "add noise to items at several levels, and draw the denoised items",
    .usage = "MODEL -o FILE.png [--noise-level T ...] [-i FILE] [-n N] [--steps K] ...",
    .details = "Draws a table: a row for each noise level, and for each item three columns,\n"
               "original, noised and denoised. A solver denoises the noised item: it begins\n"
               "exactly at the time of the level, and continues with those of its --steps that\n"
               "are below. Prints the distance to the originals before and after.\n\n"
               "examples:\n"
               "  sumi denoise runs/morlet -o denoised.png\n"
               "  sumi denoise runs/digits --noise-level 100 300 600 -n 3 -o digits.png\n"
               "  sumi denoise runs/morlet -i measured.npy --noise-level 200 -o mine.png",
    .options = OPTIONS,
    .arguments = "a MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

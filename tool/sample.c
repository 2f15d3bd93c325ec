/* SPDX-License-Identifier: Apache-2.0 */
/* sumi sample: new items from a trained model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "inference.h"
#include "interrupt.h"
#include "own_items.h"
#include "print.h"
#include "record.h"
#include "size.h"

static const double STRENGTH_USUAL = 0.6;

struct settings {
    struct inference_settings inference;
    int64_t count, columns, lines;
    const char *output, *filmstrip, *field;
    const char *from, *strength, *latents, *compat, *like;
};

/* The state of one call. */
struct work {
    sumi_context *context;
    const struct settings *settings;
    struct json_object *record; /* the settings of the picture of --like, or NULL */
    struct inference inference;
    sumi_array samples;
    sumi_array given; /* items of --from, or states of --latents */
    double strength;
    int64_t start; /* index in the list of times where --strength begins */
    struct filmstrip strip;
    struct trail trail;
    double seconds;
};

static int check_files(const struct settings *settings)
{
    const char *output = settings->output;
    if (!output) return fail(EXIT_USAGE, "sample needs -o FILE; see `sumi sample --help`");
    if (!has_ending(output, ".png") && !has_ending(output, ".npy") && !has_ending(output, ".csv"))
        return fail(EXIT_USAGE, "sample: %s should end in .png, .npy or .csv", output);
    if (settings->filmstrip && !has_ending(settings->filmstrip, ".png"))
        return fail(EXIT_USAGE, "sample: %s should end in .png", settings->filmstrip);
    if (settings->from && settings->latents)
        return fail(EXIT_USAGE,
                    "sample begins with the items of --from or with --latents, not both");
    if (settings->strength && !settings->from && !settings->inference.prompts.image)
        return fail(EXIT_USAGE,
                    "sample: --strength needs items to add noise to; name them with --from");
    if (settings->inference.prompts.image && (settings->from || settings->latents))
        return fail(EXIT_USAGE, "sample begins with --image, --from or --latents, not with two");
    if (settings->inference.prompts.image && settings->filmstrip)
        return fail(EXIT_USAGE, "sample: --filmstrip cannot be drawn with --image");
    int code = check_output(output);
    if (code == EXIT_DONE && settings->filmstrip) code = check_output(settings->filmstrip);
    return code;
}

/* ---- Settings in pictures ---- */

/* Options that do not change the picture, or not by their value. */
static const char *const NOT_RECORDED[] = {"output", "like", "filmstrip", "quiet", "json", NULL};

/* Members of a record that are not options. */
static const char *const DESCRIPTIONS[] = {"version",   "model", "network",
                                           "scheduler", "shape", NULL};

/* Takes the settings of the picture of --like for the options that are not given. */
static int read_like(struct work *work, struct settings *settings)
{
    if (!settings->like) return EXIT_DONE;
    int code = record_read(work->context, settings->like, &work->record);
    if (code != EXIT_DONE) return code;
    return record_apply(work->context, &sample_command, work->record, settings->like, DESCRIPTIONS,
                        settings);
}

/* Warns where the picture of --like is of another model. */
static int compare_models(const struct work *work)
{
    char *own = NULL, sentence[1024];
    const char *wanted = json_object_get_string(json_object_object_get(work->record, "model"));
    if (!wanted) return EXIT_DONE;
    if (sumi_model_fingerprint(work->inference.model, &own) != SUMI_OK)
        return fail_context(work->context);
    snprintf(
        sentence, sizeof sentence,
        "%.200s was made by a model with the fingerprint %.40s, but that of %.200s is %.40s: the "
        "picture will differ",
        work->settings->like, wanted, work->inference.folder, own);
    if (strcmp(wanted, own) != 0) print_warning(NULL, sentence);
    sumi_text_release(work->context, own);
    return EXIT_DONE;
}

static void add_text(struct json_object *record, const char *name, const char *text)
{
    if (text) json_object_object_add(record, name, json_object_new_string(text));
}

/* The model: what identifies and what describes it. */
static int describe_model(const struct work *work, struct json_object *record)
{
    const sumi_model *model = work->inference.model;
    char *mark = NULL;
    if (sumi_model_fingerprint(model, &mark) != SUMI_OK) return fail_context(work->context);
    struct json_object *scheduler = json_tokener_parse(sumi_model_scheduler(model));
    add_text(record, "version", sumi_version());
    add_text(record, "model", mark);
    add_text(record, "network", sumi_model_class(model));
    add_text(record, "scheduler",
             json_object_get_string(json_object_object_get(scheduler, "_class_name")));
    json_object_put(scheduler);
    sumi_text_release(work->context, mark);
    return EXIT_DONE;
}

/* What the options were that were not given. */
static void add_choices(const struct work *work, struct json_object *record)
{
    const struct inference *inference = &work->inference;
    const struct settings *settings = work->settings;
    const sumi_array *samples = &work->samples;
    const char *seed = sumi_solver_get(inference->solver, "seed");
    add_text(record, "seed", seed);
    add_text(record, "solver", sumi_solver_name(inference->solver));
    const char *steps = sumi_solver_get(inference->solver, "steps");
    if (inference_takes_steps(inference) && steps && atoll(steps) > 0)
        json_object_object_add(record, "steps", json_object_new_int64(atoll(steps)));
    json_object_object_add(record, "count", json_object_new_int64(samples->shape[0]));
    json_object_object_add(record, "threads",
                           json_object_new_int(sumi_context_threads(work->context)));
    int64_t columns = settings->columns ? settings->columns
                                        : sampling_whole(inference->recipe, "sample.columns", 0);
    if (columns) json_object_object_add(record, "columns", json_object_new_int64(columns));
}

static void add_shape(const struct work *work, struct json_object *record)
{
    struct json_object *shape = json_object_new_array();
    for (int i = 1; i < work->samples.rank; i++)
        json_object_array_add(shape, json_object_new_int64(work->samples.shape[i]));
    json_object_object_add(record, "shape", shape);
}

/* Writes the settings into the picture. */
static int sign(const struct work *work)
{
    const char *output = work->settings->output;
    if (!has_ending(output, ".png")) return EXIT_DONE;
    struct json_object *record = json_object_new_object();
    struct json_object *options = record_options(&sample_command, work->settings, NOT_RECORDED);
    int code = describe_model(work, record);
    add_choices(work, options);
    record_add_options(&sample_command, options, record);
    json_object_put(options);
    add_shape(work, record);
    if (code == EXIT_DONE) code = record_write(work->context, record, output);
    json_object_put(record);
    return code;
}

/* ---- Sampling ---- */

static int open_model(struct work *work)
{
    const char *compat = work->settings->compat;
    int code = inference_open(&work->inference, NULL);
    if (code == EXIT_DONE && work->record) code = compare_models(work);
    if (code != EXIT_DONE || !compat) return code;
    sumi_status status = sumi_solver_set(work->inference.solver, "compat", compat);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(work->context, status);
}

/* Reads the items or states to begin with, if any. */
static int read_given(struct work *work)
{
    const struct settings *settings = work->settings;
    const char *path = settings->from ? settings->from : settings->latents;
    work->strength = STRENGTH_USUAL;
    if (!path) return EXIT_DONE;
    if (settings->strength) work->strength = strtod(settings->strength, NULL);
    if (work->strength == 0)
        return fail(EXIT_USAGE, "sample: --strength is above 0 and at most 1, not %s",
                    settings->strength);
    int64_t count = settings->count ? settings->count : INT64_MAX;
    sumi_context *context = work->context;
    sumi_model *model = work->inference.model;
    int code = settings->from ? own_items_read(context, model, path, count, &work->given)
                              : own_states_read(context, model, path, count, &work->given);
    if (code == EXIT_DONE && settings->from)
        code = inference_encode(&work->inference, &work->given, NULL);
    if (code != EXIT_DONE || !settings->count || work->given.shape[0] == count) return code;
    return fail(EXIT_USAGE, "%s: has %lld items, fewer than the %lld of --count", path,
                (long long)work->given.shape[0], (long long)count);
}

/* Whether the picture is the figure of points rather than a grid. */
static bool draws_figure(const struct work *work)
{
    return has_ending(work->settings->output, ".png") && figure_is_of_points(work->inference.model);
}

/* Chooses to draw trajectories, where they make sense and no option says otherwise. */
static void choose_lines(struct work *work)
{
    const struct settings *settings = work->settings;
    if (!draws_figure(work)) return;
    bool fitting = !settings->field && figure_has_lines(work->inference.solver);
    work->trail.count = settings->lines ? settings->lines : fitting ? FIGURE_LINES : 0;
}

/* Draws samples and decodes those that are latents. */
static sumi_status draw_decoded(struct work *work, const struct sampling *sampling, int64_t count)
{
    const struct inference_settings *settings = &work->settings->inference;
    if (settings->prompts.image)
        return prompts_sample(sampling->session, sampling->solver, count, sampling->quiet,
                              &work->samples);
    sumi_status status = sampling_draw(sampling, count, &work->samples);
    if (status != SUMI_OK) return status;
    return sampling_decode(work->context, work->inference.model, settings->computing.precision,
                           &work->samples);
}

static int draw(struct work *work)
{
    const struct settings *settings = work->settings;
    choose_lines(work);
    int64_t count = settings->count ? settings->count
                                    : sampling_whole(work->inference.recipe, "sample.count", 16);
    if (work->inference.prompts.count && !settings->count) count = work->inference.prompts.count;
    if (work->given.rank) count = work->given.shape[0];
    int code = size_check("sample", work->inference.model);
    if (code == EXIT_DONE) code = inference_set_labels(&work->inference, count);
    if (code != EXIT_DONE) return code;
    struct sampling sampling = inference_sampling(&work->inference);
    sampling.strip = settings->filmstrip ? &work->strip : NULL;
    sampling.trail = work->trail.count ? &work->trail : NULL;
    if (settings->from) {
        sampling.from = &work->given;
        sampling.start = work->start = sampling_place(work->inference.solver, work->strength);
    } else if (settings->latents) {
        sampling.latents = &work->given;
    }
    double start = clock_now();
    interrupt_catch();
    sumi_status status = draw_decoded(work, &sampling, count);
    if (status == SUMI_OK && sampling.strip)
        status =
            sampling_decode_frames(work->context, work->inference.model,
                                   settings->inference.computing.precision, &work->strip.frames);
    work->seconds = clock_now() - start;
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

/* Writes a table, with a row for each item. */
static sumi_status write_table(struct work *work)
{
    sumi_array rows = work->samples;
    rows.rank = 2;
    rows.shape[1] = sumi_array_count(&work->samples) / work->samples.shape[0];
    return sumi_array_write(work->context, work->settings->output, &rows);
}

static int write_files(struct work *work)
{
    const struct settings *settings = work->settings;
    sumi_status status = SUMI_OK;
    if (draws_figure(work)) {
        int code =
            figure_write(&work->inference, &work->samples, work->trail.count ? &work->trail : NULL,
                         settings->field, settings->output);
        if (code != EXIT_DONE) return code;
    } else if (has_ending(settings->output, ".png")) {
        int64_t columns = settings->columns
                              ? settings->columns
                              : sampling_whole(work->inference.recipe, "sample.columns", 0);
        status = sumi_draw_grid(work->context, &work->samples, (int)columns, settings->output);
    } else if (has_ending(settings->output, ".csv")) {
        status = write_table(work);
    } else {
        status = sumi_array_write(work->context, settings->output, &work->samples);
    }
    if (status == SUMI_OK && settings->filmstrip)
        status = filmstrip_write(work->context, &work->strip, settings->filmstrip);
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

/* The number of steps as --steps counts them: the list of times of a solver with two evaluations
   per step has an entry for each evaluation. */
static long long count_steps(const struct work *work, int64_t entries)
{
    const char *asked = sumi_solver_get(work->inference.solver, "steps");
    long long steps = asked ? atoll(asked) : 0;
    bool whole = !work->settings->from && steps > 0 && steps < entries;
    return whole ? steps : (long long)entries;
}

static int report(const struct work *work)
{
    const struct settings *settings = work->settings;
    const sumi_array *samples = &work->samples;
    int64_t steps = sumi_solver_times(work->inference.solver, NULL, 0);
    if (!settings->inference.json) {
        char shape[96];
        format_shape(samples->rank - 1, samples->shape + 1, shape, sizeof shape);
        if (settings->inference.quiet) return EXIT_DONE;
        long long counted = count_steps(work, steps);
        printf("%s: %lld samples of %s in %lld steps, %.1f s\n", settings->output,
               (long long)samples->shape[0], shape, counted, work->seconds);
        if (sumi_solver_evaluations(work->inference.solver) > counted)
            printf("%lld evaluations of the network for each sample\n",
                   (long long)sumi_solver_evaluations(work->inference.solver));
        double first = 0;
        if (settings->from && sumi_solver_times(work->inference.solver, &first, 1) > 0)
            printf("%s: noised to t = %g and denoised in the last %lld of %lld steps\n",
                   settings->from, first, (long long)steps, (long long)(work->start + steps));
        if (settings->filmstrip) printf("%s: the reverse process\n", settings->filmstrip);
        return EXIT_DONE;
    }
    struct json_object *answer = json_file(settings->output, samples);
    json_object_object_add(answer, "steps", json_object_new_int64(steps));
    json_object_object_add(answer, "evaluations",
                           json_object_new_int64(sumi_solver_evaluations(work->inference.solver)));
    json_object_object_add(answer, "threads",
                           json_object_new_int(sumi_context_threads(work->context)));
    json_object_object_add(answer, "seconds", json_number(work->seconds));
    json_object_object_add(answer, "samples_per_second",
                           json_number((double)samples->shape[0] / work->seconds));
    return print_json(answer);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    struct settings settings = *(const struct settings *)user;
    struct work work = {.context = context,
                        .settings = &settings,
                        .inference =
                            inference_of(context, &settings.inference, "sample", arguments[0])};
    (void)count;
    int code = read_like(&work, &settings);
    settings.inference.prompts.strength = settings.strength;
    if (code == EXIT_DONE) code = check_files(work.settings);
    if (code == EXIT_DONE) code = open_model(&work);
    if (code == EXIT_DONE) code = read_given(&work);
    if (code == EXIT_DONE) code = draw(&work);
    if (code == EXIT_DONE) code = write_files(&work);
    if (code == EXIT_DONE) code = sign(&work);
    if (code == EXIT_DONE) code = report(&work);
    filmstrip_release(context, &work.strip);
    sumi_array_release(context, &work.trail.states);
    sumi_array_release(context, &work.samples);
    sumi_array_release(context, &work.given);
    inference_close(&work.inference);
    json_object_put(work.record);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, output, 'o', "FILE",
               A_TEXT("output", "a picture (.png), an array (.npy) or a table (.csv)")),
    OPTION_ROW(struct settings, count, 'n', "N",
               A_COUNT("count", "number of samples; default: that of the recipe, or 16")),
    OPTION_ROW(struct settings, like, 0, "FILE.png",
               A_TEXT("like", "make the picture again: take the options that are not given from\n"
                              "a picture that `sumi sample` wrote; `sumi info` prints them")),
    OPTION_ROW(struct settings, from, 0, "FILE",
               A_TEXT("from", "begin part-way: add noise to these items (.npy, .csv, a picture\n"
                              "or a folder of them, scaled and cropped to the model's size)\n"
                              "and denoise them")),
    OPTION_ROW(struct settings, strength, 0, "S",
               A_NUMBER("strength", 0, 1,
                        "how much noise --from or --image adds: the last S x K of the K\n"
                        "steps are made, rounded up with --from, from the time where they\n"
                        "begin; S is above 0 and at most 1; default: 0.6, with --mask 1")),
    PROMPT_ROWS(struct settings, inference.prompts),
    OPTION_ROW(
        struct settings, latents, 0, "FILE",
        A_TEXT("latents", "begin with these states of noise, such as those of `sumi invert`")),
    OPTION_ROW(struct settings, compat, 0, "diffusers",
               A_TEXT("compat", "reproduce that library's numbers, including its errors")),
    OPTION_ROW(struct settings, columns, 0, "C", A_COUNT("columns", "columns of the picture")),
    OPTION_ROW(struct settings, filmstrip, 0, "FILE.png",
               A_TEXT("filmstrip", "also draw the reverse process from noise to samples")),
    OPTION_ROW(struct settings, lines, 0, "N",
               A_COUNT("lines", "for points in the plane: draw the trajectories of this many;\n"
                                "default: 60 if the solver adds no noise")),
    OPTION_ROW(struct settings, field, 0, "TIME",
               A_NUMBER("field", -1e30, 1e30,
                        "for points in the plane: draw the score at this time input of\n"
                        "the network")),
    INFERENCE_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command sample_command = {
    .name = "sample",
    .summary = "generate new items with a trained model",
    .usage = "MODEL -o FILE.{png,npy,csv} [-n N] [--steps K] [--solver NAME] [--seed S] ...",
    .details =
        "Generates samples. MODEL is the output folder of `sumi train`, or a folder that the\n"
        "diffusers library wrote. A terminal shows previews of the samples.\n"
        "The same seed, machine and number of threads give the same samples. A picture has its\n"
        "settings as a text, which `sumi info` prints and --like reads.\n\n"
        "examples:\n"
        "  sumi sample runs/digits -o digits.png\n"
        "  sumi sample runs/digits -n 100 --label 3 --columns 10 -o threes.png\n"
        "  sumi sample runs/digits --solver ddim --steps 50 --seed 7 -o quick.png\n"
        "  sumi sample runs/digits --like threes.png -o again.png\n"
        "  sumi sample runs/digits --from mine.png --strength 0.6 -o like_mine.png\n"
        "  sumi sample runs/morlet -n 500 -o waves.npy --filmstrip reverse.png\n"
        "  sumi sample sd15 --prompt \"a red circle\" --steps 20 --size 512x512 -o circle.png\n"
        "  sumi sample sd15 --prompt \"a (blue:1.3) circle\" --image circle.png --strength 0.7 \\\n"
        "      --negative blurred --guidance 7.5 -o blue.png",
    .options = OPTIONS,
    .arguments = "a MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

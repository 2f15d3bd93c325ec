/* SPDX-License-Identifier: Apache-2.0 */
/* sumi interpolate: interpolates between samples, along the sphere of the noise that generates
   them. */
#include <stdio.h>
#include <string.h>

#include "inference.h"
#include "interrupt.h"
#include "labels.h"
#include "own_items.h"
#include "print.h"
#include "size.h"

enum { FRAMES_USUAL = 9 };

struct settings {
    struct inference_settings inference;
    int64_t count, frames;
    const char *input, *output;
    struct texts to; /* classes to go to from those of --label */
};

struct work {
    sumi_context *context;
    const struct settings *settings;
    struct inference inference;
    sumi_array ends;   /* [2 rows, item]: states of noise */
    sumi_array states; /* [rows * frames, item] */
};

static int64_t frames_of(const struct settings *settings)
{
    return settings->frames ? settings->frames : FRAMES_USUAL;
}

static const char *solver_of(const struct settings *settings)
{
    return settings->inference.solver ? settings->inference.solver : "ddim";
}

static int check_files(const struct settings *settings)
{
    const char *output = settings->output;
    if (!output)
        return fail(EXIT_USAGE, "interpolate needs -o FILE; see `sumi interpolate --help`");
    if (!has_ending(output, ".png") && !has_ending(output, ".npy"))
        return fail(EXIT_USAGE, "interpolate: %s should end in .png or .npy", output);
    if (settings->frames == 1)
        return fail(EXIT_USAGE,
                    "interpolate: --frames counts both ends and so is at least 2, not 1");
    return check_output(output);
}

/* Refuses solvers that add noise, with which a state does not determine its sample. */
static int check_solver(const char *name)
{
    if (!inference_adds_noise(name)) return EXIT_DONE;
    return fail(EXIT_USAGE,
                "interpolate: %s adds noise, so that a state does not determine its sample; choose "
                "a deterministic solver, such as ddim",
                name);
}

/* Computes the noise that generates the user's items; an odd last one is left out. */
static int invert_items(struct work *work)
{
    const struct settings *settings = work->settings;
    int64_t most = settings->count ? 2 * settings->count : INT64_MAX;
    int code =
        own_items_read(work->context, work->inference.model, settings->input, most, &work->ends);
    if (code != EXIT_DONE) return code;
    if (work->ends.shape[0] < 2 || (settings->count && work->ends.shape[0] < most))
        return fail(EXIT_USAGE,
                    "%s: each interpolation needs two items, but there are only %lld in all",
                    settings->input, (long long)work->ends.shape[0]);
    code = inference_set_labels(&work->inference, work->ends.shape[0]);
    if (code == EXIT_DONE) code = inference_change_solver(&work->inference, "ddim-inverse");
    if (code == EXIT_DONE) code = inference_encode(&work->inference, &work->ends, NULL);
    if (code != EXIT_DONE) return code;
    struct sampling sampling = inference_sampling(&work->inference);
    sampling.task = "invert";
    if (sampling_run(&sampling, &work->ends) != SUMI_OK) return fail_context(work->context);
    return inference_change_solver(&work->inference, solver_of(settings));
}

static sumi_status draw_ends(struct work *work)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {2 * (work->settings->count ? work->settings->count : 1)};
    int rank = 1 + sumi_model_shape(work->inference.model, shape + 1);
    sumi_status status = sumi_array_create(work->context, rank, shape, &work->ends);
    if (status != SUMI_OK) return status;
    return sumi_solver_start(work->inference.solver, rank, shape, work->ends.data);
}

/* Fills each row with states at even fractions of the angle between two states. */
static sumi_status fill_states(struct work *work)
{
    int64_t frames = frames_of(work->settings);
    int64_t rows = work->ends.shape[0] / 2,
            size = sumi_array_count(&work->ends) / work->ends.shape[0];
    int64_t shape[SUMI_MAX_RANK];
    memcpy(shape, work->ends.shape, sizeof shape);
    shape[0] = rows * frames;
    sumi_status status = sumi_array_create(work->context, work->ends.rank, shape, &work->states);
    for (int64_t i = 0; i < rows * frames && status == SUMI_OK; i++) {
        const float *from = work->ends.data + i / frames * 2 * size;
        double share = frames > 1 ? (double)(i % frames) / (double)(frames - 1) : 0;
        status =
            sumi_slerp(work->context, size, from, from + size, share, work->states.data + i * size);
    }
    return status;
}

/* Refuses solvers whose initial scale differs from that of ddim, whose states have unit noise. */
static int check_scale(const struct work *work)
{
    if (!work->settings->input || sumi_solver_initial_sigma(work->inference.solver) == 1)
        return EXIT_DONE;
    return fail(EXIT_USAGE,
                "interpolate: the initial scale of %s differs from that of the noise that ddim "
                "finds for --input; choose ddim or dpmpp-2m",
                solver_of(work->settings));
}

static int report(const struct work *work)
{
    const struct settings *settings = work->settings;
    int64_t frames = frames_of(settings), ways = work->states.shape[0] / frames;
    if (settings->inference.json) {
        struct json_object *answer = json_file(settings->output, &work->states);
        json_object_object_add(answer, "ways", json_object_new_int64(ways));
        json_object_object_add(answer, "frames", json_object_new_int64(frames));
        return print_json(answer);
    }
    if (!settings->inference.quiet)
        printf("%s: %lld interpolations of %lld frames\n", settings->output, (long long)ways,
               (long long)frames);
    return EXIT_DONE;
}

/* Decodes and writes the states, which have become samples. */
static int write_result(struct work *work)
{
    const struct settings *settings = work->settings;
    sumi_status status = sampling_decode(work->context, work->inference.model,
                                         settings->inference.computing.precision, &work->states);
    if (status == SUMI_OK && has_ending(settings->output, ".npy"))
        status = sumi_array_write(work->context, settings->output, &work->states);
    else if (status == SUMI_OK)
        status = sumi_draw_grid(work->context, &work->states, (int)frames_of(settings),
                                settings->output);
    return status == SUMI_OK ? report(work) : fail_context(work->context);
}

static int interpolate(struct work *work)
{
    struct sampling sampling = inference_sampling(&work->inference);
    sumi_status status = work->ends.rank ? SUMI_OK : draw_ends(work);
    if (status == SUMI_OK) status = fill_states(work);
    if (status != SUMI_OK) return fail_context(work->context);
    int code = inference_set_labels(&work->inference, work->states.shape[0]);
    if (code != EXIT_DONE) return code;
    status = sampling_run(&sampling, &work->states);
    return status == SUMI_OK ? write_result(work) : fail_context(work->context);
}

/* ---- Between conditions ---- */

static int check_conditions(const struct work *work)
{
    const struct settings *settings = work->settings;
    if (settings->input)
        return fail(EXIT_USAGE, "interpolate: --to goes between classes, --input between items; "
                                "choose one");
    if (!settings->inference.labels.count)
        return fail(EXIT_USAGE, "interpolate: --to needs the classes to begin with, --label");
    if (sumi_model_classes(work->inference.model)) return EXIT_DONE;
    return fail(EXIT_USAGE, "interpolate: this model takes no classes to go between");
}

/* Adds the guide that mixes the classes of --label with those of --to, which become the session's.
 */
static int add_mix(struct work *work, int64_t rows, sumi_guide **guide)
{
    struct inference *inference = &work->inference;
    int32_t classes[LIST_LIMIT];
    struct numbers from, to;
    sumi_condition *condition = NULL;
    int code =
        labels_read("interpolate", inference->model, &work->settings->inference.labels, &from);
    if (code == EXIT_DONE)
        code = labels_read("interpolate", inference->model, &work->settings->to, &to);
    if (code == EXIT_DONE) code = inference_set_classes(inference, rows, &to);
    if (code != EXIT_DONE) return code;
    const int64_t count = from.count;
    for (int64_t i = 0; i < count; i++) classes[i] = (int32_t)from.items[i];
    sumi_status status = sumi_condition_create(work->context, &condition);
    if (status == SUMI_OK)
        status = sumi_condition_set_integers(condition, "class", 1, &count, classes);
    if (status == SUMI_OK) status = sumi_session_add_guide(inference->session, "negative", guide);
    if (status == SUMI_OK) status = sumi_guide_set_condition(*guide, condition);
    sumi_condition_free(condition);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(work->context, status);
}

/* Samples frame `frame` of every row from the same noise, ends[rows, item]. */
static sumi_status draw_frame(struct work *work, sumi_guide *guide, int64_t frame,
                              sumi_array *state)
{
    int64_t frames = frames_of(work->settings), rows = state->shape[0];
    int64_t size = sumi_array_count(state) / rows;
    struct sampling sampling = inference_sampling(&work->inference);
    memcpy(state->data, work->ends.data, (size_t)(rows * size) * sizeof *state->data);
    sumi_status status =
        sumi_guide_set_number(guide, "scale", (double)frame / (double)(frames - 1));
    if (status == SUMI_OK) status = sampling_run(&sampling, state);
    for (int64_t row = 0; row < rows && status == SUMI_OK; row++)
        memcpy(work->states.data + (row * frames + frame) * size, state->data + row * size,
               (size_t)size * sizeof *state->data);
    return status;
}

static int interpolate_conditions(struct work *work)
{
    int64_t rows = work->settings->count ? work->settings->count : 1;
    int64_t frames = frames_of(work->settings), shape[1 + SUMI_MAX_RANK] = {rows};
    int rank = 1 + sumi_model_shape(work->inference.model, shape + 1);
    sumi_guide *guide = NULL;
    sumi_array state = {0};
    int code = check_conditions(work);
    if (code == EXIT_DONE) code = add_mix(work, rows, &guide);
    if (code != EXIT_DONE) return code;
    sumi_status status = sumi_array_create(work->context, rank, shape, &work->ends);
    if (status == SUMI_OK) status = sumi_array_create(work->context, rank, shape, &state);
    if (status == SUMI_OK)
        status = sumi_solver_start(work->inference.solver, rank, shape, work->ends.data);
    shape[0] = rows * frames;
    if (status == SUMI_OK) status = sumi_array_create(work->context, rank, shape, &work->states);
    for (int64_t frame = 0; frame < frames && status == SUMI_OK; frame++)
        status = draw_frame(work, guide, frame, &state);
    sumi_array_release(work->context, &state);
    return status == SUMI_OK ? write_result(work) : fail_argument(work->context, status);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    struct work work = {
        .context = context,
        .settings = settings,
        .inference = inference_of(context, &settings->inference, "interpolate", arguments[0])};
    (void)count;
    int code = check_files(settings);
    if (code == EXIT_DONE) code = check_solver(solver_of(settings));
    if (code == EXIT_DONE) code = inference_open(&work.inference, solver_of(settings));
    if (code == EXIT_DONE) code = check_scale(&work);
    interrupt_catch();
    if (code == EXIT_DONE && settings->input) code = invert_items(&work);
    if (code == EXIT_DONE) code = size_check("interpolate", work.inference.model);
    if (code == EXIT_DONE)
        code = settings->to.count ? interpolate_conditions(&work) : interpolate(&work);
    sumi_array_release(context, &work.ends);
    sumi_array_release(context, &work.states);
    inference_close(&work.inference);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, output, 'o', "FILE",
               A_TEXT("output", "a picture (.png) with a row for each interpolation, or an\n"
                                "array (.npy)")),
    OPTION_ROW(struct settings, count, 'n', "N",
               A_COUNT("count", "number of interpolations; default: 1")),
    OPTION_ROW(struct settings, frames, 0, "F",
               A_COUNT("frames", "samples in each, including both ends; default: 9")),
    OPTION_ROW(struct settings, input, 'i', "FILE",
               A_TEXT("input", "interpolate between these items, two for each row, using the\n"
                               "noise that generates them: .npy, .csv or a folder of pictures,\n"
                               "scaled and cropped to the model's size")),
    LIST_ROW(struct settings, to, 0, "L ...", TAKES_WORDS,
             A_TEXT("to", "go from the classes of --label to these, with the same noise")),
    INFERENCE_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command interpolate_command = {
    .name = "interpolate",
    .summary = "draw interpolations between samples",
    .usage = "MODEL -o FILE.{png,npy} [-n N] [--frames F] [-i FILE] [--steps K] ...",
    .details =
        "Interpolates from one state of noise to another along the sphere (Song, Meng and Ermon\n"
        "2020) and draws the sample of each state. With --to goes from one class to another\n"
        "instead: each frame has the same noise and a mixture of both predictions.\n\n"
        "examples:\n"
        "  sumi interpolate runs/digits -n 4 --label 3 --steps 50 -o between.png\n"
        "  sumi interpolate runs/digits -i two.npy --steps 100 -o morph.png\n"
        "  sumi interpolate runs/digits --label 3 --to 8 --steps 50 -o three-to-eight.png",
    .options = OPTIONS,
    .arguments = "a MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

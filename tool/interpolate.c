/* SPDX-License-Identifier: Apache-2.0 */
/* sumi interpolate: from one sample to another, along the sphere of the noise they come from. */
#include <stdio.h>
#include <string.h>

#include "interrupt.h"
#include "own_items.h"
#include "print.h"
#include "sampling.h"

enum { FRAMES_USUAL = 9 };

struct settings {
    int64_t count, frames, steps;
    struct computing computing;
    const char *solver, *seed, *input, *output;
    struct texts options, labels;
    bool quiet, json;
};

struct work {
    sumi_context *context;
    const struct settings *settings;
    const char *path; /* of the model */
    sumi_model *model;
    sumi_session *session;
    sumi_recipe *recipe;
    sumi_solver *solver;
    sumi_array ends;   /* [2 rows, item]: states of noise */
    sumi_array states; /* [rows * frames, item] */
};

static int64_t frames_of(const struct settings *settings)
{
    return settings->frames ? settings->frames : FRAMES_USUAL;
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

static int open_solver(struct work *work, const char *name)
{
    const struct settings *settings = work->settings;
    struct sampling_choices choices = {.solver = name,
                                       .seed = settings->seed,
                                       .steps = settings->steps,
                                       .options = &settings->options,
                                       .recipe = work->recipe};
    sumi_status status = sampling_solver(work->model, &choices, &work->solver);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(work->context, status);
}

/* A solver that draws noise would lead each state somewhere else. */
static int check_solver(const char *name)
{
    sumi_solver_info info;
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        if (strcmp(info.name, name) == 0 && info.stochastic)
            return fail(EXIT_USAGE,
                        "interpolate: %s draws noise on the way, so that a state does "
                        "not lead to one sample; choose a solver without, such as ddim",
                        name);
    }
    return EXIT_DONE;
}

static int open_model(struct work *work)
{
    const char *name = work->settings->solver ? work->settings->solver : "ddim";
    struct sampling_choices choices = {.solver = name};
    int code = check_solver(name);
    if (code == EXIT_DONE)
        code = sampling_open(work->context, work->path, &work->settings->computing, &choices,
                             &work->model, &work->session, &work->recipe, &work->solver);
    sumi_solver_free(work->solver);
    work->solver = NULL;
    return code;
}

/* The noise that the user's items come from; an odd last one is left out. */
static int invert_items(struct work *work)
{
    const struct settings *settings = work->settings;
    int64_t most = settings->count ? 2 * settings->count : INT64_MAX;
    int code = own_items_read(work->context, work->model, settings->input, most, &work->ends);
    if (code != EXIT_DONE) return code;
    if (work->ends.shape[0] < 2 || (settings->count && work->ends.shape[0] < most))
        return fail(EXIT_USAGE, "%s: each way takes two items, and of %lld there are not enough",
                    settings->input, (long long)work->ends.shape[0]);
    code = open_solver(work, "ddim-inverse");
    if (code != EXIT_DONE) return code;
    struct sampling sampling = {.context = work->context,
                                .model = work->model,
                                .session = work->session,
                                .solver = work->solver,
                                .task = "invert",
                                .quiet = settings->quiet};
    code = sampling_labels(work->context, "interpolate", work->model, work->session,
                           work->ends.shape[0], &settings->labels);
    if (code != EXIT_DONE) return code;
    sumi_status status = sampling_run(&sampling, &work->ends);
    sumi_solver_free(work->solver);
    work->solver = NULL;
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

static sumi_status draw_ends(struct work *work)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {2 * (work->settings->count ? work->settings->count : 1)};
    int rank = 1 + sumi_model_shape(work->model, shape + 1);
    sumi_status status = sumi_array_create(work->context, rank, shape, &work->ends);
    if (status != SUMI_OK) return status;
    return sumi_solver_start(work->solver, rank, shape, work->ends.data);
}

/* Every row goes in even shares of the angle from one state to the next but one. */
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

/* Ddim finds states of unit noise; on another scale they would be others. */
static int check_scale(const struct work *work, const char *name)
{
    if (!work->settings->input || sumi_solver_initial_sigma(work->solver) == 1) return EXIT_DONE;
    return fail(EXIT_USAGE,
                "interpolate: %s begins at another scale than that of the noise which "
                "ddim finds for --input; choose ddim or dpmpp-2m",
                name);
}

static int report(const struct work *work)
{
    const struct settings *settings = work->settings;
    int64_t frames = frames_of(settings), ways = work->states.shape[0] / frames;
    if (settings->json) {
        struct json_object *answer = json_file(settings->output, &work->states);
        json_object_object_add(answer, "ways", json_object_new_int64(ways));
        json_object_object_add(answer, "frames", json_object_new_int64(frames));
        return print_json(answer);
    }
    if (!settings->quiet)
        printf("%s: %lld ways from sample to sample, in %lld frames\n", settings->output,
               (long long)ways, (long long)frames);
    return EXIT_DONE;
}

static int interpolate(struct work *work)
{
    const struct settings *settings = work->settings;
    struct sampling sampling = {.context = work->context,
                                .model = work->model,
                                .session = work->session,
                                .solver = work->solver,
                                .task = "interpolate",
                                .quiet = settings->quiet};
    sumi_status status = work->ends.rank ? SUMI_OK : draw_ends(work);
    if (status == SUMI_OK) status = fill_states(work);
    if (status != SUMI_OK) return fail_context(work->context);
    int code = sampling_labels(work->context, "interpolate", work->model, work->session,
                               work->states.shape[0], &settings->labels);
    if (code != EXIT_DONE) return code;
    status = sampling_run(&sampling, &work->states);
    if (status == SUMI_OK && has_ending(settings->output, ".npy"))
        status = sumi_array_write(work->context, settings->output, &work->states);
    else if (status == SUMI_OK)
        status = sumi_draw_grid(work->context, &work->states, (int)frames_of(settings),
                                settings->output);
    return status == SUMI_OK ? report(work) : fail_context(work->context);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    struct work work = {.context = context, .settings = user, .path = arguments[0]};
    (void)count;
    int code = check_files(work.settings);
    if (code == EXIT_DONE) code = open_model(&work);
    interrupt_catch();
    if (code == EXIT_DONE && work.settings->input) code = invert_items(&work);
    const char *name = work.settings->solver ? work.settings->solver : "ddim";
    if (code == EXIT_DONE) code = open_solver(&work, name);
    if (code == EXIT_DONE) code = check_scale(&work, name);
    if (code == EXIT_DONE) code = interpolate(&work);
    sumi_array_release(context, &work.ends);
    sumi_array_release(context, &work.states);
    sumi_solver_free(work.solver);
    sumi_recipe_free(work.recipe);
    sumi_session_free(work.session);
    sumi_model_free(work.model);
    return code;
}

static const struct option OPTIONS[] = {
    {"output", 'o', OPTION_TEXT, "FILE",
     "a picture (.png) with a row for each way, or an array (.npy)",
     offsetof(struct settings, output)},
    {"count", 'n', OPTION_COUNT, "N", "how many ways; 1 if left out",
     offsetof(struct settings, count)},
    {"frames", 0, OPTION_COUNT, "F", "samples on each way, both ends among them; 9 if left out",
     offsetof(struct settings, frames)},
    {"input", 'i', OPTION_TEXT, "FILE",
     "go between these items, two a way, from the noise that they\n"
     "come from: .npy, .csv or a folder of pictures, scaled and\ncropped to the model's size",
     offsetof(struct settings, input)},
    {"steps", 0, OPTION_COUNT, "K", "steps between noise and sample, as `sumi sample` counts them",
     offsetof(struct settings, steps)},
    {"solver", 0, OPTION_TEXT, "NAME", "one that draws no noise; ddim if left out",
     offsetof(struct settings, solver)},
    {"seed", 0, OPTION_SEED, "S", "keys the noise at the ends; 0 if left out",
     offsetof(struct settings, seed)},
    {"label", 0, OPTION_WORDS, "L ...", "the classes to draw, in turn, by name or number",
     offsetof(struct settings, labels)},
    {"set", 0, OPTION_TEXTS, "OPTION=VALUE ...", "options of the solver",
     offsetof(struct settings, options)},
    COMPUTING_OPTIONS(struct settings),
    {"quiet", 'q', OPTION_FLAG, NULL, "only errors", offsetof(struct settings, quiet)},
    {"json", 0, OPTION_FLAG, NULL, "print shape and numbers of ways as JSON",
     offsetof(struct settings, json)},
    {.name = NULL},
};

const struct command interpolate_command = {
    .name = "interpolate",
    .summary = "draw the samples between samples",
    .usage = "MODEL -o FILE.{png,npy} [-n N] [--frames F] [-i FILE] [--steps K] ...",
    .details =
        "Goes from one state of noise to another along the sphere (Song, Meng and Ermon 2020)\n"
        "and draws what each state on the way leads to.\n"
        "\n"
        "examples:\n"
        "  sumi interpolate runs/digits -n 4 --label 3 --steps 50 -o between.png\n"
        "  sumi interpolate runs/digits -i two.npy --steps 100 -o morph.png",
    .options = OPTIONS,
    .arguments = "a MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

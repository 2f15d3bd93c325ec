/* SPDX-License-Identifier: Apache-2.0 */
/* sumi invert: the noise that items come from. */
#include <stdio.h>

#include "interrupt.h"
#include "own_items.h"
#include "print.h"
#include "sampling.h"

struct settings {
    int64_t count, steps;
    struct computing computing;
    const char *input, *output;
    struct texts options, labels;
    bool quiet, json;
};

struct work {
    sumi_context *context;
    const struct settings *settings;
    sumi_model *model;
    sumi_session *session;
    sumi_recipe *recipe;
    sumi_solver *solver;
    sumi_array items;
};

static int check_files(const struct settings *settings)
{
    if (!settings->input || !settings->output)
        return fail(EXIT_USAGE, "invert needs -i FILE and -o FILE.npy; see `sumi invert --help`");
    if (!has_ending(settings->output, ".npy"))
        return fail(EXIT_USAGE, "invert: %s should end in .npy", settings->output);
    return check_output(settings->output);
}

static int open_model(struct work *work, const char *path)
{
    const struct settings *settings = work->settings;
    struct sampling_choices choices = {
        .solver = "ddim-inverse", .steps = settings->steps, .options = &settings->options};
    return sampling_open(work->context, path, &settings->computing, &choices, &work->model,
                         &work->session, &work->recipe, &work->solver);
}

static int report(const struct work *work)
{
    const struct settings *settings = work->settings;
    int64_t evaluations = sumi_solver_evaluations(work->solver);
    if (settings->json) {
        struct json_object *answer = json_file(settings->output, &work->items);
        json_object_object_add(answer, "evaluations", json_object_new_int64(evaluations));
        return print_json(answer);
    }
    if (!settings->quiet)
        printf("%s: the noise that %lld items come from, by %lld evaluations\n", settings->output,
               (long long)work->items.shape[0], (long long)evaluations);
    return EXIT_DONE;
}

static int invert(struct work *work)
{
    const struct settings *settings = work->settings;
    struct sampling sampling = {.context = work->context,
                                .model = work->model,
                                .session = work->session,
                                .solver = work->solver,
                                .task = "invert",
                                .quiet = settings->quiet};
    int code = sampling_labels(work->context, "invert", work->model, work->session,
                               work->items.shape[0], &settings->labels);
    if (code != EXIT_DONE) return code;
    interrupt_catch();
    sumi_status status = sampling_run(&sampling, &work->items);
    if (status == SUMI_OK) status = sumi_array_write(work->context, settings->output, &work->items);
    return status == SUMI_OK ? report(work) : fail_context(work->context);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    struct work work = {.context = context, .settings = user};
    const struct settings *settings = user;
    int64_t most = settings->count ? settings->count : INT64_MAX;
    (void)count;
    int code = check_files(settings);
    if (code == EXIT_DONE) code = open_model(&work, arguments[0]);
    if (code == EXIT_DONE)
        code = own_items_read(context, work.model, settings->input, most, &work.items);
    if (code == EXIT_DONE) code = invert(&work);
    sumi_array_release(context, &work.items);
    sumi_solver_free(work.solver);
    sumi_recipe_free(work.recipe);
    sumi_session_free(work.session);
    sumi_model_free(work.model);
    return code;
}

static const struct option OPTIONS[] = {
    {"input", 'i', OPTION_TEXT, "FILE",
     "the items: .npy, .csv, a picture or a folder of them, scaled\nand cropped to the model's "
     "size",
     offsetof(struct settings, input)},
    {"output", 'o', OPTION_TEXT, "FILE.npy", "the states of noise, for `sumi sample --latents`",
     offsetof(struct settings, output)},
    {"count", 'n', OPTION_COUNT, "N", "take the first N items only",
     offsetof(struct settings, count)},
    {"steps", 0, OPTION_COUNT, "K", "steps between noise and sample, as `sumi sample` counts them",
     offsetof(struct settings, steps)},
    {"label", 0, OPTION_WORDS, "L ...", "the classes of the items, in turn, by name or number",
     offsetof(struct settings, labels)},
    {"set", 0, OPTION_TEXTS, "OPTION=VALUE ...", "options of the solver ddim-inverse",
     offsetof(struct settings, options)},
    COMPUTING_OPTIONS(struct settings),
    {"quiet", 'q', OPTION_FLAG, NULL, "only errors", offsetof(struct settings, quiet)},
    {"json", 0, OPTION_FLAG, NULL, "print shape and evaluations as JSON",
     offsetof(struct settings, json)},
    {.name = NULL},
};

const struct command invert_command = {
    .name = "invert",
    .summary = "find the noise that items come from",
    .usage = "MODEL -i FILE -o FILE.npy [-n N] [--steps K] ...",
    .details =
        "Runs ddim backwards, from data to noise (Song, Meng and Ermon 2020). The solver ddim\n"
        "with as many steps leads back from there to nearly the same items.\n"
        "\n"
        "example:\n"
        "  sumi invert runs/digits -i mine.png --steps 100 -o noise.npy\n"
        "  sumi sample runs/digits --latents noise.npy --solver ddim --steps 100 -o back.png",
    .options = OPTIONS,
    .arguments = "a MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

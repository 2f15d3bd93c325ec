/* SPDX-License-Identifier: Apache-2.0 */
/* sumi invert: computes the noise that generates given items. */
#include <stdio.h>

#include "inference.h"
#include "interrupt.h"
#include "own_items.h"
#include "print.h"

struct settings {
    struct inference_settings inference;
    int64_t count;
    const char *input, *output;
};

struct work {
    sumi_context *context;
    const struct settings *settings;
    struct inference inference;
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

static int open_model(struct work *work)
{
    int code = inference_open(&work->inference, "ddim-inverse");
    if (code != EXIT_DONE) return code;
    const char *name = sumi_solver_name(work->inference.solver);
    if (has_ending(name, "-inverse")) return EXIT_DONE;
    return fail(EXIT_USAGE,
                "invert: %s runs from noise to data; choose ddim-inverse or dpmpp-inverse", name);
}

static int report(const struct work *work)
{
    const struct settings *settings = work->settings;
    int64_t evaluations = sumi_solver_evaluations(work->inference.solver);
    if (settings->inference.json) {
        struct json_object *answer = json_file(settings->output, &work->items);
        json_object_object_add(answer, "evaluations", json_object_new_int64(evaluations));
        return print_json(answer);
    }
    if (!settings->inference.quiet)
        printf("%s: the noise that generates %lld items, by %lld evaluations\n", settings->output,
               (long long)work->items.shape[0], (long long)evaluations);
    return EXIT_DONE;
}

static int invert(struct work *work)
{
    const struct settings *settings = work->settings;
    struct sampling sampling = inference_sampling(&work->inference);
    int code = inference_set_labels(&work->inference, work->items.shape[0]);
    if (code != EXIT_DONE) return code;
    interrupt_catch();
    sumi_status status = sampling_run(&sampling, &work->items);
    if (status == SUMI_OK) status = sumi_array_write(work->context, settings->output, &work->items);
    return status == SUMI_OK ? report(work) : fail_context(work->context);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    struct work work = {.context = context,
                        .settings = settings,
                        .inference =
                            inference_of(context, &settings->inference, "invert", arguments[0])};
    int64_t most = settings->count ? settings->count : INT64_MAX;
    (void)count;
    int code = check_files(settings);
    if (code == EXIT_DONE) code = open_model(&work);
    if (code == EXIT_DONE)
        code = own_items_read(context, work.inference.model, settings->input, most, &work.items);
    if (code == EXIT_DONE) code = inference_encode(&work.inference, &work.items, NULL);
    if (code == EXIT_DONE) code = invert(&work);
    sumi_array_release(context, &work.items);
    inference_close(&work.inference);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, input, 'i', "FILE",
               A_TEXT("input", "the items: .npy, .csv, a picture or a folder of them, scaled\n"
                               "and cropped to the model's size")),
    OPTION_ROW(struct settings, output, 'o', "FILE.npy",
               A_TEXT("output", "the states of noise, for `sumi sample --latents`")),
    OPTION_ROW(struct settings, count, 'n', "N", A_COUNT("count", "take the first N items only")),
    INFERENCE_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command invert_command = {
    .name = "invert",
    .summary = "find the noise that generates given items",
    .usage = "MODEL -i FILE -o FILE.npy [-n N] [--steps K] ...",
    .details =
        "Runs ddim in reverse, from data to noise (Song, Meng and Ermon 2020). From there the\n"
        "solver ddim with the same number of steps gives nearly the same items. dpmpp-inverse is\n"
        "the same for dpmpp-2m.\n\n"
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

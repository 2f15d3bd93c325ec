/* SPDX-License-Identifier: Apache-2.0 */
/* sumi edit: items under another condition, from the noise that generates them under their own. */
#include <stdio.h>
#include <string.h>

#include "inference.h"
#include "interrupt.h"
#include "labels.h"
#include "own_items.h"
#include "print.h"
#include "size.h"

struct settings {
    struct inference_settings inference;
    struct texts from;
    int64_t count;
    const char *input, *output;
};

struct work {
    sumi_context *context;
    const struct settings *settings;
    struct inference inference;
    sumi_session *plain; /* without guides, for the inversion */
    sumi_array items;    /* [n, item]: pictures, or in a model over latents their latents */
    sumi_array states;   /* the same: noise, then the edited items */
};

static int check_files(const struct settings *settings)
{
    if (!settings->input || !settings->output)
        return fail(EXIT_USAGE, "edit needs -i FILE and -o FILE; see `sumi edit --help`");
    if (!has_ending(settings->output, ".png") && !has_ending(settings->output, ".npy"))
        return fail(EXIT_USAGE, "edit: %s should end in .png or .npy", settings->output);
    if (!settings->from.count || !settings->inference.labels.count)
        return fail(EXIT_USAGE, "edit needs the classes of the items, --from, and those to give "
                                "them, --label");
    return check_output(settings->output);
}

static int check_model(const struct work *work)
{
    const char *name = sumi_solver_name(work->inference.solver);
    if (!sumi_model_classes(work->inference.model))
        return fail(EXIT_USAGE, "edit: this model takes no classes, so there is nothing to change");
    if (inference_adds_noise(name))
        return fail(EXIT_USAGE,
                    "edit: %s adds noise, so that a state does not determine its item; choose a "
                    "deterministic solver, such as ddim",
                    name);
    if (sumi_solver_initial_sigma(work->inference.solver) != 1)
        return fail(EXIT_USAGE,
                    "edit: the initial scale of %s differs from that of the noise that ddim finds; "
                    "choose ddim or dpmpp-2m",
                    name);
    return EXIT_DONE;
}

static int read_items(struct work *work)
{
    const struct settings *settings = work->settings;
    sumi_model *model = work->inference.model;
    int64_t most = settings->count ? settings->count : INT64_MAX;
    int code = own_items_read(work->context, model, settings->input, most, &work->items);
    if (code == EXIT_DONE) code = size_check("edit", model);
    if (code == EXIT_DONE) code = inference_encode(&work->inference, &work->items, NULL);
    if (code != EXIT_DONE) return code;
    if (sumi_array_create(work->context, work->items.rank, work->items.shape, &work->states)
        != SUMI_OK)
        return fail_context(work->context);
    memcpy(work->states.data, work->items.data,
           (size_t)sumi_array_count(&work->items) * sizeof(float));
    return EXIT_DONE;
}

/* The noise that generates the items under the classes of --from, without guidance. */
static int invert(struct work *work)
{
    struct inference *inference = &work->inference;
    struct numbers classes;
    int code = labels_read("edit", inference->model, &work->settings->from, &classes);
    if (code == EXIT_DONE) code = inference_change_solver(inference, "ddim-inverse");
    if (code != EXIT_DONE) return code;
    sumi_status status = sumi_session_create(work->context, inference->model, &work->plain);
    if (status == SUMI_OK)
        status = inference_classes(work->context, inference->model, work->plain,
                                   work->states.shape[0], &classes, -1);
    if (status != SUMI_OK) return fail_argument(work->context, status);
    struct sampling sampling = inference_sampling(inference);
    sampling.task = "invert";
    sampling.session = work->plain;
    status = sampling_run(&sampling, &work->states);
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

static int sample(struct work *work)
{
    const struct inference_settings *settings = &work->settings->inference;
    int code =
        inference_change_solver(&work->inference, settings->solver ? settings->solver : "ddim");
    if (code == EXIT_DONE) code = inference_set_labels(&work->inference, work->states.shape[0]);
    if (code != EXIT_DONE) return code;
    struct sampling sampling = inference_sampling(&work->inference);
    sampling.task = "edit";
    sumi_status status = sampling_run(&sampling, &work->states);
    const char *precision = settings->computing.precision;
    if (status == SUMI_OK)
        status = sampling_decode(work->context, work->inference.model, precision, &work->states);
    if (status == SUMI_OK)
        status = sampling_decode(work->context, work->inference.model, precision, &work->items);
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

static int write_result(const struct work *work)
{
    const struct settings *settings = work->settings;
    sumi_array pairs = {0};
    sumi_status status;
    if (has_ending(settings->output, ".npy")) {
        status = sumi_array_write(work->context, settings->output, &work->states);
    } else {
        status = sumi_array_interleave(work->context, &work->items, &work->states, &pairs);
        if (status == SUMI_OK) status = sumi_draw_grid(work->context, &pairs, 2, settings->output);
        sumi_array_release(work->context, &pairs);
    }
    if (status != SUMI_OK) return fail_context(work->context);
    if (settings->inference.json) return print_json(json_file(settings->output, &work->states));
    if (!settings->inference.quiet)
        printf("%s: %lld items under other classes\n", settings->output,
               (long long)work->states.shape[0]);
    return EXIT_DONE;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    struct work work = {.context = context,
                        .settings = settings,
                        .inference =
                            inference_of(context, &settings->inference, "edit", arguments[0])};
    (void)count;
    int code = check_files(settings);
    if (code == EXIT_DONE) code = inference_open(&work.inference, "ddim");
    if (code == EXIT_DONE) code = check_model(&work);
    if (code == EXIT_DONE) code = read_items(&work);
    interrupt_catch();
    if (code == EXIT_DONE) code = invert(&work);
    if (code == EXIT_DONE) code = sample(&work);
    if (code == EXIT_DONE) code = write_result(&work);
    sumi_array_release(context, &work.items);
    sumi_array_release(context, &work.states);
    sumi_session_free(work.plain);
    inference_close(&work.inference);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, input, 'i', "FILE",
               A_TEXT("input", "the items: .npy, .csv, a picture or a folder of them, scaled\n"
                               "and cropped to the model's size")),
    OPTION_ROW(struct settings, output, 'o', "FILE",
               A_TEXT("output", "pairs of each item and what became of it (.png), or an array\n"
                                "of the latter (.npy)")),
    LIST_ROW(struct settings, from, 0, "L ...", TAKES_WORDS,
             A_TEXT("from", "classes of the items, repeated cyclically, by number or name")),
    OPTION_ROW(struct settings, count, 'n', "N", A_COUNT("count", "take the first N items only")),
    INFERENCE_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command edit_command = {
    .name = "edit",
    .summary = "change the class of given items",
    .usage = "MODEL -i FILE --from L --label L -o FILE.{png,npy} [--guidance W] ...",
    .details =
        "Finds the noise that generates the items under their own classes, by ddim in reverse, "
        "and\n"
        "samples from it under the classes of --label (Song, Meng and Ermon 2020). What the class\n"
        "does not determine, such as the slant and the width of a digit, remains. --guidance\n"
        "applies to the sampling.\n\n"
        "example:\n"
        "  sumi edit runs/cond-mnist -i threes.npy --from 3 --label 8 --steps 50 -o eights.png",
    .options = OPTIONS,
    .arguments = "a MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

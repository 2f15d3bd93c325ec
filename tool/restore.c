/* SPDX-License-Identifier: Apache-2.0 */
/* sumi restore: samples of what was measured through a linear operator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draws.h"
#include "inference.h"
#include "interrupt.h"
#include "own_items.h"
#include "print.h"
#include "restoring.h"
#include "stream.h"

enum { DRAWS_USUAL = 16, DRAWS_MOST = 100000, ITEMS_MOST = 64 };

struct settings {
    struct inference_settings inference;
    struct restoring_settings restoring;
    int64_t draws, count;
    const char *input, *output, *with, *mean, *deviation;
    bool simulate;
};

struct work {
    sumi_context *context;
    const struct settings *settings;
    struct inference inference;
    sumi_operator *linear;
    sumi_restorer *restorer;
    sumi_array items;    /* [n, item], with --simulate */
    sumi_array measured; /* [n, measured] */
    sumi_array drawn;    /* [draws n, item] */
    struct draws draws;
};

static int64_t draws_of(const struct settings *settings)
{
    return settings->draws ? settings->draws : DRAWS_USUAL;
}

static bool is_stream(const char *name)
{
    return name && strcmp(name, "-") == 0;
}

/* ---- Preparing ---- */

static int check_choices(const struct settings *settings)
{
    const char *const outputs[] = {settings->output, settings->mean, settings->deviation};
    bool stream = is_stream(settings->input);
    if (!settings->with || !settings->output || (!settings->input && !settings->simulate))
        return fail(EXIT_USAGE, "restore needs -i FILE, --with OPERATOR and -o FILE; see `sumi "
                                "restore --help`");
    if (stream != is_stream(settings->output))
        return fail(EXIT_USAGE, "restore: -i - and -o - belong together: blocks of standard input "
                                "are restored to standard output");
    if (stream && (settings->simulate || settings->mean || settings->deviation))
        return fail(EXIT_USAGE, "restore: a stream has no --simulate, --mean or --deviation");
    if (draws_of(settings) > DRAWS_MOST)
        return fail(EXIT_USAGE, "restore: at most %d samples of each item", DRAWS_MOST);
    if (settings->deviation && draws_of(settings) < 2)
        return fail(EXIT_USAGE, "restore: one sample has no standard deviation; --deviation needs "
                                "-n 2 or more");
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs && !stream; i++) {
        int code = outputs[i] ? check_output(outputs[i]) : EXIT_DONE;
        if (code != EXIT_DONE) return code;
    }
    return EXIT_DONE;
}

static int make_operator(struct work *work)
{
    int64_t shape[SUMI_MAX_RANK];
    int rank = sumi_model_shape(work->inference.model, shape);
    if (sampling_has_latents(work->inference.model))
        return fail(EXIT_USAGE, "restore: this model works on latents, which are not linear in the "
                                "picture; use a model of pictures");
    sumi_status status =
        sumi_operator_create(work->context, work->settings->with, rank, shape, &work->linear);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(work->context, status);
}

/* Measures the items, with noise: y = A x + n. */
static int measure_items(struct work *work)
{
    sumi_context *context = work->context;
    int64_t shape[1 + SUMI_MAX_RANK] = {work->items.shape[0]};
    int rank = 1 + sumi_operator_measured(work->linear, shape + 1);
    const char *noise = work->settings->restoring.noise;
    double deviation = noise ? strtod(noise, NULL) : 0;
    sumi_array noises = {0};
    sumi_status status = sumi_array_create(context, rank, shape, &work->measured);
    if (status == SUMI_OK)
        status = sumi_operator_apply(work->linear, shape[0], work->items.data, work->measured.data);
    if (status == SUMI_OK) status = sumi_array_create(context, rank, shape, &noises);
    if (status == SUMI_OK)
        status = sumi_solver_start(work->inference.solver, rank, shape, noises.data);
    if (status != SUMI_OK) return fail_context(context);
    double sigma = sumi_solver_initial_sigma(work->inference.solver);
    for (int64_t i = 0; i < sumi_array_count(&noises); i++)
        work->measured.data[i] += (float)(deviation * noises.data[i] / sigma);
    sumi_array_release(context, &noises);
    return EXIT_DONE;
}

/* The user's file, or the first items of the recipe's data, to be measured. */
static int read_items(struct work *work)
{
    const struct settings *settings = work->settings;
    struct numbers labels = {0};
    struct items_choice choice = {.command = "restore",
                                  .folder = work->inference.folder,
                                  .input = settings->input,
                                  .recipe = work->inference.recipe,
                                  .count = settings->count ? settings->count : ITEMS_MOST,
                                  .wanted = &settings->inference.labels};
    int code = EXIT_DONE;
    if (settings->simulate) {
        code = items_choose(work->context, work->inference.model, &choice, &work->items, &labels);
        if (code == EXIT_DONE) code = measure_items(work);
        if (code != EXIT_DONE) return code;
        return inference_set_classes(&work->inference, work->items.shape[0], &labels);
    }
    code = restoring_read(work->context, work->linear, settings->input, &work->measured);
    if (code != EXIT_DONE) return code;
    if (settings->count && settings->count < work->measured.shape[0])
        work->measured.shape[0] = settings->count;
    return inference_set_labels(&work->inference, work->measured.shape[0]);
}

/* ---- Drawing samples ---- */

static int draw(struct work *work)
{
    struct sampling sampling = inference_sampling(&work->inference);
    interrupt_catch();
    sumi_status status = sampling_restore(&sampling, work->restorer, &work->measured,
                                          draws_of(work->settings), &work->drawn);
    if (status != SUMI_OK) return fail_argument(work->context, status);
    return draws_summarise(work->context, &work->drawn, work->measured.shape[0], &work->draws);
}

/* ---- Results ---- */

/* A summary as a picture or an array; NULL: not asked for. */
static sumi_status write_summary(const struct work *work, const char *path,
                                 const sumi_array *summary)
{
    if (!path) return SUMI_OK;
    return has_ending(path, ".png") ? sumi_draw_grid(work->context, summary, 0, path)
                                    : sumi_array_write(work->context, path, summary);
}

static int write_results(const struct work *work)
{
    const struct settings *settings = work->settings;
    const struct draws_table table = {.linear = work->linear,
                                      .items = work->items.data ? &work->items : NULL,
                                      .measured = &work->measured,
                                      .drawn = &work->drawn,
                                      .draws = &work->draws};
    sumi_status status = has_ending(settings->output, ".png")
                             ? draws_draw(work->context, &table, settings->output)
                             : sumi_array_write(work->context, settings->output, &work->drawn);
    if (status == SUMI_OK) status = write_summary(work, settings->mean, &work->draws.mean);
    if (status == SUMI_OK)
        status = write_summary(work, settings->deviation, &work->draws.deviation);
    return status == SUMI_OK ? EXIT_DONE : fail_context(work->context);
}

/* What smc says of each item. */
static struct json_object *evidence_as_json(const struct work *work)
{
    struct json_object *all = NULL;
    sumi_evidence evidence = {.size = sizeof evidence};
    for (int64_t i = 0; sumi_restorer_evidence(work->restorer, i, &evidence); i++) {
        struct json_object *one = json_object_new_object();
        if (!all) all = json_object_new_array();
        json_object_object_add(one, "log_evidence", json_number(evidence.log_evidence));
        json_object_object_add(one, "effective", json_number(evidence.effective));
        json_object_object_add(one, "least_effective", json_number(evidence.least_effective));
        json_object_object_add(one, "resampled", json_object_new_int64(evidence.resampled));
        json_object_array_add(all, one);
    }
    return all;
}

static int report_json(const struct work *work)
{
    const struct draws *draws = &work->draws;
    struct json_object *answer = json_file(work->settings->output, &work->drawn);
    struct json_object *evidence = evidence_as_json(work);
    json_object_object_add(answer, "items", json_object_new_int64(work->measured.shape[0]));
    json_object_object_add(answer, "draws", json_object_new_int64(draws->count));
    json_object_object_add(answer, "misfit", json_number(draws->misfit));
    if (work->items.data) {
        json_object_object_add(answer, "psnr_of_mean", json_number(draws->psnr_of_mean));
        json_object_object_add(answer, "psnr_of_sample", json_number(draws->psnr_of_sample));
        json_object_object_add(answer, "interval", json_number(draws->interval));
        json_object_object_add(answer, "inside", json_number(draws->inside));
    }
    if (evidence) json_object_object_add(answer, "evidence", evidence);
    return print_json(answer);
}

static int report(const struct work *work)
{
    const struct draws *draws = &work->draws;
    sumi_evidence evidence = {.size = sizeof evidence};
    if (work->settings->inference.json) return report_json(work);
    if (work->settings->inference.quiet) return EXIT_DONE;
    for (int64_t i = 0; sumi_restorer_evidence(work->restorer, i, &evidence); i++)
        printf("item %lld: log p(y) %.3f, effective particles %.1f of %lld (least %.1f), resampled "
               "%lld times\n",
               (long long)i, evidence.log_evidence, evidence.effective,
               (long long)evidence.particles, evidence.least_effective,
               (long long)evidence.resampled);
    printf("root mean square of y - A x: %.4f\n", draws->misfit);
    if (work->items.data) {
        printf("PSNR of the mean %.2f dB, of a sample %.2f dB\n", draws->psnr_of_mean,
               draws->psnr_of_sample);
        if (draws->count > 1)
            printf("%.1f %% of the true numbers are inside the draws' %.1f %% interval\n",
                   100 * draws->inside, 100 * draws->interval);
    }
    printf("%s: %lld samples for each of %lld items\n", work->settings->output,
           (long long)draws->count, (long long)work->measured.shape[0]);
    return EXIT_DONE;
}

/* ---- The command ---- */

static int restore_stream(struct work *work)
{
    struct sampling sampling = inference_sampling(&work->inference);
    sampling.quiet = true;
    int code = inference_set_labels(&work->inference, 1);
    if (code != EXIT_DONE) return code;
    return stream_restore(work->context, &sampling, work->linear, work->restorer,
                          draws_of(work->settings));
}

static int restore(struct work *work)
{
    if (is_stream(work->settings->input)) return restore_stream(work);
    int code = read_items(work);
    if (code == EXIT_DONE) code = draw(work);
    if (code == EXIT_DONE && work->items.data)
        draws_compare(&work->items, &work->drawn, &work->draws);
    if (code == EXIT_DONE)
        code =
            draws_misfit(work->context, work->linear, &work->measured, &work->drawn, &work->draws);
    if (code == EXIT_DONE) code = write_results(work);
    return code == EXIT_DONE ? report(work) : code;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    struct work work = {.context = context,
                        .settings = settings,
                        .inference =
                            inference_of(context, &settings->inference, "restore", arguments[0])};
    (void)count;
    int code = check_choices(settings);
    if (code == EXIT_DONE) code = inference_open(&work.inference, NULL);
    if (code == EXIT_DONE) code = make_operator(&work);
    if (code == EXIT_DONE)
        code = restoring_create(context, work.linear, &settings->restoring, NULL, &work.restorer);
    if (code == EXIT_DONE) code = restore(&work);
    sumi_array_release(context, &work.items);
    sumi_array_release(context, &work.measured);
    sumi_array_release(context, &work.drawn);
    draws_release(context, &work.draws);
    sumi_restorer_free(work.restorer);
    sumi_operator_free(work.linear);
    inference_close(&work.inference);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, input, 'i', "FILE",
               A_TEXT("input", "the measurements: .npy, .csv or a picture of the measured size;\n"
                               "with --simulate, items to measure, as for `sumi inpaint`; - for\n"
                               "numbers from standard input, a block at a time")),
    OPTION_ROW(struct settings, output, 'o', "FILE",
               A_TEXT("output", "a table as a picture (.png), the samples (.npy), or - for the\n"
                                "means of each block to standard output")),
    OPTION_ROW(struct settings, with, 0, "OPERATOR",
               A_TEXT("with", "what was measured: blur:S, down:F, bicubic:F, grey, mask:FILE,\n"
                              "matrix:FILE or identity")),
    OPTION_ROW(struct settings, restoring.noise, 0, "S",
               A_NUMBER("noise", 0, 1e6,
                        "standard deviation of the measurement's noise; "
                        "default: 0")),
    RESTORING_ROWS(struct settings, restoring),
    OPTION_ROW(struct settings, draws, 'n', "N",
               A_COUNT("draws", "samples of each item; default: 16")),
    OPTION_ROW(struct settings, count, 0, "N", A_COUNT("count", "take the first N items only")),
    OPTION_ROW(struct settings, mean, 0, "FILE",
               A_TEXT("mean", "write the mean over the samples (.png or .npy)")),
    OPTION_ROW(struct settings, deviation, 0, "FILE",
               A_TEXT("deviation", "write their standard deviation (.png or .npy)")),
    OPTION_ROW(struct settings, simulate, 0, NULL,
               A_FLAG("simulate", "measure the items of --input, or the first of the recipe's\n"
                                  "data, and compare the samples with them")),
    INFERENCE_OPTIONS(struct settings),
    {.letter = 0},
};

const struct command restore_command = {
    .name = "restore",
    .summary = "sample what was measured: blurred, made smaller, masked, noisy",
    .usage = "MODEL -i FILE --with OPERATOR [--noise S] [--method METHOD] -o FILE ...",
    .details =
        "Samples x from the model given y = A x + n. Methods: pigdm (the default), dps, ddnm,\n"
        "repaint, product, and smc, which is exact as --particles grows and prints the evidence\n"
        "log p(y). A table has the measurement, samples, their mean and standard deviation.\n"
        "With - as input and output, blocks of numbers are restored one after the other.\n\n"
        "examples:\n"
        "  sumi restore runs/digits -i small.png --with down:4 --noise 0.05 -o large.png\n"
        "  sumi restore runs/digits --simulate --count 4 --with blur:2 --method smc -o s.png\n"
        "  sumi restore runs/morlet -i - --with identity --noise 0.2 -o - <in.txt >out.txt",
    .options = OPTIONS,
    .arguments = "a MODEL",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

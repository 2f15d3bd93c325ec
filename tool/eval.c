/* SPDX-License-Identifier: Apache-2.0 */
/* sumi eval: measures how near samples are to a reference set. */
#include "eval.h"

#include <string.h>

#include "interrupt.h"

static bool is_measure(const char *name)
{
    sumi_measure_info info = {.size = sizeof info};
    for (int i = 0; sumi_measure_describe(i, &info); i++)
        if (strcmp(info.name, name) == 0) return true;
    return false;
}

/* Values of --set: "measure.option", "features.option", "section.key" of a recipe, or an option of
   the solver. */
static void divide_sets(struct eval *eval)
{
    const struct texts *all = &eval->settings->inference.options;
    eval->choices = eval->settings->inference;
    eval->choices.options.count = 0;
    for (int i = 0; i < all->count; i++) {
        const char *text = all->items[i];
        char name[EVAL_NAME_SIZE];
        size_t length = strcspn(text, ".=");
        snprintf(name, sizeof name, "%.*s", (int)length, text);
        struct texts *texts = text[length] != '.'             ? &eval->choices.options
                              : is_measure(name)              ? &eval->of_measures
                              : strcmp(name, "features") == 0 ? &eval->of_features
                                                              : &eval->of_recipe;
        texts->items[texts->count++] = text;
    }
}

/* ---- Before the first step ---- */

/* "features.resize=pytorch-fid" */
static sumi_status set_features(struct eval *eval, const char *assignment)
{
    char option[EVAL_NAME_SIZE];
    const char *name = assignment + strcspn(assignment, ".") + 1;
    size_t length = strcspn(name, "=");
    snprintf(option, sizeof option, "%.*s", (int)length, name);
    return sumi_features_set(eval->features, option, name + length + (name[length] == '='));
}

static int open_features(struct eval *eval)
{
    const char *path = eval->settings->features;
    if (!path && eval->of_features.count)
        return fail(EXIT_USAGE, "eval: --set %s needs --features", eval->of_features.items[0]);
    if (!path) return EXIT_DONE;
    sumi_status status = sumi_features_open(eval->context, path, &eval->features);
    for (int i = 0; i < eval->of_features.count && status == SUMI_OK; i++)
        status = set_features(eval, eval->of_features.items[i]);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(eval->context, status);
}

/* A file of an option that should have an ending, and that can be written. */
static int check_file(const char *path, const char *ending)
{
    if (!path) return EXIT_DONE;
    if (!has_ending(path, ending))
        return fail(EXIT_USAGE, "eval: %s should end in %s", path, ending);
    return check_output(path);
}

static int check_files(const struct eval_settings *settings)
{
    int code = check_file(settings->output, ".png");
    if (code == EXIT_DONE) code = check_file(settings->statistics, ".npz");
    if (code == EXIT_DONE) code = check_file(settings->results, ".json");
    if (code == EXIT_DONE && settings->resume && !settings->results)
        code =
            fail(EXIT_USAGE, "eval: --resume needs --results FILE.json, where the evaluation was "
                             "kept");
    if (code == EXIT_DONE && settings->statistics && settings->sweep.count)
        code = fail(EXIT_USAGE, "eval: --statistics is for one set of samples, not for --sweep");
    return code;
}

static int prepare(struct eval *eval)
{
    bool statistics = false;
    for (int i = 0; i < eval->argument_count; i++)
        statistics = statistics || has_ending(eval->arguments[i], ".npz");
    divide_sets(eval);
    int code = check_files(eval->settings);
    if (code == EXIT_DONE) code = computing_apply(eval->context, &eval->choices.computing);
    if (code == EXIT_DONE) code = open_features(eval);
    if (code == EXIT_DONE) code = eval_open_measures(eval, statistics);
    return code == EXIT_DONE ? eval_begin_report(eval) : code;
}

/* ---- The command ---- */

static int measure(struct eval *eval)
{
    const struct eval_settings *settings = eval->settings;
    int code = prepare(eval);
    if (code != EXIT_DONE) return code;
    interrupt_catch();
    code = settings->sweep.count ? eval_sweep(eval) : eval_measure_row(eval, eval->report);
    bool some =
        json_object_object_get_ex(eval->report, settings->sweep.count ? "rows" : "measures", NULL);
    if (code == EXIT_DONE && settings->output)
        code = settings->sweep.count ? eval_draw_sweep(eval) : eval_draw(eval);
    if (code != EXIT_DONE && !some) return code;
    if (code != EXIT_DONE && settings->results)
        fprintf(stderr, "sumi: what was measured is in %s; --resume goes on from there\n",
                settings->results);
    int printed = eval_print_report(eval);
    return code == EXIT_DONE ? printed : code;
}

static int print_list(void)
{
    sumi_measure_info info = {.size = sizeof info};
    for (int i = 0; sumi_measure_describe(i, &info); i++) print_entry(info.name, 20, info.meaning);
    return EXIT_DONE;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    struct eval eval = {
        .context = context, .settings = user, .argument_count = count, .arguments = arguments};
    if (eval.settings->list) return print_list();
    if (count < 1) return fail(EXIT_USAGE, "eval needs SAMPLES; see `sumi eval --help`");
    int code = measure(&eval);
    for (int i = 0; i < eval.count; i++) sumi_measure_free(eval.measures[i]);
    eval_set_release(context, &eval.samples);
    eval_set_release(context, &eval.reference);
    sumi_features_free(eval.features);
    json_object_put(eval.report);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct eval_settings, metrics, 0, "NAME,NAME",
               A_TEXT("metrics", "the measures, of `sumi eval --list`; default:\n"
                                 "frechet,kid,prdc,sliced-wasserstein")),
    OPTION_ROW(struct eval_settings, list, 0, NULL, A_FLAG("list", "list the measures")),
    OPTION_ROW(struct eval_settings, items, 'n', "N",
               A_COUNT("items", "number of samples to draw from a model (default: 1000), or the\n"
                                "first items of another set (default: at most 10000)")),
    OPTION_ROW(struct eval_settings, references, 0, "N",
               A_COUNT("references", "the first items of the reference; default: at most 10000")),
    OPTION_ROW(struct eval_settings, output, 'o', "FILE.png",
               A_TEXT("output", "a figure: of nearest, samples beside their neighbours, the\n"
                                "likest copies first; of classes, a histogram; of\n"
                                "power-spectrum, spectrum or pdf, the curves of both sets; of a\n"
                                "sweep, quality and diversity by evaluations")),
    OPTION_ROW(struct eval_settings, features, 0, "PATH",
               A_TEXT("features", "measure features of pictures by this network: a folder or\n"
                                  "safetensors file of Inception-v3 or of CLIP's encoder of\n"
                                  "pictures")),
    LIST_ROW(struct eval_settings, sweep, 0, "NAME=A,B ...", TAKES_ASSIGNMENTS,
             A_TEXT("sweep", "measure every combination of these lists: of solver, steps, seed\n"
                             "or an option of --set")),
    OPTION_ROW(struct eval_settings, results, 0, "FILE.json",
               A_TEXT("results", "write the report to this file after each measure")),
    OPTION_ROW(struct eval_settings, resume, 0, NULL,
               A_FLAG("resume", "go on with the evaluation that --results has begun")),
    OPTION_ROW(struct eval_settings, statistics, 0, "FILE.npz",
               A_TEXT("statistics", "write the mean and the covariance of SAMPLES, as pytorch-fid\n"
                                    "and torch-fidelity read them")),
    OPTION_ROW(struct eval_settings, cache, 0, NULL,
               A_FLAG("cache", "keep those of the reference in the cache folder, by a checksum of\n"
                               "its items, and read them from there the next time")),
    INFERENCE_OPTIONS(struct eval_settings),
    {.letter = 0},
};

const struct command eval_command = {
    .name = "eval",
    .summary = "measure how near samples are to a reference set",
    .usage = "SAMPLES [REFERENCE] [--metrics NAME,NAME] [-n N] [--features PATH] ...",
    .details =
        "Measures samples against a reference. Each set is a model's folder, of which samples are\n"
        "drawn, a folder of pictures, an .npy or .csv file of items, or a recipe, whose data set\n"
        "is meant; for frechet also an .npz file with a mean \"mu\" and a covariance \"sigma\".\n"
        "Without REFERENCE it is the data that the model was trained on. --set also\n"
        "sets options of measures (kid.subset=500) and values of the recipe (data.split=test).\n"
        "Numbers of items are compared as they are unless --features names a network: without "
        "one,\n"
        "frechet is not the FID. Ctrl-C ends after the present step and prints what was "
        "measured.\n\n"
        "examples:\n"
        "  sumi eval runs/digits --metrics frechet,prdc -n 2000 --json\n"
        "  sumi eval generated/ real/ --metrics kid,nearest --set kid.subset=200 -o nearest.png\n"
        "  sumi eval generated/ real/ --features inception.safetensors --metrics frechet,kid\n"
        "  sumi eval runs/digits --sweep solver=ddim,unipc steps=5,10,20 -o sweep.png\n"
        "  sumi eval restored.npy original.npy --metrics psnr,ssim",
    .options = OPTIONS,
    .arguments = "SAMPLES and REFERENCE",
    .least = 0,
    .most = 2,
    .settings_size = sizeof(struct eval_settings),
    .run = run,
};

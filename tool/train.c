/* SPDX-License-Identifier: Apache-2.0 */
/* sumi train: trains the model of a recipe, and writes everything about the run to a folder. */
#include "held_out.h"
#include "inference.h"
#include "interrupt.h"
#include "print.h"
#include "profile.h"
#include "progress.h"
#include "reconstruct.h"
#include "rehearsal.h"
#include "run_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SAMPLES[] = "samples.png", FILMSTRIP[] = "filmstrip.png";

struct settings {
    const char *out, *seed;
    struct texts sets;
    struct computing computing;
    bool resume, force, json, quiet, profile;
};

/* The state of one call. */
struct work {
    sumi_context *context;
    const struct settings *settings;
    struct run_folder folder;
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;               /* NULL where an auto-encoder is trained */
    sumi_auto_encoder *auto_encoder; /* NULL where a model is trained */
    sumi_data *held_out;             /* of an auto-encoder; NULL for none */
    int64_t measured;                /* pictures of which psnr is, 0 for none */
    double psnr;
    sumi_trainer *trainer;
    int64_t first_step; /* number of steps before this call */
    double seconds;
    bool has_samples, has_filmstrip; /* whether their pictures were drawn */
    sumi_machine machine;            /* for --profile */
    progress_line line;
    struct preview preview;
};

/* Whether to print text on stdout. */
static bool is_talking(const struct work *work)
{
    return !work->settings->json && !work->settings->quiet;
}

/* Whether it trains a classifier, which is not sampled. */
static bool is_classifier(const struct work *work)
{
    return strcmp(sumi_recipe_get(work->recipe, "train.objective"), "classification") == 0;
}

/* ---- Preparing ---- */

static bool show_encoding(void *user, const sumi_progress *progress)
{
    struct work *work = user;
    if (!work->settings->quiet) progress_show(&work->line, progress);
    return !interrupt_came();
}

/* Puts the latents of the data set in its place, if the recipe names an auto-encoder. */
static sumi_status encode_data(struct work *work)
{
    const char *folder = sumi_recipe_get(work->recipe, "latents.auto_encoder");
    sumi_data *latents = NULL;
    if (!folder[0]) return SUMI_OK;
    if (is_talking(work)) {
        printf("latents  of %lld pictures by %s, those that are not in files yet\n",
               (long long)sumi_data_count(work->data), folder);
        fflush(stdout);
    }
    progress_open(&work->line, stderr, NULL);
    interrupt_catch();
    sumi_status status =
        sumi_data_encode(work->context, work->recipe, work->data, show_encoding, work, &latents);
    progress_close(&work->line);
    sumi_data_free(work->data);
    work->data = latents;
    return status;
}

static sumi_status open_model(struct work *work)
{
    sumi_context *context = work->context;
    sumi_status status = encode_data(work);
    if (status == SUMI_OK)
        status = sumi_model_create_from_recipe(context, work->recipe, work->data, &work->model);
    if (status != SUMI_OK) return status;
    return sumi_trainer_create(context, work->recipe, work->model, work->data, &work->trainer);
}

static sumi_status open_auto_encoder(struct work *work)
{
    sumi_context *context = work->context;
    sumi_status status = sumi_auto_encoder_create_from_recipe(context, work->recipe, work->data,
                                                              &work->auto_encoder);
    if (status == SUMI_OK) status = held_out_open(context, work->recipe, &work->held_out);
    if (status != SUMI_OK) return status;
    return sumi_trainer_create_auto_encoder(context, work->recipe, work->auto_encoder, work->data,
                                            &work->trainer);
}

static sumi_status open_parts(struct work *work)
{
    sumi_context *context = work->context;
    bool coder = strcmp(sumi_recipe_get(work->recipe, "train.objective"), "autoencoder") == 0;
    sumi_status status = sumi_data_open(context, work->recipe, &work->data);
    if (status == SUMI_OK) status = coder ? open_auto_encoder(work) : open_model(work);
    if (status == SUMI_OK && work->folder.has_checkpoint)
        status = sumi_trainer_load(work->trainer, work->folder.checkpoint);
    if (status == SUMI_OK) work->first_step = sumi_trainer_steps_done(work->trainer);
    return status;
}

/* A weight of what is trained, by number from 0. */
static bool get_weight(const struct work *work, int64_t number, sumi_weight *weight)
{
    return work->auto_encoder ? sumi_auto_encoder_weight(work->auto_encoder, number, weight)
                              : sumi_model_weight(work->model, number, weight);
}

static const char *class_of(const struct work *work)
{
    sumi_auto_encoder_info info = {.size = sizeof info};
    if (!work->auto_encoder) return sumi_model_class(work->model);
    sumi_auto_encoder_describe(work->auto_encoder, &info);
    return info.class_name;
}

static int64_t count_weights(const struct work *work)
{
    int64_t total = 0;
    sumi_weight weight = {.size = sizeof weight};
    for (int64_t i = 0; get_weight(work, i, &weight); i++) {
        int64_t count = 1;
        for (int k = 0; k < weight.rank; k++) count *= weight.shape[k];
        total += count;
    }
    return total;
}

static void describe(const struct work *work)
{
    char text[96];
    int64_t shape[SUMI_MAX_RANK];
    format_shape(sumi_data_shape(work->data, shape), shape, text, sizeof text);
    printf("recipe   %s\n", sumi_recipe_get(work->recipe, "recipe.summary"));
    printf("data     %lld items of %s", (long long)sumi_data_count(work->data), text);
    if (sumi_data_classes(work->data)) printf(", %d classes", sumi_data_classes(work->data));
    printf("\nmodel    %s, %lld weights\n", class_of(work), (long long)count_weights(work));
    printf("run      %s steps of %s items on %d threads, into %s\n",
           sumi_recipe_get(work->recipe, "train.steps"),
           sumi_recipe_get(work->recipe, "train.batch"), sumi_context_threads(work->context),
           work->folder.path);
    if (work->first_step) printf("resume   after step %lld\n", (long long)work->first_step);
    else if (work->settings->resume) puts("resume   no checkpoint: starting from the beginning");
    fflush(stdout);
}

static int prepare(struct work *work, const char *name)
{
    const struct settings *settings = work->settings;
    struct run_wish wish = {.recipe = name,
                            .out = settings->out,
                            .seed = settings->seed,
                            .precision = settings->computing.precision,
                            .sets = &settings->sets,
                            .resume = settings->resume,
                            .force = settings->force};
    int code = computing_apply(work->context, &settings->computing);
    if (code != EXIT_DONE) return code;
    code = run_folder_prepare(work->context, &wish, &work->folder, &work->recipe);
    if (code != EXIT_DONE) return code;
    sumi_status status = open_parts(work);
    if (status != SUMI_OK) return fail_argument(work->context, status);
    if (work->model && !is_classifier(work) && sumi_has("draw"))
        code = rehearse(work->context, work->model, work->recipe);
    if (code == EXIT_DONE) {
        work->folder.weights = count_weights(work);
        code = run_folder_begin(work->context, &work->folder, work->recipe);
    }
    if (code == EXIT_DONE && is_talking(work)) describe(work);
    return code;
}

/* ---- Training ---- */

static bool show(void *user, const sumi_progress *progress)
{
    struct work *work = user;
    if (!work->settings->quiet) progress_show(&work->line, progress);
    return !interrupt_came();
}

static sumi_status train(struct work *work)
{
    if (!work->settings->quiet) preview_open(&work->preview, stderr);
    progress_open(&work->line, stderr, &work->preview);
    interrupt_catch();
    sumi_status status = SUMI_OK;
    work->machine.size = sizeof work->machine;
    if (work->settings->profile) status = sumi_machine_measure(work->context, &work->machine);
    if (work->settings->profile && status == SUMI_OK) status = sumi_profile_start(work->context);
    double start = clock_now();
    if (status == SUMI_OK) status = sumi_trainer_run(work->trainer, work->folder.path, show, work);
    work->seconds = clock_now() - start;
    sumi_profile_stop(work->context);
    progress_close(&work->line);
    return status;
}

/* ---- Results ---- */

/* Writes the table of steps and losses, and the curve. */
static sumi_status write_losses(const struct work *work)
{
    const float *losses;
    sumi_array table = {0};
    int64_t count = sumi_trainer_losses(work->trainer, &losses);
    if (count == 0) return SUMI_OK;
    char path[RUN_PATH_SIZE];
    sumi_status status = sumi_array_create(work->context, 2, (int64_t[]){count, 2}, &table);
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        table.data[2 * i] = (float)(i + 1);
        table.data[2 * i + 1] = losses[i];
    }
    if (status == SUMI_OK)
        status = sumi_array_write(work->context, run_folder_file(&work->folder, "losses.csv", path),
                                  &table);
    sumi_array_release(work->context, &table);
    if (status != SUMI_OK || !sumi_has("draw")) return status;
    return sumi_draw_losses(work->context, losses, count, work->folder.title,
                            run_folder_file(&work->folder, "losses.png", path));
}

/* Reports what could not be drawn and why, which is not a failure of the training. A file that
   cannot be written is one. */
static sumi_status report_undrawn(const struct work *work, const char *what, sumi_status status)
{
    char sentence[2048];
    if (status == SUMI_OK || status == SUMI_STOPPED || status == SUMI_ERROR_FILE) return status;
    snprintf(sentence, sizeof sentence,
             "the model is trained and saved in %.400s, but there is no %s: %s", work->folder.path,
             what, sumi_context_message(work->context));
    print_warning(NULL, sentence);
    return SUMI_OK;
}

static sumi_status write_pictures(struct work *work, const sumi_array *samples,
                                  const struct filmstrip *strip)
{
    char path[RUN_PATH_SIZE];
    sumi_status status = sumi_draw_grid(work->context, samples,
                                        (int)sampling_whole(work->recipe, "sample.columns", 0),
                                        run_folder_file(&work->folder, SAMPLES, path));
    work->has_samples = status == SUMI_OK;
    status = report_undrawn(work, SAMPLES, status);
    if (status != SUMI_OK) return status;
    status = filmstrip_write(work->context, strip, run_folder_file(&work->folder, FILMSTRIP, path));
    work->has_filmstrip = status == SUMI_OK;
    return report_undrawn(work, FILMSTRIP, status);
}

static sumi_status draw_samples(struct work *work, sumi_session *session, sumi_solver *solver)
{
    sumi_array samples = {0};
    struct filmstrip strip = {0};
    const struct numbers each_class = {0};
    const char *precision = sumi_recipe_get(work->recipe, "train.precision");
    int64_t count = sampling_whole(work->recipe, "sample.count", 16);
    struct sampling sampling = {.context = work->context,
                                .model = work->model,
                                .session = session,
                                .solver = solver,
                                .task = "sample",
                                .quiet = work->settings->quiet,
                                .strip = &strip};
    sumi_status status =
        inference_classes(work->context, work->model, session, count, &each_class, -1);
    if (status == SUMI_OK) status = sampling_draw(&sampling, count, &samples);
    if (status == SUMI_OK)
        status = sampling_decode(work->context, work->model, precision, &samples);
    if (status == SUMI_OK)
        status = sampling_decode_frames(work->context, work->model, precision, &strip.frames);
    if (status == SUMI_OK) status = write_pictures(work, &samples, &strip);
    else status = report_undrawn(work, "picture of samples", status);
    filmstrip_release(work->context, &strip);
    sumi_array_release(work->context, &samples);
    return status;
}

/* Opens a session with the precision of the training. */
static sumi_status open_session(const struct work *work, sumi_session **session)
{
    sumi_status status = sumi_session_create(work->context, work->model, session);
    if (status != SUMI_OK) return status;
    return sumi_session_set(*session, "precision",
                            sumi_recipe_get(work->recipe, "train.precision"));
}

/* The pictures of an auto-encoder, held-out ones where there are any. */
static sumi_status draw_reconstructions(struct work *work)
{
    char path[RUN_PATH_SIZE];
    sumi_data *data = work->held_out ? work->held_out : work->data;
    sumi_status status = reconstruct_draw(work->context, work->auto_encoder, work->recipe, data,
                                          run_folder_file(&work->folder, SAMPLES, path));
    work->has_samples = status == SUMI_OK;
    return report_undrawn(work, SAMPLES, status);
}

static sumi_status draw_pictures(struct work *work)
{
    sumi_session *session = NULL;
    sumi_solver *solver = NULL;
    const struct inference_settings left_open = {.steps = 0};
    sumi_status status = sumi_trainer_use_average(work->trainer, true);
    if (status == SUMI_OK && work->auto_encoder) return draw_reconstructions(work);
    if (is_classifier(work)) return status;
    if (status == SUMI_OK)
        status = inference_solver(work->model, &left_open, work->recipe, &solver);
    if (status == SUMI_OK) status = open_session(work, &session);
    if (status == SUMI_OK) status = draw_samples(work, session, solver);
    sumi_session_free(session);
    sumi_solver_free(solver);
    return status;
}

/* ---- Reporting ---- */

/* The mean of the last hundred losses. */
static double recent_loss(const struct work *work)
{
    const float *losses;
    int64_t count = sumi_trainer_losses(work->trainer, &losses), window = count < 100 ? count : 100;
    double sum = 0;
    for (int64_t i = count - window; i < count; i++) sum += (double)losses[i];
    return window ? sum / (double)window : 0;
}

static int report_json(const struct work *work, bool stopped)
{
    struct json_object *answer = json_object_new_object();
    int64_t steps = sumi_trainer_steps_done(work->trainer), done = steps - work->first_step;
    double batch = (double)sampling_whole(work->recipe, "train.batch", 0);
    json_object_object_add(answer, "folder", json_object_new_string(work->folder.path));
    json_object_object_add(answer, "steps", json_object_new_int64(steps));
    json_object_object_add(answer, "stopped", json_object_new_boolean(stopped));
    json_object_object_add(answer, "loss", json_number(recent_loss(work)));
    json_object_object_add(answer, "weights", json_object_new_int64(count_weights(work)));
    json_object_object_add(answer, "threads",
                           json_object_new_int(sumi_context_threads(work->context)));
    json_object_object_add(answer, "seconds", json_number(work->seconds));
    json_object_object_add(answer, "items_per_second",
                           json_number(batch * (double)done / work->seconds));
    if (work->measured) json_object_object_add(answer, "psnr", json_number(work->psnr));
    if (work->settings->profile && done) {
        struct profile_view view = {&work->machine, work->seconds, done, false};
        json_object_object_add(answer, "machine", profile_machine_json(&work->machine));
        json_object_object_add(answer, "rows", profile_json(work->context, &view));
    }
    return print_json(answer);
}

/* Where the pictures are, and how to make more. */
static void report_files(const struct work *work)
{
    char word[RUN_WORD_SIZE];
    const char *folder = work->folder.path, *ending = sumi_has("draw") ? "png" : "npy";
    if (sumi_has("draw"))
        printf("see      %s/losses.png     the loss curve (losses.csv has the numbers)\n", folder);
    else printf("see      %s/losses.csv     the losses; this build cannot draw\n", folder);
    if (work->has_samples)
        printf("         %s/%s    %s\n", folder, SAMPLES,
               work->model ? "samples of the model" : "pictures beside their reconstructions");
    if (work->has_filmstrip) printf("         %s/%s  the reverse process\n", folder, FILMSTRIP);
    const char *quoted = shell_word(folder, word, sizeof word);
    if (work->model) printf("more     sumi sample %s -n 16 --seed 2 -o more.%s\n", quoted, ending);
    else printf("more     sumi encode %s PICTURE -o latents.safetensors --psnr\n", quoted);
}

static void report(const struct work *work)
{
    printf("trained  %lld steps in %.0f s; mean of the last losses %.4g\n",
           (long long)(sumi_trainer_steps_done(work->trainer) - work->first_step), work->seconds,
           recent_loss(work));
    if (work->measured)
        printf("PSNR     %.2f dB of the reconstructions of %lld held-out pictures\n", work->psnr,
               (long long)work->measured);
    report_files(work);
}

/* Prints the profile of a step. */
static int report_profile(const struct work *work)
{
    int64_t done = sumi_trainer_steps_done(work->trainer) - work->first_step;
    struct profile_view view = {&work->machine, work->seconds, done, false};
    if (!done) return EXIT_DONE;
    putchar('\n');
    profile_print_machine(&work->machine);
    return profile_print(work->context, &view);
}

/* Writes the curve so far, and prints how to resume. */
static int end_early(const struct work *work)
{
    char word[RUN_WORD_SIZE];
    if (write_losses(work) != SUMI_OK) return fail_context(work->context);
    if (work->settings->json) report_json(work, true);
    return fail(EXIT_FAILED,
                "stopped after step %lld and saved; `sumi train --out %s --resume` continues",
                (long long)sumi_trainer_steps_done(work->trainer),
                shell_word(work->folder.path, word, sizeof word));
}

static int finish(struct work *work)
{
    sumi_status status = write_losses(work);
    if (status == SUMI_OK && sumi_has("draw")) status = draw_pictures(work);
    if (status == SUMI_OK && work->held_out)
        status = reconstruct_measure(work->context, work->auto_encoder, work->held_out,
                                     &work->measured, &work->psnr);
    if (status == SUMI_STOPPED) {
        return fail(EXIT_FAILED, "the model is trained and saved in %s, but no samples were drawn",
                    work->folder.path);
    }
    if (status != SUMI_OK) return fail_context(work->context);
    if (work->settings->json) return report_json(work, false);
    if (is_talking(work)) report(work);
    return work->settings->profile ? report_profile(work) : EXIT_DONE;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    struct work work = {.context = context, .settings = user, .folder = {.lock = -1}};
    int code = prepare(&work, count ? arguments[0] : NULL);
    if (code == EXIT_DONE) {
        sumi_status status = train(&work);
        if (status == SUMI_STOPPED) code = end_early(&work);
        else if (status != SUMI_OK) code = fail_context(context);
        else code = finish(&work);
    }
    sumi_trainer_free(work.trainer);
    sumi_model_free(work.model);
    sumi_auto_encoder_free(work.auto_encoder);
    sumi_data_free(work.data);
    sumi_data_free(work.held_out);
    sumi_recipe_free(work.recipe);
    run_folder_end(&work.folder);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, out, 'o', "DIR",
               A_TEXT("out", "output folder; default: runs/RECIPE")),
    LIST_ROW(struct settings, sets, 0, "KEY=VALUE ...", TAKES_ASSIGNMENTS,
             A_TEXT("set", "change values of the recipe (section.key=value);\n"
                           "`sumi recipes --keys` lists them")),
    OPTION_ROW(struct settings, resume, 0, NULL,
               A_FLAG("resume", "continue from the checkpoint in DIR; RECIPE may be omitted")),
    OPTION_ROW(struct settings, force, 0, NULL, A_FLAG("force", "replace an existing run")),
    OPTION_ROW(struct settings, seed, 0, "N",
               A_SEED("seed", "seed of all random numbers (train.seed)")),
    COMPUTING_OPTIONS(struct settings, computing),
    OPTION_ROW(struct settings, profile, 0, NULL,
               A_FLAG("profile", "at the end print the profile of a step, op by op")),
    OPTION_ROW(struct settings, quiet, 'q', NULL, A_FLAG("quiet", "only errors")),
    OPTION_ROW(struct settings, json, 0, NULL,
               A_FLAG("json", "at the end print steps, loss and timing as JSON")),
    {.letter = 0},
};

const struct command train_command = {
    .name = "train",
    .summary = "train the model of a recipe",
    .usage = "RECIPE [--out DIR] [--set section.key=value ...] [--resume] [--seed N] ...",
    .details =
        "Trains a model. RECIPE is one of `sumi recipes`, or the path of a file. DIR gets\n"
        "the model, in a layout that diffusers opens too, the recipe with all its values,\n"
        "a checkpoint, and at the end losses.png, losses.csv (step, loss), samples.png and\n"
        "filmstrip.png. With train.objective = autoencoder it gets an auto-encoder's folder,\n"
        "samples.png has pictures beside their reconstructions, and the PSNR of held-out\n"
        "pictures is printed.\n\n"
        "Ctrl-C stops after the current step and saves the run; a second one stops at once.\n"
        "--resume continues a run, also after a crash; with the same number of threads its\n"
        "weights are the same to the last bit as without the interruption. Then --set may\n"
        "still change train.steps and keys that do not affect the weights.\n\n"
        "examples:\n"
        "  sumi train digits\n"
        "  sumi train digits --set train.steps=300 --set train.batch=32 --out runs/short\n"
        "  sumi train --out runs/short --resume --set train.steps=600\n"
        "  sumi train ddpm-mnist --set data.path=my/mnist --seed 7\n"
        "  sumi train ldm-cifar10 --set latents.auto_encoder=models/vae",
    .options = OPTIONS,
    .arguments = "a RECIPE",
    .least = 0,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* A whole training run: steps up to the recipe's number, progress reports to the caller, previews,
   and the run's folder. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/profile.h"
#include "learn/checkpoint.h"
#include "learn/keys.h"
#include "learn/trainer.h"
#include "models/model.h"

static const double REPORT_SECONDS = 0.1;
static const double PREVIEW_SECONDS = 30; /* least interval between previews */
static const double PREVIEW_SHARE = 0.03; /* largest fraction of the time for previews */

const struct option run_keys[] = {
    {WHOLE_OPTION("train.checkpoint_every", "500", 1, 1e12, "number of steps between checkpoints")},
    {.name = NULL},
};

/* The state of a run, for its reports. */
struct watch {
    sumi_trainer *trainer;
    sumi_progress_function progress;
    void *user;
    int64_t first_step;
    double start, last_report, last_preview, preview_cost;
    double loss;           /* running mean */
    sumi_session *session; /* for previews; NULL before the first */
    sumi_array preview;
};

/* Reduces the number of steps of the solver, if it has more. */
static sumi_status shorten(sumi_solver *solver)
{
    enum { STEPS = 10 };
    char steps[16];
    snprintf(steps, sizeof steps, "%d", STEPS);
    return sumi_solver_times(solver, NULL, 0) > STEPS ? sumi_solver_set(solver, "steps", steps)
                                                      : SUMI_OK;
}

sumi_status trainer_draw_preview(const sumi_model *model, sumi_session *session,
                                 sumi_array *samples)
{
    enum { COUNT = 8 };
    sumi_solver *solver = NULL;
    sumi_status status =
        sumi_session_solver(session, model_is_binomial(model) ? "binomial" : "ddim", &solver);
    if (status == SUMI_OK) status = shorten(solver);
    if (status == SUMI_OK)
        status = sumi_session_sample(session, solver, COUNT, NULL, NULL, samples);
    sumi_solver_free(solver);
    /* an untrained network may give values that are not finite, and the solver may not support its
       prediction; neither is a reason to stop the training */
    return status == SUMI_ERROR_MEMORY ? status : SUMI_OK;
}

/* Opens a session with the precision of the training, whose plans all previews share. */
static sumi_status open_session(struct watch *watch)
{
    sumi_trainer *trainer = watch->trainer;
    if (watch->session) return SUMI_OK;
    TRY(sumi_session_create(trainer->context, trainer->model, &watch->session));
    return sumi_session_set(watch->session, "precision",
                            recipe_text(trainer->recipe, "train.precision"));
}

static sumi_status draw_preview(struct watch *watch, sumi_array *samples)
{
    const sumi_trainer *trainer = watch->trainer;
    const struct objective *objective = &trainer->plans->objective;
    if (!trainer->model) return objective->preview(objective->user, samples);
    TRY(open_session(watch));
    return trainer_draw_preview(trainer->model, watch->session, samples);
}

/* Updates the preview with the averaged weights, if it is due. */
static sumi_status refresh_preview(struct watch *watch)
{
    sumi_trainer *trainer = watch->trainer;
    double start = profile_clock(),
           wait = fmax(PREVIEW_SECONDS, watch->preview_cost / PREVIEW_SHARE);
    if (start - watch->last_preview < wait) return SUMI_OK;
    if (!trainer->model && !trainer->plans->objective.preview) return SUMI_OK;
    sumi_array samples = {0};
    TRY(sumi_trainer_use_average(trainer, true));
    sumi_status status = draw_preview(watch, &samples);
    TRY(sumi_trainer_use_average(trainer, false));
    TRY(status);
    sumi_array_release(trainer->context, &watch->preview);
    watch->preview = samples;
    watch->last_preview = profile_clock();
    watch->preview_cost = watch->last_preview - start;
    return SUMI_OK;
}

/* Reports to the caller; SUMI_STOPPED if it asks to stop. */
static sumi_status report(struct watch *watch)
{
    sumi_trainer *trainer = watch->trainer;
    double time = profile_clock(), elapsed = time - watch->start;
    bool last = trainer->step == trainer->steps;
    if (!watch->progress || (time - watch->last_report < REPORT_SECONDS && !last)) return SUMI_OK;
    int64_t done = trainer->step - watch->first_step;
    double rate = done / fmax(elapsed, 1e-9);
    sumi_progress progress = {.size = sizeof progress,
                              .task = "train",
                              .step = trainer->step,
                              .steps = trainer->steps,
                              .loss = watch->loss,
                              .rate = rate * (double)trainer->batch,
                              .rate_unit = "items/s",
                              .seconds_left =
                                  done ? (double)(trainer->steps - trainer->step) / rate : -1,
                              .preview = watch->preview.data ? &watch->preview : NULL};
    watch->last_report = profile_clock();
    if (watch->progress(watch->user, &progress)) return SUMI_OK;
    return context_fail(trainer->context, SUMI_STOPPED, "training was stopped after step %lld",
                        (long long)trainer->step);
}

/* Whether what is trained has a folder of its own; networks of the caller have none. */
static bool is_savable(const sumi_trainer *trainer)
{
    if (!trainer->model) return trainer->plans->objective.save != NULL;
    return !model_is_composed(trainer->model);
}

/* Writes checkpoint and losses, and the model with averaged weights where it can be saved. */
static sumi_status keep(sumi_trainer *trainer, const char *folder)
{
    char path[PATH_SIZE];
    TRY(path_join(trainer->context, folder, CHECKPOINT_NAME, path));
    TRY(sumi_trainer_save(trainer, path));
    sumi_array losses = {.rank = 1, .shape = {trainer->step}, .data = trainer->losses};
    TRY(path_join(trainer->context, folder, LOSSES_NAME, path));
    TRY(sumi_array_write(trainer->context, path, &losses));
    if (!is_savable(trainer)) return SUMI_OK;
    TRY(sumi_trainer_use_average(trainer, true));
    const struct objective *objective = &trainer->plans->objective;
    sumi_status status = trainer->model ? sumi_model_save(trainer->model, folder)
                                        : objective->save(objective->user, folder);
    TRY(sumi_trainer_use_average(trainer, false));
    return status;
}

static sumi_status run_steps(struct watch *watch, const char *folder)
{
    sumi_trainer *trainer = watch->trainer;
    int64_t every = recipe_int(trainer->recipe, "train.checkpoint_every");
    while (trainer->step < trainer->steps) {
        double loss = 0;
        TRY(sumi_trainer_step(trainer, &loss));
        int64_t done = trainer->step - watch->first_step;
        watch->loss += (loss - watch->loss) / (double)(done < 100 ? done : 100);
        if (watch->progress) TRY(refresh_preview(watch));
        if (folder && (trainer->step % every == 0 || trainer->step == trainer->steps)) {
            TRY(keep(trainer, folder));
        }
        TRY(report(watch));
    }
    /* A finished run may have been killed before its model was saved. */
    if (folder && trainer->step == watch->first_step) TRY(keep(trainer, folder));
    return SUMI_OK;
}

/* Writes the recipe, with absolute paths. */
static sumi_status keep_recipe(const sumi_trainer *trainer, const char *folder)
{
    char path[PATH_SIZE], *text = NULL;
    sumi_recipe *copy = NULL;
    TRY(path_join(trainer->context, folder, RECIPE_NAME, path));
    TRY(sumi_recipe_text(trainer->recipe, &text));
    sumi_status status = recipe_parse(trainer->context, recipe_keys_of(trainer->recipe), path, text,
                                      strlen(text), &copy);
    sumi_text_release(trainer->context, text);
    if (status == SUMI_OK) status = sumi_recipe_settle_paths(copy);
    if (status == SUMI_OK) status = sumi_recipe_write(copy, path);
    sumi_recipe_free(copy);
    return status;
}

sumi_status sumi_trainer_run(sumi_trainer *trainer, const char *folder,
                             sumi_progress_function progress, void *user)
{
    if (folder) {
        TRY(folder_make(trainer->context, folder));
        TRY(keep_recipe(trainer, folder));
    }
    struct watch watch = {.trainer = trainer,
                          .progress = progress,
                          .user = user,
                          .first_step = trainer->step,
                          .start = profile_clock(),
                          .last_preview = profile_clock()};
    sumi_status status = run_steps(&watch, folder);
    sumi_session_free(watch.session);
    sumi_array_release(trainer->context, &watch.preview);
    if (status == SUMI_STOPPED && folder) {
        TRY(keep(trainer, folder));
        context_fail(trainer->context, SUMI_STOPPED, "training was stopped after step %lld",
                     (long long)trainer->step);
    }
    if (status == SUMI_OK) TRY(sumi_trainer_use_average(trainer, true));
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Running solvers; see sampling.h. */
#include "sampling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interrupt.h"
#include "progress.h"

double clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- Recipes ---- */

sumi_status sampling_recipe(sumi_context *context, const char *folder, sumi_recipe **recipe)
{
    char path[4096];
    *recipe = NULL;
    int length = snprintf(path, sizeof path, "%s/recipe.ini", folder);
    if (length >= (int)sizeof path || access(path, F_OK) != 0) return SUMI_OK;
    return sumi_recipe_open(context, path, recipe);
}

int64_t sampling_whole(const sumi_recipe *recipe, const char *key, int64_t otherwise)
{
    return recipe ? strtoll(sumi_recipe_get(recipe, key), NULL, 10) : otherwise;
}

double *sampling_times(sumi_solver *solver, int64_t *count)
{
    *count = sumi_solver_times(solver, NULL, 0);
    double *times = *count > 0 ? calloc((size_t)*count, sizeof *times) : NULL;
    if (times) sumi_solver_times(solver, times, *count);
    return times;
}

/* ---- Watching a run ---- */

struct watch {
    const struct sampling *sampling;
    const sumi_array *state;
    const double *times; /* [steps], of this run */
    int64_t steps;
    int64_t frame_items; /* items kept of each frame */
    int next_frame;
    double start;
    progress_line line;
    struct preview preview;
};

/* The step of a frame: frames are evenly spaced from the noise to the samples. */
static int64_t frame_place(const struct watch *watch, int frame)
{
    return frame * watch->steps / (watch->sampling->strip->count - 1);
}

/* Stores the state after `done` steps if a frame is due. */
static void keep_frames(struct watch *watch, int64_t done, const float *x)
{
    struct filmstrip *strip = watch->sampling->strip;
    if (!strip) return;
    int64_t size = sumi_array_count(&strip->frames) / strip->count;
    while (watch->next_frame < strip->count && frame_place(watch, watch->next_frame) <= done) {
        char *label = strip->labels[watch->next_frame];
        if (done < watch->steps) snprintf(label, LABEL_SIZE, "t = %g", watch->times[done]);
        else snprintf(label, LABEL_SIZE, "sample");
        memcpy(strip->frames.data + watch->next_frame * size, x, (size_t)size * sizeof *x);
        watch->next_frame++;
    }
}

/* Stores the states of the first samples after `done` steps. */
static void keep_trail(struct watch *watch, int64_t done, const float *x)
{
    struct trail *trail = watch->sampling->trail;
    if (!trail || done >= trail->states.shape[0]) return;
    int64_t size = sumi_array_count(&trail->states) / trail->states.shape[0];
    memcpy(trail->states.data + done * size, x, (size_t)size * sizeof *x);
}

static void show(struct watch *watch, int64_t done, int64_t steps, const float *clean)
{
    sumi_array preview = *watch->state;
    preview.data = (float *)clean; /* not written */
    double elapsed = clock_now() - watch->start, each = elapsed / (double)done;
    sumi_progress progress = {
        .size = sizeof progress,
        .task = watch->sampling->task,
        .step = done,
        .steps = steps,
        .rate = (double)watch->state->shape[0] / (each * (double)steps),
        .rate_unit = "samples/s",
        .seconds_left = each * (double)(steps - done),
        .preview = sampling_has_latents(watch->sampling->model) ? NULL : &preview,
    };
    progress_show(&watch->line, &progress);
}

static bool watch_step(void *user, int64_t step, int64_t steps, double time, const float *x,
                       const float *clean)
{
    struct watch *watch = user;
    (void)time;
    keep_frames(watch, step + 1, x);
    keep_trail(watch, step + 1, x);
    if (!watch->sampling->quiet) show(watch, step + 1, steps, clean);
    return !interrupt_came();
}

static sumi_status open_strip(struct watch *watch)
{
    struct filmstrip *strip = watch->sampling->strip;
    const sumi_array *state = watch->state;
    if (!strip) return SUMI_OK;
    strip->count = watch->steps < FRAME_LIMIT ? (int)watch->steps + 1 : FRAME_LIMIT;
    bool points = sumi_model_kind(watch->sampling->model) == SUMI_POINTS;
    int64_t shape[SUMI_MAX_RANK] = {strip->count, state->shape[0]};
    if (!points && shape[1] > FRAME_ITEMS) shape[1] = FRAME_ITEMS;
    memcpy(shape + 2, state->shape + 1, (size_t)(state->rank - 1) * sizeof *shape);
    sumi_status status =
        sumi_array_create(watch->sampling->context, state->rank + 1, shape, &strip->frames);
    if (status == SUMI_OK) keep_frames(watch, 0, state->data);
    return status;
}

static sumi_status open_trail(struct watch *watch)
{
    struct trail *trail = watch->sampling->trail;
    const sumi_array *state = watch->state;
    if (!trail) return SUMI_OK;
    if (trail->count > state->shape[0]) trail->count = state->shape[0];
    int64_t shape[SUMI_MAX_RANK] = {watch->steps + 1, trail->count};
    memcpy(shape + 2, state->shape + 1, (size_t)(state->rank - 1) * sizeof *shape);
    sumi_status status =
        sumi_array_create(watch->sampling->context, state->rank + 1, shape, &trail->states);
    if (status == SUMI_OK) keep_trail(watch, 0, state->data);
    return status;
}

sumi_status sampling_run(const struct sampling *sampling, sumi_array *state)
{
    int64_t count;
    double *times = sampling_times(sampling->solver, &count);
    if (!times) return SUMI_ERROR_MEMORY;
    struct watch watch = {
        .sampling = sampling, .state = state, .times = times, .steps = count, .start = clock_now()};
    if (!sampling->quiet) preview_open(&watch.preview, stderr);
    progress_open(&watch.line, stderr, &watch.preview);
    sumi_status status = open_strip(&watch);
    if (status == SUMI_OK) status = open_trail(&watch);
    if (status == SUMI_OK) {
        status = sumi_solver_run(sampling->solver, sumi_session_denoiser, sampling->session,
                                 state->rank, state->shape, state->data, watch_step, &watch);
    }
    progress_close(&watch.line);
    free(times);
    return status;
}

sumi_status sampling_restore(const struct sampling *sampling, sumi_restorer *restorer,
                             const sumi_array *measured, int64_t draws, sumi_array *samples)
{
    int64_t count;
    double *times = sampling_times(sampling->solver, &count);
    if (!times) return SUMI_ERROR_ARGUMENT;
    int64_t shape[1 + SUMI_MAX_RANK] = {draws * measured->shape[0]};
    sumi_array state = {.rank = 1 + sumi_model_shape(sampling->model, shape + 1)};
    memcpy(state.shape, shape, sizeof state.shape);
    struct watch watch = {.sampling = sampling,
                          .state = &state,
                          .times = times,
                          .steps = count,
                          .start = clock_now()};
    if (!sampling->quiet) preview_open(&watch.preview, stderr);
    progress_open(&watch.line, stderr, &watch.preview);
    sumi_status status = sumi_session_restore(sampling->session, restorer, sampling->solver,
                                              measured, draws, watch_step, &watch, samples);
    progress_close(&watch.line);
    free(times);
    return status;
}

int64_t sampling_place(sumi_solver *solver, double strength)
{
    int64_t count = sumi_solver_times(solver, NULL, 0);
    int64_t left = (int64_t)ceil(strength * (double)count - 1e-9);
    return count - (left < 1 ? 1 : left < count ? left : count);
}

sumi_status sampling_noise_items(sumi_solver *solver, const sumi_array *items, double time,
                                 sumi_array *state)
{
    double sigma = sumi_solver_initial_sigma(solver);
    for (int64_t i = 0; i < sumi_array_count(state); i++)
        state->data[i] = (float)(state->data[i] / sigma);
    return sumi_solver_add_noise(solver, sumi_array_count(state), items->data, state->data, time,
                                 state->data);
}

/* Adds noise to the items, up to the time where the solver begins. */
static sumi_status noise_items(const struct sampling *sampling, sumi_array *state)
{
    double first = 0;
    if (sumi_solver_times(sampling->solver, &first, 1) == 0) return SUMI_ERROR_ARGUMENT;
    return sampling_noise_items(sampling->solver, sampling->from, first, state);
}

sumi_status sampling_draw(const struct sampling *sampling, int64_t count, sumi_array *samples)
{
    const sumi_array *given = sampling->from ? sampling->from : sampling->latents;
    int64_t shape[1 + SUMI_MAX_RANK] = {given ? given->shape[0] : count};
    int rank = 1 + sumi_model_shape(sampling->model, shape + 1);
    sumi_status status = sumi_array_create(sampling->context, rank, shape, samples);
    if (status == SUMI_OK && sampling->from) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)sampling->start);
        status = sumi_solver_set(sampling->solver, "start_index", text);
    }
    if (status == SUMI_OK) status = sumi_solver_start(sampling->solver, rank, shape, samples->data);
    if (status == SUMI_OK && sampling->from) status = noise_items(sampling, samples);
    if (status == SUMI_OK && sampling->latents)
        memcpy(samples->data, given->data, (size_t)sumi_array_count(given) * sizeof *given->data);
    if (status == SUMI_OK) status = sampling_run(sampling, samples);
    if (status != SUMI_OK) sumi_array_release(sampling->context, samples);
    return status;
}

/* ---- Latents ---- */

bool sampling_has_latents(const sumi_model *model)
{
    sumi_part part = {.size = sizeof part};
    for (int i = 0; sumi_model_part(model, i, &part); i++)
        if (part.kind == SUMI_PART_AUTO_ENCODER) return true;
    return false;
}

/* Encodes or decodes items with the auto-encoder of a model over latents, in a precision unless
   that is NULL. What they were goes to *before, unless that is NULL. */
static sumi_status translate(sumi_context *context, const sumi_model *model, const char *precision,
                             bool encode, sumi_array *items, sumi_array *before)
{
    sumi_auto_encoder *coder = NULL;
    sumi_array fresh = {0};
    if (!sampling_has_latents(model)) return SUMI_OK;
    sumi_status status = sumi_auto_encoder_of(context, model, &coder);
    if (status == SUMI_OK && precision)
        status = sumi_auto_encoder_set(coder, "precision", precision);
    if (status == SUMI_OK)
        status = encode ? sumi_auto_encoder_encode(coder, items, NULL, &fresh)
                        : sumi_auto_encoder_decode(coder, items, &fresh);
    sumi_auto_encoder_free(coder);
    if (status != SUMI_OK) return status;
    if (before) *before = *items;
    else sumi_array_release(context, items);
    *items = fresh;
    return SUMI_OK;
}

sumi_status sampling_decode(sumi_context *context, const sumi_model *model, const char *precision,
                            sumi_array *samples)
{
    return translate(context, model, precision, false, samples, NULL);
}

sumi_status sampling_encode(sumi_context *context, const sumi_model *model, const char *precision,
                            sumi_array *items, sumi_array *pictures)
{
    return translate(context, model, precision, true, items, pictures);
}

/* Fills in what a model's auto-encoder is; false in a model without latents. */
static bool describe_coder(sumi_context *context, const sumi_model *model,
                           sumi_auto_encoder_info *info)
{
    sumi_auto_encoder *coder = NULL;
    if (!sampling_has_latents(model)) return false;
    if (sumi_auto_encoder_of(context, model, &coder) != SUMI_OK) return false;
    bool there = sumi_auto_encoder_describe(coder, info);
    sumi_auto_encoder_free(coder);
    return there;
}

int64_t sampling_factor(sumi_context *context, const sumi_model *model)
{
    sumi_auto_encoder_info info = {.size = sizeof info};
    return describe_coder(context, model, &info) ? info.factor : 1;
}

int sampling_outer_shape(sumi_context *context, const sumi_model *model, int64_t *shape)
{
    sumi_auto_encoder_info info = {.size = sizeof info};
    int rank = sumi_model_shape(model, shape);
    if (!describe_coder(context, model, &info)) return rank;
    shape[0] *= info.factor;
    shape[1] *= info.factor;
    shape[2] = info.in_channels;
    return rank;
}

sumi_status sampling_decode_frames(sumi_context *context, const sumi_model *model,
                                   const char *precision, sumi_array *frames)
{
    sumi_array flat = *frames;
    if (!sampling_has_latents(model)) return SUMI_OK;
    int64_t rows = frames->shape[0], columns = frames->shape[1];
    flat.rank = frames->rank - 1;
    flat.shape[0] = rows * columns;
    for (int i = 1; i < flat.rank; i++) flat.shape[i] = frames->shape[i + 1];
    sumi_status status = sampling_decode(context, model, precision, &flat);
    if (status != SUMI_OK) return status;
    frames->data = flat.data;
    for (int i = 1; i < flat.rank; i++) frames->shape[i + 1] = flat.shape[i];
    return SUMI_OK;
}

/* ---- Filmstrips ---- */

sumi_status filmstrip_write(sumi_context *context, const struct filmstrip *strip, const char *path)
{
    const char *labels[FRAME_LIMIT];
    for (int i = 0; i < strip->count; i++) labels[i] = strip->labels[i];
    return sumi_draw_filmstrip(context, &strip->frames, labels, path);
}

void filmstrip_release(sumi_context *context, struct filmstrip *strip)
{
    sumi_array_release(context, &strip->frames);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Samples that begin with given items: image to image (Meng et al. 2022, SDEdit), and inpainting by
   replacing what is known after every step (Lugmayr et al. 2022, equation 8). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/session.h"

/* One run. */
struct painting {
    sumi_session *session;
    sumi_solver *solver;
    sumi_array *samples;
    float *noise, *clean, *known; /* [samples]; the last one at the noise of the next time */
    double *times;                /* [steps] */
    int64_t steps;
    sumi_solver_watcher watcher;
    void *user;
    sumi_status status; /* of the replacement */
};

/* ---- Setting ---- */

void start_release(sumi_session *session)
{
    sumi_array_release(session->context, &session->start.items);
    sumi_array_release(session->context, &session->start.mask);
    sumi_array_release(session->context, &session->channels);
}

/* Replaces `own` by a copy of another array, or of nothing. */
static sumi_status keep(sumi_context *context, const sumi_array *array, sumi_array *own)
{
    sumi_array copy = {.rank = 0};
    if (array) {
        TRY(sumi_array_create(context, array->rank, array->shape, &copy));
        memcpy(copy.data, array->data, (size_t)sumi_array_count(array) * sizeof *copy.data);
    }
    sumi_array_release(context, own);
    *own = copy;
    return SUMI_OK;
}

static sumi_status check_items(const sumi_session *session, const sumi_array *items,
                               const sumi_array *mask)
{
    int64_t shape[SUMI_MAX_RANK];
    int rank = sumi_model_shape(session->model, shape);
    bool fits = items->rank == rank + 1 && items->shape[0] > 0
                && memcmp(items->shape + 1, shape, (size_t)rank * sizeof *shape) == 0;
    if (!fits) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "the items to begin with should have the shape of the model's, which "
                            "sumi_model_set_size can change");
    }
    if (!mask) return SUMI_OK;
    fits = rank == 3 && mask->rank == 4 && mask->shape[0] > 0 && mask->shape[1] == shape[0]
           && mask->shape[2] == shape[1] && mask->shape[3] == 1;
    if (fits) return SUMI_OK;
    return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                        "a mask of items should be [n, %lld, %lld, 1]", (long long)shape[0],
                        (long long)shape[1]);
}

sumi_status sumi_session_set_start(sumi_session *session, const sumi_array *items, double strength,
                                   const sumi_array *mask)
{
    if (items && !(strength > 0 && strength <= 1)) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "the strength is above 0 and at most 1, not %g", strength);
    }
    if (items) TRY(check_items(session, items, mask));
    TRY(keep(session->context, items, &session->start.items));
    TRY(keep(session->context, items ? mask : NULL, &session->start.mask));
    session->start.strength = strength;
    return SUMI_OK;
}

sumi_status sumi_session_set_channels(sumi_session *session, const sumi_array *channels)
{
    return keep(session->context, channels, &session->channels);
}

/* ---- Where the run begins ---- */

/* The index in the list of times after which int(strength * steps) steps are left. */
static sumi_status find_place(const struct painting *painting, int64_t *place)
{
    const char *text = sumi_solver_get(painting->solver, "steps");
    int64_t count = sumi_solver_times(painting->solver, NULL, 0);
    int64_t steps = text ? strtoll(text, NULL, 10) : 0, each;
    if (count < 1) return SUMI_ERROR_ARGUMENT;
    if (steps < 1 || steps > count) steps = count;
    each = (count + steps / 2) / steps; /* evaluations of a step */
    int64_t left = (int64_t)(painting->session->start.strength * (double)steps);
    *place = (steps - left) * each;
    if (left > 0 && *place < count) return SUMI_OK;
    return context_fail(painting->session->context, SUMI_ERROR_ARGUMENT,
                        "with %lld steps a strength of %g leaves none; make more steps",
                        (long long)steps, painting->session->start.strength);
}

static sumi_status set_place(sumi_solver *solver, const char *place)
{
    return sumi_solver_set(solver, "start_index", place);
}

/* ---- The run ---- */

/* Repeats the items over the samples. */
static void spread(const sumi_array *items, const sumi_array *samples, float *to)
{
    int64_t size = sumi_array_count(items) / items->shape[0];
    for (int64_t i = 0; i < samples->shape[0]; i++)
        memcpy(to + i * size, items->data + i % items->shape[0] * size, (size_t)size * sizeof *to);
}

/* The state to begin with: the items with noise; noise alone where all of them is made anew in part
   of each. The noise of the solver has the deviation of its first state. */
static sumi_status fill_state(struct painting *painting)
{
    const struct session_start *start = &painting->session->start;
    sumi_array *samples = painting->samples;
    const int64_t count = sumi_array_count(samples);
    TRY(sumi_solver_start(painting->solver, samples->rank, samples->shape, samples->data));
    const double sigma = sumi_solver_initial_sigma(painting->solver);
    for (int64_t i = 0; i < count; i++) painting->noise[i] = (float)(samples->data[i] / sigma);
    spread(&start->items, samples, painting->clean);
    if (start->mask.data && start->strength == 1) return SUMI_OK;
    return sumi_solver_add_noise(painting->solver, count, painting->clean, painting->noise,
                                 painting->times[0], samples->data);
}

/* Puts the items back where they are not made anew. */
static sumi_status replace(struct painting *painting, int64_t step)
{
    const sumi_array *mask = &painting->session->start.mask, *samples = painting->samples;
    const int64_t channels = samples->shape[samples->rank - 1];
    const int64_t count = sumi_array_count(samples), places = sumi_array_count(mask);
    const float *known = painting->clean;
    if (step + 1 < painting->steps) {
        TRY(sumi_solver_add_noise(painting->solver, count, painting->clean, painting->noise,
                                  painting->times[step + 1], painting->known));
        known = painting->known;
    }
    for (int64_t i = 0; i < count; i++) {
        if (mask->data[i / channels % places] <= 0) samples->data[i] = known[i];
    }
    return SUMI_OK;
}

static bool watch(void *user, int64_t step, int64_t steps, double time, const float *x,
                  const float *clean)
{
    struct painting *painting = user;
    if (painting->session->start.mask.data) painting->status = replace(painting, step);
    if (painting->status != SUMI_OK) return false;
    return !painting->watcher || painting->watcher(painting->user, step, steps, time, x, clean);
}

static sumi_status allocate(struct painting *painting)
{
    sumi_context *context = painting->session->context;
    const size_t count = (size_t)sumi_array_count(painting->samples);
    painting->noise = context_allocate(context, count, sizeof *painting->noise);
    painting->clean = context_allocate(context, count, sizeof *painting->clean);
    painting->known = context_allocate(context, count, sizeof *painting->known);
    painting->steps = sumi_solver_times(painting->solver, NULL, 0);
    if (painting->steps < 1) return SUMI_ERROR_ARGUMENT;
    painting->times = context_allocate(context, (size_t)painting->steps, sizeof(double));
    if (!painting->noise || !painting->clean || !painting->known || !painting->times)
        return SUMI_ERROR_MEMORY;
    sumi_solver_times(painting->solver, painting->times, painting->steps);
    return SUMI_OK;
}

static sumi_status paint(struct painting *painting)
{
    sumi_array *samples = painting->samples;
    TRY(allocate(painting));
    TRY(fill_state(painting));
    sumi_status status =
        sumi_solver_run(painting->solver, sumi_session_denoiser, painting->session, samples->rank,
                        samples->shape, samples->data, watch, painting);
    return painting->status == SUMI_OK ? status : painting->status;
}

sumi_status start_draw(sumi_session *session, sumi_solver *solver, sumi_solver_watcher watcher,
                       void *user, sumi_array *samples)
{
    struct painting painting = {
        .session = session, .solver = solver, .samples = samples, .watcher = watcher, .user = user};
    sumi_context *context = session->context;
    char before[OPTION_WORD_SIZE], place[OPTION_WORD_SIZE];
    int64_t first = 0;
    TRY(check_items(session, &session->start.items,
                    session->start.mask.data ? &session->start.mask : NULL));
    snprintf(before, sizeof before, "%s", sumi_solver_get(solver, "start_index"));
    TRY(set_place(solver, "0"));
    sumi_status status = find_place(&painting, &first);
    snprintf(place, sizeof place, "%lld", (long long)first);
    if (status == SUMI_OK) status = set_place(solver, place);
    if (status == SUMI_OK) status = paint(&painting);
    set_place(solver, before);
    context_release(context, painting.noise);
    context_release(context, painting.clean);
    context_release(context, painting.known);
    context_release(context, painting.times);
    return status;
}

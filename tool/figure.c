/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of points; see figure.h. */
#include "figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inference.h"

bool figure_is_of_points(const sumi_model *model)
{
    int64_t shape[SUMI_MAX_RANK];
    return sumi_model_shape(model, shape) && sumi_model_kind(model) == SUMI_POINTS && shape[0] == 2;
}

bool figure_has_lines(const sumi_solver *solver)
{
    sumi_solver_info info = {.size = sizeof info};
    for (int i = 0; sumi_solver_describe(i, &info); i++)
        if (strcmp(info.name, sumi_solver_name(solver)) == 0) return !info.stochastic;
    return false;
}

/* A square around all samples, with a margin. */
static void find_square(const sumi_array *samples, double *x, double *y, double *half)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int64_t i = 0; i < samples->shape[0] * 2; i++) {
        low[i % 2] = fmin(low[i % 2], samples->data[i]);
        high[i % 2] = fmax(high[i % 2], samples->data[i]);
    }
    *x = 0.5 * (low[0] + high[0]);
    *y = 0.5 * (low[1] + high[1]);
    *half = 0.55 * fmax(high[0] - low[0], high[1] - low[1]);
}

/* Computes the score at places[count], for the first class of a class-conditional model. */
static sumi_status find_score(sumi_context *context, const sumi_model *model, int64_t count,
                              const float *places, double time, float *score)
{
    static const struct numbers FIRST = {.count = 1, .items = {0}}, NONE = {.count = 0};
    sumi_session *session = NULL;
    sumi_status status = sumi_session_create(context, model, &session);
    if (status == SUMI_OK)
        status = inference_classes(context, model, session, count,
                                   sumi_model_classes(model) ? &FIRST : &NONE);
    if (status == SUMI_OK) status = sumi_session_score(session, count, places, time, score);
    sumi_session_free(session);
    return status;
}

/* Computes arrows of the score at a time, on a grid over the samples: [GRID * GRID, 4]. */
static sumi_status fill_field(sumi_context *context, const sumi_model *model,
                              const sumi_array *samples, double time, sumi_array *arrows)
{
    enum { GRID = 22, COUNT = GRID * GRID };
    float places[2 * COUNT], score[2 * COUNT];
    double x, y, half;
    find_square(samples, &x, &y, &half);
    for (int i = 0; i < COUNT; i++) {
        places[2 * i] = (float)(x + half * (2.0 * (i % GRID) / (GRID - 1) - 1));
        places[2 * i + 1] = (float)(y + half * (2.0 * (i / GRID) / (GRID - 1) - 1));
    }
    sumi_status status = find_score(context, model, COUNT, places, time, score);
    if (status == SUMI_OK) status = sumi_array_create(context, 2, (int64_t[]){COUNT, 4}, arrows);
    for (int i = 0; i < COUNT && status == SUMI_OK; i++) {
        memcpy(arrows->data + 4 * i, places + 2 * i, 2 * sizeof *places);
        memcpy(arrows->data + 4 * i + 2, score + 2 * i, 2 * sizeof *score);
    }
    return status;
}

int figure_write(sumi_context *context, sumi_model *model, const sumi_array *samples,
                 const struct trail *trail, const char *field, const char *path)
{
    sumi_array arrows = {0};
    sumi_status status = SUMI_OK;
    if (field) {
        status = fill_field(context, model, samples, strtod(field, NULL), &arrows);
        if (status != SUMI_OK) return fail_argument(context, status);
    }
    status = sumi_draw_points(context, samples, trail ? &trail->states : NULL,
                              field ? &arrows : NULL, path);
    sumi_array_release(context, &arrows);
    return status == SUMI_OK ? EXIT_DONE : fail_context(context);
}

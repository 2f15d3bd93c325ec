/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of points; see figure.h. */
#include "figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool figure_is_of_points(const sumi_model *model)
{
    int64_t shape[SUMI_MAX_RANK];
    return sumi_model_shape(model, shape) && sumi_model_kind(model) == SUMI_POINTS && shape[0] == 2;
}

bool figure_has_lines(const sumi_solver *solver)
{
    return !inference_adds_noise(sumi_solver_name(solver));
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
static int find_score(struct inference *inference, int64_t count, const float *places, double time,
                      float *score)
{
    static const struct numbers FIRST = {.count = 1, .items = {0}}, NONE = {.count = 0};
    int code = inference_set_classes(inference, count,
                                     sumi_model_classes(inference->model) ? &FIRST : &NONE);
    if (code != EXIT_DONE) return code;
    sumi_status status = sumi_session_score(inference->session, count, places, time, score);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(inference->context, status);
}

/* Computes arrows of the score at a time, on a grid over the samples: [GRID * GRID, 4]. */
static int fill_field(struct inference *inference, const sumi_array *samples, double time,
                      sumi_array *arrows)
{
    enum { GRID = 22, COUNT = GRID * GRID };
    float places[2 * COUNT], score[2 * COUNT];
    double x, y, half;
    find_square(samples, &x, &y, &half);
    for (int i = 0; i < COUNT; i++) {
        places[2 * i] = (float)(x + half * (2.0 * (i % GRID) / (GRID - 1) - 1));
        places[2 * i + 1] = (float)(y + half * (2.0 * (i / GRID) / (GRID - 1) - 1));
    }
    int code = find_score(inference, COUNT, places, time, score);
    if (code != EXIT_DONE) return code;
    if (sumi_array_create(inference->context, 2, (int64_t[]){COUNT, 4}, arrows) != SUMI_OK)
        return fail_context(inference->context);
    for (int i = 0; i < COUNT; i++) {
        memcpy(arrows->data + 4 * i, places + 2 * i, 2 * sizeof *places);
        memcpy(arrows->data + 4 * i + 2, score + 2 * i, 2 * sizeof *score);
    }
    return EXIT_DONE;
}

int figure_write(struct inference *inference, const sumi_array *samples, const struct trail *trail,
                 const char *field, const char *path)
{
    sumi_array arrows = {0};
    int code = field ? fill_field(inference, samples, strtod(field, NULL), &arrows) : EXIT_DONE;
    if (code == EXIT_DONE
        && sumi_draw_points(inference->context, samples, trail ? &trail->states : NULL,
                            field ? &arrows : NULL, path)
               != SUMI_OK)
        code = fail_context(inference->context);
    sumi_array_release(inference->context, &arrows);
    return code;
}

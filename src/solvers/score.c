/* SPDX-License-Identifier: Apache-2.0 */
/* See score.h. */
#include "solvers/score.h"

#include <math.h>

#include "vectors/rows.h"

/* Computes the score from the predicted noise, to avoid cancellation where there is little noise;
   from x0hat only where that was clipped. */
void score_fill(const struct solver_run *run, const struct level *level, float *row)
{
    const struct prediction_map *map = &run->map;
    if (!run->options->clip_sample && !run->options->thresholding) {
        rows_combine(run->threads, run->total, row, 2,
                     (struct row_term[]){{-map->noise_state / level->noise, run->x},
                                         {-map->noise_prediction / level->noise, run->prediction}});
        return;
    }
    double square = level->noise * level->noise;
    rows_combine(run->threads, run->total, row, 2,
                 (struct row_term[]){{level->signal / square, run->clean}, {-1 / square, run->x}});
}

void score_euler_maruyama(struct solver_run *run, const float *score, float *noise)
{
    const struct noise_path *path = run->path;
    double sigma = run->sigmas[run->place], next = run->sigmas[run->place + 1];
    if (next == 0) {
        rows_combine(run->threads, run->total, run->x, 1, &(struct row_term){1, run->clean});
        return;
    }
    struct noise_level level = path_level_at(path, sigma);
    struct path_sde sde = path_sde(&level);
    double dt = fmin(path_own_time(path, path_time(path, next))
                         - path_own_time(path, path_time(path, sigma)),
                     0); /* rounding may make it positive */
    run_draw(run, noise);
    rows_combine(run->threads, run->total, run->x, 3,
                 (struct row_term[]){{1 + sde.drift * dt, run->x},
                                     {-sde.diffusion * dt, score},
                                     {sqrt(-sde.diffusion * dt), noise}});
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See stages.h. */
#include "solvers/stages.h"

#include <math.h>

#include "vectors/rows.h"

static bool knows_the_end(const struct solver_options *options, const struct noise_path *path)
{
    return path->kind == PATH_FLOW
           && (options->prediction_type == PREDICTION_FLOW
               || options->prediction_type == PREDICTION_VELOCITY);
}

sumi_status stages_insert(sumi_context *context, const struct solver_options *options,
                          const struct noise_path *path, int count, const double *shares,
                          bool to_the_end, enum scale scale, struct grid *grid)
{
    int64_t steps = grid->count;
    double last = grid->sigmas[steps];
    bool plain =
        last == 0 && shares[count - 1] == 1 && !(to_the_end && knows_the_end(options, path));
    TRY(grid_resize(context, grid, steps * count - (plain ? count - 1 : 0)));
    for (int64_t step = steps - 1; step >= 0; step--) {
        double from = grid->sigmas[step], time = grid->times[step];
        double to = step == steps - 1 ? last : grid->sigmas[(step + 1) * count];
        double next_time = step == steps - 1 ? 0 : grid->times[(step + 1) * count];
        int entries = plain && step == steps - 1 ? 1 : count;
        for (int k = entries - 1; k >= 0; k--) {
            double sigma = from + shares[k] * (to - from),
                   *visited = &grid->times[step * count + k];
            grid->sigmas[step * count + k] = sigma;
            if (k == 0) *visited = time;
            else if (shares[k] == 1 && step < steps - 1) *visited = next_time;
            else *visited = path_time(path, grid_ratio(scale, sigma));
        }
    }
    grid->sigmas[grid->count] = last;
    return SUMI_OK;
}

struct stage stage_here(const struct solver_run *run, int count)
{
    struct stage stage = {.number = (int)(run->place % count)};
    stage.first = run->place - stage.number;
    stage.next = stage.first + count < run->time_count ? stage.first + count : run->time_count;
    stage.plain = stage.next - stage.first < count;
    stage.late = stage.first < run->options->start_index;
    return stage;
}

sumi_status stage_late(struct solver_run *run, const struct stage *stage)
{
    double sigma = run->sigmas[run->place];
    if (run_made(run) > 0) return SUMI_OK;
    TRY(run_evaluate_here(run));
    run_slope(run, sigma, run->row[0]);
    stage_advance(run, run->x, run->sigmas[stage->next] - sigma, run->row[0]);
    return SUMI_OK;
}

void stage_churn(struct solver_run *run, double sigma, double raised, float *noise)
{
    double from = grid_ratio(run->scale, sigma), to = grid_ratio(run->scale, raised);
    double before = level_at(run->scale, run->path, sigma).signal;
    double after = level_at(run->scale, run->path, raised).signal;
    double deviation = after * run->options->s_noise * sqrt(to * to - from * from);
    run_draw(run, noise);
    rows_combine(run->threads, run->total, run->x, 2,
                 (struct row_term[]){{after / before, run->x}, {deviation, noise}});
}

void stage_advance(struct solver_run *run, const float *row, double weight, const float *slope)
{
    rows_combine(run->threads, run->total, run->x, 2,
                 (struct row_term[]){{1, row}, {weight, slope}});
}

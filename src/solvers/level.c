/* SPDX-License-Identifier: Apache-2.0 */
/* The signal and noise coefficients of a solver's state at a time, and adding noise to data. */
#include <math.h>

#include "solvers/solver.h"
#include "vectors/rows.h"

/* Accepts the times of the list and those from clean data, which paths other than tables have at
   their own time 0, to the greatest noise. */
static sumi_status check_range(const sumi_solver *solver, double time)
{
    const struct noise_path *path = &solver->path;
    double first = path->kind == PATH_TABLE ? path_first(path) : path_time_of(path, 0);
    double last = path_last(path);
    bool inside =
        time >= first - 1e-6 * (1 + fabs(first)) && time <= last + 1e-6 * (1 + fabs(last));
    if (isfinite(time) && (inside || grid_place(&solver->grid, time) >= 0)) return SUMI_OK;
    if (isinf(first)) {
        return context_fail(
            solver->context, SUMI_ERROR_ARGUMENT,
            "time %g is outside this schedule, whose times are finite and at most %g", time, last);
    }
    return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                        "time %g is outside this schedule, whose times are from %g to %g", time,
                        first, last);
}

/* The level for solvers that use only the whole times of a table. */
static sumi_status whole_level(const sumi_solver *solver, double time, struct noise_level *level)
{
    double last = (double)(solver->path.count - 1);
    if (!(time >= 0 && time <= last) || time != floor(time)) {
        return context_fail(
            solver->context, SUMI_ERROR_ARGUMENT,
            "time %g is outside this schedule, whose times are whole numbers from 0 to %g", time,
            last);
    }
    *level = schedule_level(&solver->schedule, (int64_t)time);
    return SUMI_OK;
}

/* The level at a time, on the solver's scale. */
static sumi_status level_of_time(const sumi_solver *solver, double time, struct noise_level *level)
{
    const struct noise_path *path = &solver->path;
    enum scale scale = grid_scale(&solver->options, path, solver->type->scale);
    if (path->kind == PATH_TABLE && !solver->grid.sigmas) return whole_level(solver, time, level);
    TRY(check_range(solver, time));
    double sigma = grid_sigma(&solver->grid, path, scale, time);
    if (isinf(sigma) && scale == SCALE_EXPLODING) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "no signal is left at time %g, but the state of the solver %s is x0 + "
                            "sigma e, with the full signal",
                            time, solver->type->name);
    }
    if (isinf(sigma)) { /* the end of a flow */
        *level = (struct noise_level){.signal = 0, .noise = 1};
        return SUMI_OK;
    }
    struct level kept = level_at(scale == SCALE_TABLE ? SCALE_PRESERVING : scale, path, sigma);
    *level = (struct noise_level){.signal = kept.signal, .noise = kept.noise};
    return SUMI_OK;
}

sumi_status sumi_solver_level(sumi_solver *solver, double time, double *signal, double *noise)
{
    struct noise_level level = {.signal = 1};
    if (!signal || !noise) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "sumi_solver_level needs memory for the signal and the noise, not"
                            " NULL");
    }
    TRY(solver_prepare(solver));
    if (solver_is_binomial(solver)) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "the solver %s flips bits, so its state is not a sum of data and noise",
                            solver->type->name);
    }
    TRY(level_of_time(solver, time, &level));
    *signal = level.signal;
    *noise = level.noise;
    return SUMI_OK;
}

sumi_status sumi_solver_add_noise(sumi_solver *solver, int64_t count, const float *clean,
                                  const float *noise, double time, float *noised)
{
    struct noise_level level = {.signal = 1};
    TRY(solver_prepare(solver));
    TRY(level_of_time(solver, time, &level));
    if (solver->type->add_noise_to_bits) {
        float product = solver->schedule.alphas_cumprod[(int64_t)time];
        solver->type->add_noise_to_bits(product, count, clean, noise, noised);
        return SUMI_OK;
    }
    struct row_term terms[] = {{level.signal, clean}, {level.noise, noise}};
    rows_combine(solver->context->threads, count, noised, 2, terms);
    return SUMI_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Building the list of places; see grid.h. */
#include "solvers/grid.h"

#include <math.h>
#include <string.h>

#include "solvers/places.h"
#include "solvers/respacing.h"
#include "solvers/spacing.h"

enum { SMALL_SIGMA = 16 };

/* ---- Scales ---- */

struct level level_at(enum scale scale, const struct noise_path *path, double sigma)
{
    struct level level = {1, sigma, -log(sigma)};
    if (scale == SCALE_PRESERVING) {
        level.signal = 1 / sqrt(1 + sigma * sigma);
        level.noise = sigma * level.signal;
    } else if (scale == SCALE_STRAIGHT) {
        level.signal = 1 - sigma;
        level.log_ratio = log(level.signal) - log(sigma);
    } else if (scale == SCALE_OWN) {
        struct noise_level own = path_level_at(path, sigma);
        level.signal = own.signal;
        level.noise = own.noise;
    }
    return level;
}

enum scale grid_scale(const struct solver_options *options, const struct noise_path *path,
                      enum scale scale)
{
    if (scale == SCALE_BOUNDED) return options->as_class ? SCALE_EXPLODING : SCALE_STRAIGHT;
    if (scale == SCALE_NEAR)
        return path->kind != PATH_FLOW && path_most(path) <= SMALL_SIGMA ? SCALE_EXPLODING
                                                                         : SCALE_STRAIGHT;
    if (scale == SCALE_NATURAL) return path->kind == PATH_FLOW ? SCALE_STRAIGHT : SCALE_EXPLODING;
    return options->use_flow_sigmas && scale == SCALE_PRESERVING ? SCALE_STRAIGHT : scale;
}

double grid_ratio(enum scale scale, double sigma)
{
    return scale == SCALE_STRAIGHT ? sigma / (1 - sigma) : sigma;
}

double grid_sigma_of(enum scale scale, double ratio)
{
    if (scale != SCALE_STRAIGHT) return ratio;
    return isinf(ratio) ? 1 : ratio / (1 + ratio);
}

/* Converts sigmas of the straight scale to ratios, or back, where the solver's scale is the other
   one. */
static void rescale(enum scale made, enum scale scale, struct grid *grid)
{
    if ((made == SCALE_STRAIGHT) == (scale == SCALE_STRAIGHT)) return;
    for (int64_t i = 0; i <= grid->count; i++) {
        double ratio = grid_ratio(made, grid->sigmas[i]);
        if (made == SCALE_STRAIGHT) ratio = fmin(ratio, GRID_MOST_RATIO);
        grid->sigmas[i] = grid_sigma_of(scale, ratio);
    }
}

/* ---- The whole grid ---- */

sumi_status grid_resize(sumi_context *context, struct grid *grid, int64_t count)
{
    double *times = context_allocate_zeroed(context, (size_t)count, sizeof *times);
    double *sigmas = context_allocate_zeroed(context, (size_t)count + 1, sizeof *sigmas);
    if (!times || !sigmas) {
        context_release(context, times);
        context_release(context, sigmas);
        return SUMI_ERROR_MEMORY;
    }
    int64_t kept = grid->count < count ? grid->count : count;
    if (grid->times) memcpy(times, grid->times, (size_t)kept * sizeof *times);
    if (grid->sigmas) memcpy(sigmas, grid->sigmas, (size_t)kept * sizeof *sigmas);
    context_release(context, grid->times);
    context_release(context, grid->sigmas);
    grid->times = times;
    grid->sigmas = sigmas;
    grid->count = count;
    return SUMI_OK;
}

static double start_deviation(const struct solver_options *options, const struct noise_path *path,
                              enum scale scale, const struct grid *grid)
{
    double most = 0;
    for (int64_t i = 0; i < grid->count; i++) most = fmax(most, grid->sigmas[i]);
    if (scale == SCALE_OWN) return path_level_at(path, most).noise;
    bool straight = scale == SCALE_STRAIGHT && path->kind != PATH_FLOW && most < 1;
    if (scale != SCALE_EXPLODING && !straight) return 1;
    double ratio = grid_ratio(scale, most), signal = straight ? 1 - most : 1;
    bool data_too = path->kind == PATH_EDM
                    || (path->kind == PATH_TABLE && options->timestep_spacing == SPACING_LEADING);
    return signal * (data_too ? sqrt(ratio * ratio + 1) : ratio);
}

static bool predicts_noise(const struct solver_options *options)
{
    return options->prediction_type == PREDICTION_EPSILON
           || options->prediction_type == PREDICTION_SCORE;
}

/* Refuses solvers that need some signal where the first place has none. */
static sumi_status check_start(sumi_context *context, const struct solver_options *options,
                               const struct noise_path *path, enum scale scale, double ratio,
                               double time)
{
    bool ends_without = path->kind == PATH_FLOW || path->kind == PATH_COSINE;
    if (path->kind == PATH_TABLE) { /* diffusers divides by the little signal that is left */
        ends_without = path->schedule->alphas_cumprod[path->count - 1] == 0
                       && options->compat != COMPATIBLE_DIFFUSERS;
    }
    if (!ends_without || ratio < 0.999999 * GRID_MOST_RATIO) return SUMI_OK;
    if (scale == SCALE_OWN) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "no signal is left at time %g, where the drift of the stochastic "
                            "equation is infinite; begin later (see timesteps)",
                            time);
    }
    if (!predicts_noise(options)) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "no signal is left at time %g, so a prediction of noise does not determine "
                        "the data; prediction_type must be \"v_prediction\", \"sample\" or"
                        " \"flow_prediction\" there",
                        time);
}

/* Fills the places by the rule of the path and converts them to the solver's scale. */
static sumi_status place_all(sumi_context *context, const struct solver_options *options,
                             const struct noise_path *path, enum scale scale,
                             enum time_family family, struct grid *grid)
{
    struct placing placing = {.options = options,
                              .path = path,
                              .family = family,
                              .needs_signal = scale == SCALE_OWN || predicts_noise(options)
                                              || path->time_kind != TIME_DISCRETE};
    enum scale made = SCALE_EXPLODING;
    TRY(respacing_check(context, options, &placing.respaced));
    if (path->kind == PATH_FLOW) {
        made = SCALE_STRAIGHT;
        TRY(options->use_flow_sigmas ? places_straight(context, &placing, grid)
                                     : places_flow(context, &placing, grid));
    } else if (path->kind == PATH_TABLE) {
        TRY(places_table(context, &placing, grid));
    } else {
        TRY(places_continuous(context, &placing, grid));
    }
    rescale(made, scale, grid);
    return check_start(context, options, path, scale, grid_ratio(scale, grid->sigmas[0]),
                       grid->times[0]);
}

static int64_t default_count(const struct solver_options *options, const struct noise_path *path,
                             enum time_family family)
{
    if (options->timesteps.values) return options->timesteps.count;
    if (options->sigmas.values) return places_given(&options->sigmas);
    bool whole = path->kind == PATH_TABLE && family != TIMES_REAL;
    if (options->steps) return whole ? places_whole_count(options, path) : options->steps;
    if (path->kind != PATH_TABLE || family == TIMES_REAL) return path->count;
    int64_t all = places_clipped_count(options, path); /* one more place for the end */
    return all > 1 ? all - 1 : all;
}

static sumi_status check_begin(sumi_context *context, const struct noise_path *path, bool whole,
                               double time)
{
    double first = path_first(path), last = path_last(path), slack = 1e-6 * (1 + fabs(last));
    if (!(time >= first - slack && time <= last + slack)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "time %g is outside the times of this model, %g to %g", time, first,
                            last);
    }
    if (whole && time != floor(time)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "this solver begins at whole times of the schedule, not at %g", time);
    }
    return SUMI_OK;
}

/* On a path that ends without signal, the ratio of start_time is limited to GRID_MOST_RATIO. */
sumi_status grid_begin(sumi_context *context, const struct solver_options *options,
                       const struct noise_path *path, enum scale scale, struct grid *grid)
{
    double time = options->start_time, near = 1e-9 * (1 + fabs(time));
    int64_t after = 0;
    if (isinf(time)) return SUMI_OK;
    TRY(check_begin(context, path, path->kind == PATH_TABLE && !grid->sigmas, time));
    while (after < grid->count && grid->times[after] >= time - near) after++;
    if (after == 0) {
        bool levels = grid->sigmas != NULL;
        TRY(grid_resize(context, grid, grid->count + 1));
        for (int64_t i = grid->count - 1; i > 0; i--) grid->times[i] = grid->times[i - 1];
        for (int64_t i = grid->count; i > 0; i--) grid->sigmas[i] = grid->sigmas[i - 1];
        if (!levels) context_release(context, grid->sigmas);
        if (!levels) grid->sigmas = NULL;
        after = 1;
    }
    int64_t dropped = after - 1;
    grid->count -= dropped;
    for (int64_t i = 0; i < grid->count; i++) grid->times[i] = grid->times[i + dropped];
    grid->times[0] = time;
    if (!grid->sigmas) return SUMI_OK;
    for (int64_t i = 0; i <= grid->count; i++) grid->sigmas[i] = grid->sigmas[i + dropped];
    double most = scale == SCALE_STRAIGHT ? INFINITY : GRID_MOST_RATIO;
    grid->sigmas[0] = grid_sigma_of(scale, fmin(path_sigma(path, time), most));
    return SUMI_OK;
}

sumi_status grid_build(sumi_context *context, const struct solver_options *options,
                       const struct noise_path *path, enum scale scale, enum time_family family,
                       struct grid *grid)
{
    *grid = (struct grid){.init_noise_sigma = 1};
    sumi_status status;
    if (family == TIMES_TABLE && path->kind == PATH_TABLE) {
        status = spacing_times(context, options, path->schedule, &grid->times, &grid->count);
        if (status == SUMI_OK) status = grid_begin(context, options, path, scale, grid);
        if (status != SUMI_OK) grid_release(context, grid);
        return status;
    }
    status = grid_resize(context, grid, default_count(options, path, family));
    if (status == SUMI_OK) status = place_all(context, options, path, scale, family, grid);
    if (status == SUMI_OK) status = grid_begin(context, options, path, scale, grid);
    if (status != SUMI_OK) {
        grid_release(context, grid);
        return status;
    }
    grid->init_noise_sigma = start_deviation(options, path, scale, grid);
    if (scale == SCALE_TABLE) { /* these solvers read the levels from the path */
        context_release(context, grid->sigmas);
        grid->sigmas = NULL;
    }
    return SUMI_OK;
}

void grid_release(sumi_context *context, struct grid *grid)
{
    context_release(context, grid->times);
    context_release(context, grid->sigmas);
    memset(grid, 0, sizeof *grid);
}

int64_t grid_place(const struct grid *grid, double time)
{
    for (int64_t i = 0; i < grid->count; i++) /* times that were rounded to float32 match too */
        if (fabs(grid->times[i] - time) <= 1e-6 * (1 + fabs(time))) return i;
    return -1;
}

double grid_sigma(const struct grid *grid, const struct noise_path *path, enum scale scale,
                  double time)
{
    int64_t place = grid->sigmas ? grid_place(grid, time) : -1;
    return place >= 0 ? grid->sigmas[place] : grid_sigma_of(scale, path_sigma(path, time));
}

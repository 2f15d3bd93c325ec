/* SPDX-License-Identifier: Apache-2.0 */
/* The paths from data to noise; see path.h. */
#include "noise/path.h"

#include <math.h>

/* A table that ends without signal has no finite sigma at its last time; diffusers uses that of
   abar = 2^-24. The times before it may have a larger sigma than that: they are clamped below it,
   so that sigma still grows, each by this fraction of it. */
static const double most_table_sigma = 4095.999878;
static const double least_gap = 1e-3;

static const double half_pi = 1.57079632679489661923;

/* ---- Tables ---- */

static double table_sigma(const struct schedule *schedule, int64_t time)
{
    double product = schedule->alphas_cumprod[time], last = (double)(schedule->count - 1);
    double sigma = sqrt((1 - product) / product);
    if (schedule->alphas_cumprod[schedule->count - 1] > 0) return sigma;
    return fmin(sigma, most_table_sigma / (1 + least_gap * (last - (double)time)));
}

static double table_sigma_between(const struct schedule *schedule, double time)
{
    time = fmin(fmax(time, 0), (double)(schedule->count - 1));
    int64_t below = (int64_t)time;
    double share = time - (double)below, sigma = table_sigma(schedule, below);
    return share > 0 ? sigma + share * (table_sigma(schedule, below + 1) - sigma) : sigma;
}

static double table_time(const struct schedule *schedule, double sigma)
{
    int64_t low = 0, high = schedule->count - 1;
    if (high == 0) return 0;
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (table_sigma(schedule, middle) <= sigma) low = middle;
        else high = middle;
    }
    double from = log(table_sigma(schedule, low)), to = log(table_sigma(schedule, high));
    double share = (log(fmax(sigma, 1e-10)) - from) / (to - from);
    return (double)low + fmin(fmax(share, 0), 1);
}

static struct noise_level preserving_level(double sigma)
{
    double signal = 1 / sqrt(1 + sigma * sigma);
    return (struct noise_level){.signal = signal, .noise = sigma * signal};
}

static void add_table_slopes(const struct schedule *schedule, double time,
                             struct noise_level *level)
{
    double last = (double)(schedule->count - 1);
    int64_t below = (int64_t)fmin(fmax(time, 0), last);
    double share = fmin(fmax(time - (double)below, 0), 1);
    struct noise_level lower = schedule_level(schedule, below), upper = lower;
    if (share > 0 && below < schedule->count - 1) upper = schedule_level(schedule, below + 1);
    level->signal_slope = (1 - share) * lower.signal_slope + share * upper.signal_slope;
    level->noise_slope = (1 - share) * lower.noise_slope + share * upper.noise_slope;
}

static struct noise_level table_level(const struct noise_path *path, double time)
{
    const struct schedule *schedule = path->schedule;
    int64_t whole = (int64_t)fmin(fmax(time, 0), (double)(schedule->count - 1));
    if (time == (double)whole) return schedule_level(schedule, whole);
    struct noise_level level = preserving_level(table_sigma_between(schedule, time));
    add_table_slopes(schedule, time, &level);
    return level;
}

/* ---- Continuous paths, by their own time ---- */

/* B(t) and its inverse: the root of beta_min t + (beta_max - beta_min) t^2 / 2 = B, in a form that
   stays exact where the two betas are equal. */
static double beta_integral(const struct noise_path *path, double t)
{
    return t * (path->beta_min + 0.5 * t * (path->beta_max - path->beta_min));
}

static double beta_time(const struct noise_path *path, double integral)
{
    double low = path->beta_min, gap = path->beta_max - path->beta_min;
    return 2 * integral / (low + sqrt(low * low + 2 * gap * integral));
}

static struct noise_level level_of(const struct noise_path *path, double t)
{
    struct noise_level level = {1, t, 0, 1}; /* edm */
    double integral = beta_integral(path, t);
    double beta = path->beta_min + t * (path->beta_max - path->beta_min);
    switch (path->kind) {
    case PATH_VP:
    case PATH_SUB_VP:
        level.signal = exp(-integral / 2);
        level.signal_slope = -beta / 2 * level.signal;
        level.noise = path->kind == PATH_VP ? sqrt(-expm1(-integral)) : -expm1(-integral);
        level.noise_slope = beta * exp(-integral) * (path->kind == PATH_VP ? 0.5 / level.noise : 1);
        break;
    case PATH_VE: {
        double growth = log(path->sigma_max / path->sigma_min);
        level.noise = path->sigma_min * exp(t * growth);
        level.noise_slope = level.noise * growth;
        break;
    }
    case PATH_FLOW:
        level.signal = 1 - t;
        level.signal_slope = -1;
        break;
    case PATH_COSINE:
        level.signal = cos(half_pi * t);
        level.noise = sin(half_pi * t);
        level.signal_slope = -half_pi * level.noise;
        level.noise_slope = half_pi * level.signal;
        break;
    case PATH_TABLE:
    case PATH_EDM: break;
    }
    return level;
}

/* The path's own time at which s / a is sigma. For sub_vp, sigma = 2 sinh(B / 2). */
static double own_time_at(const struct noise_path *path, double sigma)
{
    switch (path->kind) {
    case PATH_VP: return beta_time(path, log1p(sigma * sigma));
    case PATH_SUB_VP: return beta_time(path, 2 * asinh(sigma / 2));
    case PATH_VE: return log(sigma / path->sigma_min) / log(path->sigma_max / path->sigma_min);
    case PATH_FLOW: return isinf(sigma) ? 1 : sigma / (1 + sigma);
    case PATH_COSINE: return atan(sigma) / half_pi;
    case PATH_TABLE: return (table_time(path->schedule, sigma) + 1) / (double)path->count;
    case PATH_EDM: break;
    }
    return sigma;
}

/* ---- Times ---- */

/* The network's time at t = 1, for paths whose t ends at 1. */
static double span(const struct noise_path *path)
{
    if (path->kind == PATH_COSINE) return 1;
    if (path->kind == PATH_FLOW || path->count < 2) return (double)path->count;
    return (double)(path->count - 1);
}

static enum time_kind time_kind_of(const struct noise_path *path)
{
    return path->kind == PATH_EDM && path->time_kind == TIME_DISCRETE ? TIME_CONTINUOUS
                                                                      : path->time_kind;
}

/* The network's time input for a ratio sigma, and the inverse. */
static double time_of_ratio(enum time_kind kind, double sigma)
{
    if (kind == TIME_SIGMA) return sigma;
    return kind == TIME_CONTINUOUS ? log(sigma) / 4 : 250 * log(sigma);
}

static double ratio_of(enum time_kind kind, double time)
{
    if (kind == TIME_SIGMA) return time;
    return exp(kind == TIME_CONTINUOUS ? 4 * time : time / 250);
}

double path_time_of(const struct noise_path *path, double t)
{
    if (path->kind == PATH_TABLE && time_kind_of(path) == TIME_DISCRETE)
        return t * (double)path->count - 1;
    if (time_kind_of(path) == TIME_DISCRETE) return t * span(path);
    double sigma = path->kind == PATH_TABLE
                       ? table_sigma_between(path->schedule, t * (double)path->count - 1)
                       : level_of(path, t).noise / level_of(path, t).signal;
    return time_of_ratio(time_kind_of(path), sigma);
}

double path_own_time(const struct noise_path *path, double time)
{
    if (time_kind_of(path) != TIME_DISCRETE)
        return own_time_at(path, ratio_of(time_kind_of(path), time));
    return path->kind == PATH_TABLE ? (time + 1) / (double)path->count : time / span(path);
}

double path_sigma(const struct noise_path *path, double time)
{
    if (time_kind_of(path) != TIME_DISCRETE) return ratio_of(time_kind_of(path), time);
    if (path->kind == PATH_TABLE) return table_sigma_between(path->schedule, time);
    struct noise_level level = level_of(path, path_own_time(path, time));
    return level.noise / level.signal;
}

double path_time(const struct noise_path *path, double sigma)
{
    if (time_kind_of(path) != TIME_DISCRETE) return time_of_ratio(time_kind_of(path), sigma);
    if (path->kind == PATH_TABLE) return table_time(path->schedule, sigma);
    return own_time_at(path, sigma) * span(path);
}

struct noise_level path_level(const struct noise_path *path, double time)
{
    if (path->kind != PATH_TABLE) return level_of(path, path_own_time(path, time));
    if (time_kind_of(path) == TIME_DISCRETE) return table_level(path, time);
    return path_level_at(path, path_sigma(path, time));
}

struct noise_level path_level_at(const struct noise_path *path, double sigma)
{
    if (path->kind != PATH_TABLE) return level_of(path, own_time_at(path, sigma));
    struct noise_level level = preserving_level(sigma);
    add_table_slopes(path->schedule, table_time(path->schedule, sigma), &level);
    return level;
}

double path_least(const struct noise_path *path)
{
    double t = path->eps;
    if (path->kind == PATH_TABLE) return table_sigma(path->schedule, 0);
    if (path->kind == PATH_EDM) t = path->sigma_min;
    if (path->kind == PATH_FLOW || path->kind == PATH_COSINE) t = 1 / (double)path->count;
    struct noise_level level = level_of(path, t);
    return level.noise / level.signal;
}

double path_most(const struct noise_path *path)
{
    if (path->kind == PATH_TABLE) return table_sigma(path->schedule, path->schedule->count - 1);
    struct noise_level level = level_of(path, path->kind == PATH_EDM ? path->sigma_max : 1);
    return level.noise / level.signal;
}

double path_first(const struct noise_path *path)
{
    if (path->kind == PATH_TABLE && time_kind_of(path) == TIME_DISCRETE) return 0;
    return path_time(path, path_least(path));
}

double path_last(const struct noise_path *path)
{
    return path->kind == PATH_TABLE && time_kind_of(path) == TIME_DISCRETE
               ? (double)(path->count - 1)
               : path_time(path, path_most(path));
}

/* ---- SDE, predictions, checks ---- */

struct path_sde path_sde(const struct noise_level *level)
{
    double drift = level->signal_slope / level->signal;
    return (struct path_sde){drift, 2 * level->noise * (level->noise_slope - drift * level->noise)};
}

/* Karras et al. 2022, eq. 7 and table 1: x0 = c_skip x + c_out F. */
static bool preconditioned(const struct noise_path *path, enum prediction_type type)
{
    return path->kind == PATH_EDM && (type == PREDICTION_EPSILON || type == PREDICTION_V);
}

struct prediction_target path_target(const struct noise_path *path, enum prediction_type type,
                                     const struct noise_level *level)
{
    if (!preconditioned(path, type)) return prediction_target(type, level);
    double data = path->sigma_data, sigma = level->noise, square = sigma * sigma + data * data;
    double skip = data * data / square, out = sigma * data / sqrt(square);
    if (type == PREDICTION_V) out = -out;
    return (struct prediction_target){(1 - skip) / out, -skip * sigma / out};
}

struct prediction_map path_map(const struct noise_path *path, enum prediction_type type,
                               const struct noise_level *level)
{
    if (!preconditioned(path, type)) return prediction_map(type, level);
    struct prediction_target target = path_target(path, type, level);
    return prediction_solve(&target, level);
}

double path_input_scale(const struct noise_path *path, const struct noise_level *level)
{
    if (path->kind != PATH_EDM) return 1;
    return 1 / sqrt(level->noise * level->noise + path->sigma_data * path->sigma_data);
}

double path_shift(double shift, double t)
{
    return shift * t / (1 + (shift - 1) * t);
}

sumi_status path_check(sumi_context *context, const struct noise_path *path)
{
    bool betas = path->kind == PATH_VP || path->kind == PATH_SUB_VP;
    bool sigmas = path->kind == PATH_VE || path->kind == PATH_EDM;
    if (betas && !(path->beta_min > 0 && path->beta_max >= path->beta_min)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "beta_min must be above 0 and not above beta_max, not %g and %g",
                            path->beta_min, path->beta_max);
    }
    if (sigmas && !(path->sigma_min > 0 && path->sigma_min < path->sigma_max)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "sigma_min must be above 0 and below sigma_max, not %g and %g",
                            path->sigma_min, path->sigma_max);
    }
    if ((betas || path->kind == PATH_VE) && !(path->eps > 0 && path->eps < 1)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "sampling_eps must be above 0 and below 1, not %g", path->eps);
    }
    return SUMI_OK;
}

/* Building the list of places; see grid.h. */
#include "solvers/grid.h"

#include <math.h>
#include <string.h>

#include "solvers/respacing.h"
#include "solvers/spacing.h"

/* A schedule without signal has no finite sigma; diffusers puts this abar in its last place. */
static const double least_product = 0x1p-24;

/* ---- Levels and the schedule's own sigmas ---- */

struct level level_at(enum scale scale, double sigma)
{
    struct level level = {1, sigma, -log(sigma)};
    if (scale == SCALE_PRESERVING) {
        level.signal = 1 / sqrt(1 + sigma * sigma);
        level.noise = sigma * level.signal;
    } else if (scale == SCALE_STRAIGHT) {
        level.signal = 1 - sigma;
        level.log_ratio = log(level.signal) - log(sigma);
    }
    return level;
}

enum scale grid_scale(const struct solver_options *options, enum scale scale)
{
    return options->use_flow_sigmas && scale == SCALE_PRESERVING ? SCALE_STRAIGHT : scale;
}

static double table_sigma(const struct schedule *schedule, int64_t time)
{
    double product = fmax(schedule->alphas_cumprod[time], least_product);
    return sqrt((1 - product) / product);
}

/* Between whole times linear in sigma. */
static double sigma_between(const struct schedule *schedule, double time)
{
    double last = (double)(schedule->count - 1);
    time = fmin(fmax(time, 0), last);
    int64_t below = (int64_t)time;
    double share = time - (double)below, sigma = table_sigma(schedule, below);
    return share > 0 ? sigma + share * (table_sigma(schedule, below + 1) - sigma) : sigma;
}

double schedule_time_at(const struct schedule *schedule, double sigma)
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

/* ---- Places over a schedule ---- */

/* The number of times left when those of log-SNR below lambda_min_clipped are not visited. */
static int64_t clipped_count(const struct solver_options *options, const struct schedule *schedule)
{
    int64_t count = schedule->count;
    while (count > 1 && -log(table_sigma(schedule, count - 1)) < options->lambda_min_clipped)
        count--;
    return count;
}

static double real_time(const struct solver_options *options, int64_t all, int64_t count,
                        int64_t index)
{
    double from_end = (double)(count - 1 - index);
    switch ((enum spacing)options->timestep_spacing) {
    case SPACING_LEADING:
        return from_end * (double)(all / count) + (double)options->steps_offset;
    case SPACING_LINSPACE:
        if (count == 1) return (double)(all - 1);
        return (double)(all - 1) * from_end / (double)(count - 1);
    case SPACING_TRAILING: break;
    }
    return rint((double)all - (double)index * (double)all / (double)count) - 1;
}

static double whole_time(const struct solver_options *options, int64_t all, int64_t count,
                         int64_t index)
{
    double from_end = (double)(count - index);
    switch ((enum spacing)options->timestep_spacing) {
    case SPACING_LEADING:
        return from_end * (double)(all / (count + 1)) + (double)options->steps_offset;
    case SPACING_LINSPACE: return rint((double)(all - 1) / (double)count * from_end);
    case SPACING_TRAILING: break;
    }
    return rint((double)all - (double)index * (double)all / (double)count) - 1;
}

static sumi_status check_time(sumi_context *context, const struct schedule *schedule, double time)
{
    if (time >= 0 && time < (double)schedule->count) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "the solver would visit time %g, but the schedule's times are 0 to %lld"
                        " (see timesteps, steps and steps_offset)",
                        time, (long long)schedule->count - 1);
}

/* log_linear interpolation (Euler only): evenly in log(sigma) from the noisiest time to the
   clearest, one place short of it. */
static double log_linear_sigma(const struct schedule *schedule, int64_t count, int64_t index)
{
    return respacing_exponential(table_sigma(schedule, 0),
                                 table_sigma(schedule, schedule->count - 1), count + 1, index);
}

static sumi_status place_over_schedule(sumi_context *context, const struct solver_options *options,
                                       const struct schedule *schedule, enum time_family family,
                                       struct grid *grid)
{
    int64_t all = family == TIMES_WHOLE ? clipped_count(options, schedule) : schedule->count;
    bool given = options->timesteps.values != NULL;
    for (int64_t i = 0; i < grid->count; i++) {
        double time = given ? options->timesteps.values[i]
                    : family == TIMES_WHOLE ? whole_time(options, all, grid->count, i)
                                            : real_time(options, all, grid->count, i);
        TRY(check_time(context, schedule, time));
        grid->times[i] = time;
        grid->sigmas[i] = sigma_between(schedule, time);
        if (options->interpolation_type == INTERPOLATE_LOG_LINEAR && !given)
            grid->sigmas[i] = log_linear_sigma(schedule, grid->count, i);
        if (i > 0 && grid->sigmas[i] >= grid->sigmas[i - 1]) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "the times to visit must go down, but %g is followed by %g (are"
                                " there more steps than times?)",
                                grid->times[i - 1], time);
        }
    }
    grid->sigmas[grid->count] =
        options->final_sigmas_type == FINAL_SIGMA_LEAST ? table_sigma(schedule, 0) : 0;
    return SUMI_OK;
}

/* Replaces the levels by those of a rule and finds their times. diffusers keeps whole times for
   the solvers that count in them: rounded for Karras's and Lu's rule, cut off for the others. */
static void respace(const struct solver_options *options, const struct schedule *schedule,
                    enum time_family family, struct grid *grid)
{
    double most = grid->sigmas[0], least = grid->sigmas[grid->count - 1];
    if (family == TIMES_WHOLE) {
        most = table_sigma(schedule, schedule->count - 1);
        least = table_sigma(schedule, 0);
    }
    if (options->sigma_max > 0) most = options->sigma_max;
    if (options->sigma_min > 0) least = options->sigma_min;
    bool round_off = options->use_karras_sigmas || options->use_lu_lambdas;
    for (int64_t i = 0; i < grid->count; i++) {
        grid->sigmas[i] = respacing_level(options, least, most, grid->count, i);
        double time = schedule_time_at(schedule, grid->sigmas[i]);
        if (family == TIMES_WHOLE) time = round_off ? rint(time) : floor(time + 1e-4);
        grid->times[i] = time;
    }
}

/* ---- Places of a straight path ---- */

/* Esser et al. 2024 ("Scaling rectified flow transformers"), eq. 23: more steps at the noisy end
   for larger pictures. */
static double shifted(double shift, double sigma)
{
    return shift * sigma / (1 + (shift - 1) * sigma);
}

static double dynamic_shift(const struct solver_options *options, double sigma)
{
    if (sigma <= 0) return 0;
    double weight = options->time_shift_type == TIME_SHIFT_LINEAR ? options->mu : exp(options->mu);
    return weight / (weight + 1 / sigma - 1);
}

/* Stretches the levels so that the last one is shift_terminal. */
static void stretch(const struct solver_options *options, struct grid *grid)
{
    double scale = (1 - grid->sigmas[grid->count - 1]) / (1 - options->shift_terminal);
    for (int64_t i = 0; i < grid->count; i++)
        grid->sigmas[i] = 1 - (1 - grid->sigmas[i]) / scale;
}

static sumi_status check_flow_times(sumi_context *context, const struct solver_options *options,
                                    const struct schedule *schedule)
{
    const struct number_list *given = &options->timesteps;
    for (int64_t i = 0; given->values && i < given->count; i++) {
        if (given->values[i] <= (double)schedule->count) continue;
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the times of a straight path are from 0 to %lld, not %g",
                            (long long)schedule->count, given->values[i]);
    }
    return SUMI_OK;
}

/* From 1 to 1 / T, shifted. diffusers shifts the end of the unshifted line first and so twice. */
static void place_flow(const struct solver_options *options, const struct schedule *schedule,
                       bool asked, struct grid *grid)
{
    double all = (double)schedule->count, least = 1 / all;
    bool dynamic = options->use_dynamic_shifting;
    if (options->compat == COMPATIBLE_DIFFUSERS && !dynamic) least = shifted(options->shift, least);
    for (int64_t i = 0; i < grid->count; i++) {
        double share = grid->count > 1 ? (double)i / (double)(grid->count - 1) : 0;
        double sigma = options->timesteps.values ? options->timesteps.values[i] / all
                                                 : 1 + share * (least - 1);
        grid->sigmas[i] = dynamic ? dynamic_shift(options, sigma) : shifted(options->shift, sigma);
    }
    if (options->shift_terminal > 0) stretch(options, grid);
    double most = grid->sigmas[0], last = grid->sigmas[grid->count - 1];
    grid->sigmas[grid->count] = options->invert_sigmas ? 1 : 0;
    for (int64_t i = 0; i < grid->count; i++) {
        if (asked) grid->sigmas[i] = respacing_level(options, last, most, grid->count, i);
        if (options->invert_sigmas) grid->sigmas[i] = 1 - grid->sigmas[i];
        grid->times[i] = grid->sigmas[i] * all;
    }
}

/* use_flow_sigmas of solvers that count in log-SNR: they never start at sigma 1, where it is
   infinite. */
static void place_straight(const struct solver_options *options, const struct schedule *schedule,
                           struct grid *grid)
{
    double all = (double)schedule->count;
    for (int64_t i = 0; i < grid->count; i++) {
        double share = (double)i / (double)grid->count;
        double sigma = shifted(options->flow_shift, 1 + share * (1 / all - 1));
        if (options->use_dynamic_shifting) sigma = dynamic_shift(options, sigma);
        grid->sigmas[i] = fmin(sigma, 1 - 1e-6);
        grid->times[i] = floor(grid->sigmas[i] * all);
    }
    grid->sigmas[grid->count] =
        options->final_sigmas_type == FINAL_SIGMA_LEAST ? grid->sigmas[grid->count - 1] : 0;
}

/* ---- Places of Karras et al. 2022 ---- */

/* Karras et al. 2022 precondition one network output F; diffusers knows it by two signs. */
static sumi_status check_preconditioned(sumi_context *context,
                                        const struct solver_options *options)
{
    bool known = options->prediction_type == PREDICTION_EPSILON
              || options->prediction_type == PREDICTION_V;
    if (known) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "a preconditioned network predicts a mixture of its own, so prediction_type"
                        " must be \"epsilon\" or (with the other sign) \"v_prediction\"");
}

static sumi_status place_log(sumi_context *context, const struct solver_options *options,
                             struct grid *grid)
{
    double least = options->sigma_min, most = options->sigma_max;
    if (!(least > 0 && least < most)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "sigma_min must be above 0 and below sigma_max, not %g and %g", least,
                            most);
    }
    for (int64_t i = 0; i < grid->count; i++) {
        grid->sigmas[i] =
            options->timesteps.values ? exp(4 * options->timesteps.values[i])
            : options->sigma_schedule == SIGMA_SCHEDULE_KARRAS
                ? respacing_karras(least, most, options->rho, grid->count, i)
                : respacing_exponential(least, most, grid->count, i);
        grid->times[i] = log(grid->sigmas[i]) / 4;
    }
    grid->sigmas[grid->count] = options->final_sigmas_type == FINAL_SIGMA_LEAST ? least : 0;
    return SUMI_OK;
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

static double start_deviation(const struct solver_options *options, enum scale scale, double most)
{
    if (scale == SCALE_PRECONDITIONED) return sqrt(most * most + 1);
    if (scale != SCALE_EXPLODING) return 1;
    return options->timestep_spacing == SPACING_LEADING ? sqrt(most * most + 1) : most;
}

/* Refuses a prediction of noise where the grid begins without signal. */
static sumi_status check_prediction(sumi_context *context, const struct solver_options *options,
                                    bool signal_left, double time)
{
    bool noise = options->prediction_type == PREDICTION_EPSILON
              || options->prediction_type == PREDICTION_SCORE;
    if (!noise || signal_left) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "no signal is left at time %g, so that a prediction of noise tells nothing"
                        " about the data; prediction_type must be \"v_prediction\", \"sample\" or"
                        " \"flow_prediction\" there",
                        time);
}

static sumi_status place_all(sumi_context *context, const struct solver_options *options,
                             const struct schedule *schedule, enum scale scale,
                             enum time_family family, struct grid *grid)
{
    bool asked = false;
    TRY(respacing_check(context, options, &asked));
    if (family == TIMES_FLOW) {
        TRY(check_flow_times(context, options, schedule));
        place_flow(options, schedule, asked, grid);
        TRY(check_prediction(context, options, grid->sigmas[0] < 1, grid->times[0]));
    } else if (family == TIMES_LOG) {
        TRY(check_preconditioned(context, options));
        TRY(place_log(context, options, grid));
    } else if (scale == SCALE_STRAIGHT) {
        place_straight(options, schedule, grid);
    } else {
        TRY(check_prediction(context, options, schedule->alphas_cumprod[schedule->count - 1] > 0,
                             (double)(schedule->count - 1)));
        TRY(place_over_schedule(context, options, schedule, family, grid));
        if (asked) respace(options, schedule, family, grid);
        if (options->timestep_type == TIME_CONTINUOUS)
            for (int64_t i = 0; i < grid->count; i++) grid->times[i] = log(grid->sigmas[i]) / 4;
    }
    double most = 0;
    for (int64_t i = 0; i < grid->count; i++) most = fmax(most, grid->sigmas[i]);
    grid->init_noise_sigma = start_deviation(options, scale, most);
    return SUMI_OK;
}

sumi_status grid_build(sumi_context *context, const struct solver_options *options,
                       const struct schedule *schedule, enum scale scale, enum time_family family,
                       struct grid *grid)
{
    *grid = (struct grid){.init_noise_sigma = 1};
    if (family == TIMES_OWN) return SUMI_OK;
    if (family == TIMES_TABLE)
        return spacing_times(context, options, schedule, &grid->times, &grid->count);
    int64_t all = schedule->count;
    if (family == TIMES_WHOLE) { /* one more place is the end */
        all = clipped_count(options, schedule);
        if (all > 1) all--;
    }
    int64_t length = options->timesteps.values ? options->timesteps.count
                   : options->steps ? options->steps : all;
    sumi_status status = grid_resize(context, grid, length);
    if (status == SUMI_OK)
        status = place_all(context, options, schedule, scale, family, grid);
    if (status != SUMI_OK) grid_release(context, grid);
    return status;
}

void grid_release(sumi_context *context, struct grid *grid)
{
    context_release(context, grid->times);
    context_release(context, grid->sigmas);
    memset(grid, 0, sizeof *grid);
}

double grid_sigma(const struct grid *grid, const struct solver_options *options,
                  const struct schedule *schedule, enum time_family family, double time)
{
    for (int64_t i = 0; i < grid->count; i++) /* float32 times find their double */
        if (fabs(grid->times[i] - time) <= 1e-6 * (1 + fabs(time))) return grid->sigmas[i];
    if (family == TIMES_LOG || options->timestep_type == TIME_CONTINUOUS) return exp(4 * time);
    if (family == TIMES_FLOW || options->use_flow_sigmas) return time / (double)schedule->count;
    return sigma_between(schedule, time);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See places.h. */
#include "solvers/places.h"

#include <math.h>

#include "solvers/respacing.h"

#define FREE "timesteps=, sigmas="

const struct option places_options[] = {
    {WHOLE_OPTION("steps", "0", 0, 1000000, "how many steps; 0: as many as there are times"),
     AT(steps)},
    {NUMBERS_OPTION("timesteps", -1000000, 1000000, "the times to visit, noisiest first"),
     AT(timesteps), "use_flow_sigmas=false"},
    {NUMBERS_OPTION("sigmas", 0, 1e6, "the noise levels to visit, noisiest first"), AT(sigmas)},
    {CHOICE_OPTION("timestep_spacing", "leading", "leading|linspace|trailing",
                   "how the visited times are spaced"),
     AT(timestep_spacing), "path=table|vp|sub_vp|ve|cosine, " FREE},
    {WHOLE_OPTION("steps_offset", "0", 0, 1000000,
                  "number that is added to times with timestep_spacing leading"),
     AT(steps_offset), "path=table, timestep_spacing=leading, " FREE},
    {CHOICE_OPTION("interpolation_type", "linear", "linear|log_linear",
                   "log_linear: levels evenly in log(sigma) down to the end"),
     AT(interpolation_type), "path=table, " FREE},
    {CHOICE_OPTION("sigma_schedule", "karras", "karras|exponential", "rule that places the levels"),
     AT(sigma_schedule), "path=edm, " FREE},
    {NUMBER_OPTION("shift", "1", 1e-3, 1e3, "moves the times of a flow towards noise"), AT(shift),
     "path=flow, use_flow_sigmas=false, use_dynamic_shifting=false"},
    {FLAG_OPTION("resolution_shift", "false",
                 "multiply the shift by the square root of how many pixels an item has for each "
                 "one of the model's size"),
     AT(resolution_shift), "path=flow, use_flow_sigmas=false, use_dynamic_shifting=false"},
    {NUMBER_OPTION("flow_shift", "1", 1e-3, 1e3, "shift of the times with use_flow_sigmas"),
     AT(flow_shift), "use_flow_sigmas=true, use_dynamic_shifting=false"},
    {FLAG_OPTION("use_dynamic_shifting", "false", "shift by `mu` instead"),
     AT(use_dynamic_shifting), "path=flow"},
    {CHOICE_OPTION("time_shift_type", "exponential", "exponential|linear",
                   "the form of the shift by `mu`"),
     AT(time_shift_type), "path=flow, use_dynamic_shifting=true"},
    {NUMBER_OPTION("mu", "0", -100, 100, "shift of a flow's times"), AT(mu),
     "path=flow, use_dynamic_shifting=true"},
    {NUMBER_OPTION("shift_terminal", "0", 0, 1,
                   "noise level that the last place is stretched to; 0: none"),
     AT(shift_terminal), "path=flow, use_flow_sigmas=false"},
    {FLAG_OPTION("invert_sigmas", "false", "go from data to noise"), AT(invert_sigmas),
     "path=flow, use_flow_sigmas=false"},
    {.name = NULL},
};

const struct option end_options[] = {
    {CHOICE_OPTION("final_sigmas_type", "zero", "zero|sigma_min",
                   "whether the run ends at clean data or at the least noise"),
     AT(final_sigmas_type)},
    {.name = NULL},
};

const struct option clipped_options[] = {
    {NUMBER_OPTION("lambda_min_clipped", "-inf", -INFINITY, 1e6,
                   "times whose log(a / s) is below this are not visited"),
     AT(lambda_min_clipped), "path=table, " FREE},
    {.name = NULL},
};

/* The path with its whole times, whatever the network's time input is. */
static struct noise_path plain(const struct noise_path *path)
{
    struct noise_path copy = *path;
    copy.time_kind = TIME_DISCRETE;
    return copy;
}

static sumi_status check_descent(sumi_context *context, const struct grid *grid)
{
    for (int64_t i = 1; i < grid->count; i++) {
        if (grid->sigmas[i] < grid->sigmas[i - 1]) continue;
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the times to visit must decrease, but %g is followed by %g (are there"
                            " more steps than times?)",
                            grid->times[i - 1], grid->times[i]);
    }
    return SUMI_OK;
}

int64_t places_given(const struct number_list *sigmas)
{
    int64_t count = sigmas->count;
    return count > 1 && sigmas->values[count - 1] == 0 ? count - 1 : count;
}

/* ---- Over a table of betas ---- */

/* Times less than 1e-4 below a whole time count as that time: in diffusers, which of the two
   results depends on float32 rounding. */
double places_cut_time(const struct noise_path *path, double sigma)
{
    struct noise_path table = plain(path);
    return floor(path_time(&table, sigma) + 1e-4);
}

int64_t places_clipped_count(const struct solver_options *options, const struct noise_path *path)
{
    struct noise_path table = plain(path);
    int64_t count = table.count;
    while (count > 1 && -log(path_sigma(&table, (double)(count - 1))) < options->lambda_min_clipped)
        count--;
    return count;
}

static double real_time(const struct solver_options *options, int64_t all, int64_t count,
                        int64_t index)
{
    double from_end = (double)(count - 1 - index);
    if (count == all) return from_end;
    switch ((enum spacing)options->timestep_spacing) {
    case SPACING_LEADING: return from_end * (double)(all / count) + (double)options->steps_offset;
    case SPACING_LINSPACE:
        /* a single step uses the noisiest time; diffusers uses time 0 */
        if (count == 1) return options->compat == COMPATIBLE_DIFFUSERS ? 0 : (double)(all - 1);
        return (double)(all - 1) * from_end / (double)(count - 1);
    case SPACING_TRAILING: break;
    }
    return rint((double)all - (double)index * (double)all / (double)count) - 1;
}

/* Clipping may leave `all` times of the schedule's T. Trailing steps still have the length T /
   steps, so that there are fewer of them. */
int64_t places_whole_count(const struct solver_options *options, const struct noise_path *path)
{
    int64_t all = places_clipped_count(options, path);
    if (options->timestep_spacing != SPACING_TRAILING || all == path->count) return options->steps;
    return (int64_t)ceil((double)all * (double)options->steps / (double)path->count);
}

/* With as many steps as times, every time is visited; diffusers counts the end as a place and would
   visit some times twice. */
static double whole_time(const struct solver_options *options, double times, int64_t all,
                         int64_t count, int64_t index)
{
    double gap = times / (double)(options->steps > 0 ? options->steps : count);
    if (count == all) return (double)(all - 1 - index);
    double from_end = (double)(count - index);
    switch ((enum spacing)options->timestep_spacing) {
    case SPACING_LEADING:
        return from_end * (double)(all / (count + 1)) + (double)options->steps_offset;
    case SPACING_LINSPACE: return rint((double)(all - 1) / (double)count * from_end);
    case SPACING_TRAILING: break;
    }
    return rint((double)all - (double)index * gap) - 1;
}

static sumi_status check_time(sumi_context *context, const struct noise_path *path, double time)
{
    if (time >= 0 && time < (double)path->count) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "the solver would visit time %g, but the schedule's times are 0 to %lld"
                        " (see timesteps, steps and steps_offset)",
                        time, (long long)path->count - 1);
}

/* The time of a level that is given or that a rule computes. For solvers that use whole times,
   diffusers rounds it to the nearest for Karras's and Lu's rule, and down for the others. */
static double time_of_level(const struct solver_options *options, const struct noise_path *table,
                            enum time_family family, double sigma)
{
    double time = path_time(table, sigma);
    if (family == TIMES_REAL) return time;
    bool round_off = options->use_karras_sigmas || options->use_lu_lambdas;
    return round_off ? rint(time) : places_cut_time(table, sigma);
}

/* log_linear interpolation, of Euler's solvers: evenly in log(sigma) from the noisiest time to the
   least noisy, which is the end of the run. */
static bool log_linear(const struct solver_options *options)
{
    return options->interpolation_type == INTERPOLATE_LOG_LINEAR && !options->timesteps.values
           && !options->sigmas.values;
}

static void respace(const struct solver_options *options, const struct noise_path *table,
                    enum time_family family, struct grid *grid)
{
    double most = grid->sigmas[0], least = grid->sigmas[grid->count - 1];
    if (log_linear(options)) least = path_least(table);
    if (family != TIMES_REAL) {
        most = path_most(table);
        least = path_least(table);
    }
    if (options->sigma_max > 0) most = options->sigma_max;
    if (options->sigma_min > 0) least = options->sigma_min;
    for (int64_t i = 0; i < grid->count; i++) {
        grid->sigmas[i] = respacing_level(options, least, most, grid->count, i);
        grid->times[i] = time_of_level(options, table, family, grid->sigmas[i]);
    }
}

/* Only evenly spaced places, which may lie between whole times, may be more than the times. */
static sumi_status check_count(sumi_context *context, const struct solver_options *options,
                               enum time_family family, int64_t count, int64_t all)
{
    bool between = family == TIMES_REAL && options->timestep_spacing == SPACING_LINSPACE;
    bool listed = options->timesteps.values || options->sigmas.values;
    if (count <= all || between || listed) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "%lld steps are more than the schedule's %lld times", (long long)count,
                        (long long)all);
}

static sumi_status spread(sumi_context *context, const struct solver_options *options,
                          const struct noise_path *table, enum time_family family,
                          struct grid *grid)
{
    int64_t all = family == TIMES_REAL ? table->count : places_clipped_count(options, table);
    const struct number_list *given = &options->timesteps;
    for (int64_t i = 0; i < grid->count; i++) {
        if (options->sigmas.values) {
            grid->sigmas[i] = options->sigmas.values[i];
            grid->times[i] = time_of_level(options, table, family, grid->sigmas[i]);
            continue;
        }
        double *time = &grid->times[i];
        if (given->values) *time = given->values[i];
        else if (family == TIMES_REAL) *time = real_time(options, all, grid->count, i);
        else *time = whole_time(options, (double)table->count, all, grid->count, i);
        TRY(check_time(context, table, *time));
        grid->sigmas[i] = path_sigma(table, *time);
        if (log_linear(options)) {
            grid->sigmas[i] =
                respacing_exponential(path_least(table), path_most(table), grid->count + 1, i);
        }
    }
    return SUMI_OK;
}

sumi_status places_table(sumi_context *context, const struct placing *placing, struct grid *grid)
{
    const struct solver_options *options = placing->options;
    const struct noise_path *path = placing->path;
    struct noise_path table = plain(path);
    bool respaced = placing->respaced && !options->sigmas.values;
    bool least =
        options->final_sigmas_type == FINAL_SIGMA_LEAST || (log_linear(options) && !respaced);
    if (!respaced)
        TRY(check_count(context, options, placing->family, grid->count,
                        placing->family == TIMES_REAL ? path->count
                                                      : places_clipped_count(options, path)));
    TRY(spread(context, options, &table, placing->family, grid));
    if (respaced) respace(options, &table, placing->family, grid);
    TRY(check_descent(context, grid));
    grid->sigmas[grid->count] = least ? path_least(&table) : 0;
    for (int64_t i = 0; path->time_kind != TIME_DISCRETE && i < grid->count; i++)
        grid->times[i] = path_time(path, grid->sigmas[i]);
    return SUMI_OK;
}

sumi_status places_from_data(sumi_context *context, const struct solver_options *options,
                             const struct noise_path *path, struct grid *grid)
{
    struct noise_path table = plain(path);
    bool asked = false;
    TRY(respacing_check(context, options, &asked));
    if (path->kind != PATH_TABLE || asked || options->timesteps.values || options->sigmas.values)
        return SUMI_OK;
    int64_t all = places_clipped_count(options, path), count = grid->count;
    for (int64_t i = 0; i < count; i++) {
        double time = whole_time(options, (double)path->count, all, count, count - 1 - i);
        if (options->timestep_spacing == SPACING_LINSPACE)
            time = rint((double)(all - 1) / (double)count * (double)i);
        if (options->timestep_spacing == SPACING_LEADING)
            time = (double)(i * (all / (count + 1)) + options->steps_offset);
        if (count == all) time = (double)i;
        grid->times[i] = time;
        grid->sigmas[i] = path_sigma(&table, time);
        if (path->time_kind != TIME_DISCRETE) grid->times[i] = path_time(path, grid->sigmas[i]);
    }
    grid->sigmas[count] = path_sigma(&table, (double)(all - 1));
    return SUMI_OK;
}

/* ---- On a straight path ---- */

static double dynamic_shift(const struct solver_options *options, double sigma)
{
    if (sigma <= 0) return 0;
    double weight = options->time_shift_type == TIME_SHIFT_LINEAR ? options->mu : exp(options->mu);
    return weight / (weight + (1 / sigma - 1)); /* keeps 1 exactly */
}

static double shifted(const struct solver_options *options, double shift, double sigma)
{
    return options->use_dynamic_shifting ? dynamic_shift(options, sigma) : path_shift(shift, sigma);
}

double places_shift(const struct solver_options *options)
{
    bool resized = options->resolution_shift && options->resolution > 0;
    return options->shift * (resized ? sqrt(options->resolution) : 1);
}

/* Stretches the levels so that the last one is shift_terminal. */
static void stretch(const struct solver_options *options, struct grid *grid)
{
    double scale = (1 - grid->sigmas[grid->count - 1]) / (1 - options->shift_terminal);
    for (int64_t i = 0; i < grid->count; i++) grid->sigmas[i] = 1 - (1 - grid->sigmas[i]) / scale;
}

static sumi_status check_straight(sumi_context *context, const struct number_list *given,
                                  double most)
{
    for (int64_t i = 0; given->values && i < places_given(given); i++) {
        if (given->values[i] <= most && given->values[i] > 0) continue;
        return context_fail(
            context, SUMI_ERROR_ARGUMENT,
            "on a straight path a time or sigma must be above 0 and at most %g, not %g", most,
            given->values[i]);
    }
    return SUMI_OK;
}

/* Places from 1 to 1 / T, shifted. diffusers shifts the end of the line before it shifts the line,
   and so shifts it twice. */
sumi_status places_flow(sumi_context *context, const struct placing *placing, struct grid *grid)
{
    const struct solver_options *options = placing->options;
    const struct noise_path *path = placing->path;
    const struct number_list *times = &options->timesteps, *sigmas = &options->sigmas;
    double all = (double)path->count, least = 1 / all, shift = places_shift(options);
    TRY(check_straight(context, times, all));
    TRY(check_straight(context, sigmas, 1));
    bool twice = options->compat == COMPATIBLE_DIFFUSERS && !options->use_dynamic_shifting;
    if (twice) least = path_shift(shift, least);
    double begin = placing->needs_signal ? 1 - 1 / all : 1;
    for (int64_t i = 0; i < grid->count; i++) {
        double share = grid->count > 1 ? (double)i / (double)(grid->count - 1) : 0;
        double sigma = sigmas->values  ? sigmas->values[i]
                       : times->values ? times->values[i] / all
                                       : begin + share * (least - begin);
        grid->sigmas[i] = shifted(options, shift, sigma);
    }
    if (options->shift_terminal > 0) stretch(options, grid);
    double most = grid->sigmas[0], last = grid->sigmas[grid->count - 1];
    for (int64_t i = 0; placing->respaced && i < grid->count; i++)
        grid->sigmas[i] = respacing_level(options, last, most, grid->count, i);
    TRY(check_descent(context, grid));
    grid->sigmas[grid->count] = options->invert_sigmas ? 1 : 0;
    if (options->final_sigmas_type == FINAL_SIGMA_LEAST && !options->invert_sigmas)
        grid->sigmas[grid->count] = 1 / all;
    for (int64_t i = 0; i < grid->count; i++) {
        if (options->invert_sigmas) grid->sigmas[i] = 1 - grid->sigmas[i];
        grid->times[i] = path->time_kind == TIME_DISCRETE
                             ? grid->sigmas[i] * all
                             : path_time(path, grid_ratio(SCALE_STRAIGHT, grid->sigmas[i]));
    }
    return SUMI_OK;
}

/* use_flow_sigmas for diffusers' solvers that use the log-SNR: they never start at sigma 1, where
   that is infinite, keep whole times, and respace the ratios of the table. The line goes from 1 to
   1 / T or from 1 - 1 / T to 0, whose last place is the end. */
sumi_status places_straight(sumi_context *context, const struct placing *placing, struct grid *grid)
{
    const struct solver_options *options = placing->options;
    const struct noise_path *path = placing->path;
    const struct number_list *given = &options->sigmas;
    struct noise_path table = plain(path);
    table.kind = PATH_TABLE;
    double all = (double)path->count;
    double least = options->sigma_min > 0 ? options->sigma_min : path_least(&table);
    double most = options->sigma_max > 0 ? options->sigma_max : path_most(&table);
    double step = (1 / all - 1) / (double)grid->count;
    TRY(check_straight(context, given, 1));
    for (int64_t i = 0; i < grid->count; i++) {
        double left = (double)(grid->count - i); /* rounded in the same order as in diffusers */
        double sigma = 1 - (1 + left * step);
        if (placing->family == TIMES_UNIPC) sigma = 1 + (double)i * step;
        if (given->values) sigma = given->values[i];
        sigma = shifted(options, options->flow_shift, sigma);
        if (placing->respaced) {
            double ratio = respacing_level(options, least, most, grid->count, i);
            sigma = ratio / (1 + ratio);
        }
        grid->sigmas[i] = fmin(sigma, 1 - 1e-6);
        grid->times[i] = floor(grid->sigmas[i] * all);
    }
    grid->sigmas[grid->count] =
        options->final_sigmas_type == FINAL_SIGMA_LEAST ? grid->sigmas[grid->count - 1] : 0;
    return check_descent(context, grid);
}

/* ---- On the other paths ---- */

/* Evenly spaced in the path's own time, including one end or both. */
static double own_time(const struct solver_options *options, double least, double most,
                       int64_t count, int64_t index)
{
    double share = (double)index / (double)count; /* trailing */
    if (options->timestep_spacing == SPACING_LINSPACE && count > 1)
        share = (double)index / (double)(count - 1);
    if (options->timestep_spacing == SPACING_LEADING) share = (double)(index + 1) / (double)count;
    return most + share * (least - most);
}

static sumi_status check_numbered(sumi_context *context, const struct solver_options *options,
                                  const struct noise_path *path)
{
    const struct number_list *given = &options->timesteps;
    if (path->time_kind != TIME_DISCRETE || path->kind == PATH_EDM) return SUMI_OK;
    double most = path_last(path) * (1 + 1e-9);
    for (int64_t i = 0; given->values && i < given->count; i++) {
        if (given->values[i] >= 0 && given->values[i] <= most) continue;
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the times of this path are from 0 to %g, not %g", path_last(path),
                            given->values[i]);
    }
    return SUMI_OK;
}

/* On edm Karras et al. 2022, eq. 5, unless an option says otherwise; else Song et al. 2021, section
   4. */
sumi_status places_continuous(sumi_context *context, const struct placing *placing,
                              struct grid *grid)
{
    const struct solver_options *options = placing->options;
    const struct noise_path *path = placing->path;
    double least = path_least(path), most = path_most(path);
    double first = path_own_time(path, path_first(path));
    double last = path_own_time(path, path_last(path));
    if (path->kind == PATH_COSINE && placing->needs_signal) last -= 1 / (double)path->count;
    bool karras = options->sigma_schedule == SIGMA_SCHEDULE_KARRAS;
    TRY(check_numbered(context, options, path));
    for (int64_t i = 0; i < grid->count; i++) {
        double *sigma = &grid->sigmas[i];
        if (options->sigmas.values) *sigma = options->sigmas.values[i];
        else if (options->timesteps.values) *sigma = path_sigma(path, options->timesteps.values[i]);
        else if (placing->respaced) *sigma = respacing_level(options, least, most, grid->count, i);
        else if (path->kind != PATH_EDM) {
            double t = own_time(options, first, last, grid->count, i);
            *sigma = fmin(path_sigma(path, path_time_of(path, t)),
                          path->kind == PATH_COSINE ? GRID_MOST_RATIO : INFINITY);
        } else {
            *sigma = karras ? respacing_karras(least, most, options->rho, grid->count, i)
                            : respacing_exponential(least, most, grid->count, i);
        }
        grid->times[i] = path_time(path, *sigma);
        if (!(*sigma > 0 && isfinite(*sigma))) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "place %lld of the list has %s (see timesteps and sigmas)",
                                (long long)i, *sigma > 0 ? "infinite noise" : "no noise");
        }
    }
    grid->sigmas[grid->count] = options->final_sigmas_type == FINAL_SIGMA_LEAST ? least : 0;
    return check_descent(context, grid);
}

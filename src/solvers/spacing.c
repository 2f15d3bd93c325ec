/* SPDX-License-Identifier: Apache-2.0 */
/* Spacing of the visited times (table 2 of Lin et al. 2024 compares the three); see spacing.h. */
#include "solvers/spacing.h"

#include <math.h>

const struct option spacing_options[] = {
    {WHOLE_OPTION("steps", "0", 0, 1000000, "how many steps; 0: as many as there are times"),
     AT(steps)},
    {NUMBERS_OPTION("timesteps", -1000000, 1000000, "the times to visit, noisiest first"),
     AT(timesteps)},
    {CHOICE_OPTION("timestep_spacing", "leading", "leading|linspace|trailing",
                   "how the visited times are spaced"),
     AT(timestep_spacing), "timesteps="},
    {WHOLE_OPTION("steps_offset", "0", 0, 1000000,
                  "number that is added to times with timestep_spacing leading"),
     AT(steps_offset), "timestep_spacing=leading, timesteps="},
    {.name = NULL},
};

/* Time number `index` of `count` over a schedule of T = `all` times. */
static int64_t spaced_time(const struct solver_options *options, int64_t all, int64_t count,
                           int64_t index)
{
    int64_t from_end = count - 1 - index;
    switch ((enum spacing)options->timestep_spacing) {
    case SPACING_LEADING: return from_end * (all / count) + options->steps_offset;
    case SPACING_LINSPACE: {
        /* includes both ends; a single step uses the noisiest time, diffusers time 0 */
        if (count == 1) return options->compat == COMPATIBLE_DIFFUSERS ? 0 : all - 1;
        return (int64_t)rint((double)(all - 1) / (double)(count - 1) * (double)from_end);
    }
    case SPACING_TRAILING: break;
    }
    double ratio = (double)all / (double)count;
    return (int64_t)rint((double)all - (double)index * ratio) - 1;
}

static sumi_status check_times(sumi_context *context, const double *times, int64_t count,
                               int64_t all)
{
    for (int64_t i = 0; i < count; i++) {
        if (times[i] != floor(times[i])) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "timesteps must be whole numbers, not %g", times[i]);
        }
        if (times[i] < 0 || times[i] >= (double)all) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "the solver would visit time %g, but the schedule's times are 0"
                                " to %lld (see timesteps, steps and steps_offset)",
                                times[i], (long long)all - 1);
        }
        if (i > 0 && times[i] >= times[i - 1]) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "the times to visit must decrease, but %g is followed by %g",
                                times[i - 1], times[i]);
        }
    }
    return SUMI_OK;
}

sumi_status spacing_times(sumi_context *context, const struct solver_options *options,
                          const struct schedule *schedule, double **times, int64_t *count)
{
    int64_t all = schedule->count;
    const struct number_list *given = &options->timesteps;
    int64_t length = given->values ? given->count : options->steps ? options->steps : all;
    if (length > all) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%lld steps are more than the schedule's %lld times", (long long)length,
                            (long long)all);
    }
    double *list = context_allocate(context, (size_t)length, sizeof *list);
    if (!list) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < length; i++) {
        if (given->values) list[i] = given->values[i];
        else if (options->steps) list[i] = (double)spaced_time(options, all, length, i);
        else list[i] = (double)(all - 1 - i);
    }
    sumi_status status = check_times(context, list, length, all);
    if (status != SUMI_OK) {
        context_release(context, list);
        return status;
    }
    *times = list;
    *count = length;
    return SUMI_OK;
}

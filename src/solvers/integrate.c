/* SPDX-License-Identifier: Apache-2.0 */
/* Explicit Runge-Kutta methods; see integrate.h. Hairer, Norsett, Wanner 1993, "Solving ordinary
   differential equations I": the tableaus are in II.1 and II.5, the choice of steps in II.4. */
#include "solvers/integrate.h"

#include <math.h>
#include <string.h>

enum { MOST_STAGES = ODE_ROWS - 2 };

/* A Butcher tableau. Stage i is evaluated at the fraction `nodes[i]` of the step, at y + h sum
   matrix[i][j] k_j. */
struct tableau {
    const char *name;
    int stages;
    double nodes[MOST_STAGES];
    double matrix[MOST_STAGES][MOST_STAGES - 1];
    double weights[MOST_STAGES];
    double errors[MOST_STAGES]; /* weights minus those of the embedded method; zero without one */
};

static const struct tableau tableaus[] = {
    [ODE_EULER] = {.name = "euler", .stages = 1, .weights = {1}},
    [ODE_MIDPOINT] = {.name = "midpoint",
                      .stages = 2,
                      .nodes = {0, 0.5},
                      .matrix = {{0}, {0.5}},
                      .weights = {0, 1}},
    [ODE_HEUN] =
        {.name = "heun", .stages = 2, .nodes = {0, 1}, .matrix = {{0}, {1}}, .weights = {0.5, 0.5}},
    [ODE_RK4] = {.name = "rk4",
                 .stages = 4,
                 .nodes = {0, 0.5, 0.5, 1},
                 .matrix = {{0}, {0.5}, {0, 0.5}, {0, 0, 1}},
                 .weights = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}},
    /* Dormand & Prince 1980, with the embedded method of order 4 */
    [ODE_RK45] = {.name = "rk45",
                  .stages = 7,
                  .nodes = {0, 0.2, 0.3, 0.8, 8.0 / 9, 1, 1},
                  .matrix = {{0},
                             {0.2},
                             {3.0 / 40, 9.0 / 40},
                             {44.0 / 45, -56.0 / 15, 32.0 / 9},
                             {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
                             {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176,
                              -5103.0 / 18656},
                             {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}},
                  .weights = {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
                  .errors = {71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200,
                             22.0 / 525, -1.0 / 40}},
};
enum { METHODS = sizeof tableaus / sizeof *tableaus };

/* The state of an integration. */
struct integration {
    sumi_context *context;
    const struct tableau *tableau;
    ode_slope slope;
    void *user;
    int64_t count;
    double *y, *next, *point;    /* [count] */
    double *stages[MOST_STAGES]; /* [count] slopes */
    struct ode_report report;
};

const char *ode_method_name(int method)
{
    return method >= 0 && method < METHODS ? tableaus[method].name : NULL;
}

static sumi_status ask(struct integration *w, double time, const double *y, double *slope)
{
    w->report.evaluations++;
    return w->slope(w->user, time, y, slope);
}

/* target = y + h sum weights[j] k_j over the first `stages`. */
static void combine(const struct integration *w, double h, const double *weights, int stages,
                    double *target)
{
    for (int64_t i = 0; i < w->count; i++) {
        double sum = 0;
        for (int j = 0; j < stages; j++) sum += weights[j] * w->stages[j][i];
        target[i] = w->y[i] + h * sum;
    }
}

/* Fills the stages from `first` on and `next` for a step of length h. */
static sumi_status try_step(struct integration *w, double time, double h, int first)
{
    const struct tableau *tableau = w->tableau;
    for (int i = first; i < tableau->stages; i++) {
        combine(w, h, tableau->matrix[i], i, w->point);
        TRY(ask(w, time + tableau->nodes[i] * h, w->point, w->stages[i]));
    }
    combine(w, h, tableau->weights, tableau->stages, w->next);
    return SUMI_OK;
}

static sumi_status accept_step(struct integration *w, double time)
{
    for (int64_t i = 0; i < w->count; i++) {
        if (isfinite(w->next[i])) continue;
        return context_fail(w->context, SUMI_ERROR_NUMBER,
                            "the integration reached a value that is not finite at time %g", time);
    }
    double *old = w->y;
    w->y = w->next;
    w->next = old;
    w->report.steps++;
    return SUMI_OK;
}

static sumi_status walk_equal(struct integration *w, int64_t steps, double from, double to)
{
    double h = (to - from) / (double)steps;
    for (int64_t step = 0; step < steps; step++) {
        double time = from + (double)step * h;
        TRY(try_step(w, time, h, 0));
        TRY(accept_step(w, time));
    }
    return SUMI_OK;
}

/* The root mean square of the estimated error, each element relative to its tolerance. */
static double error_of(const struct integration *w, const struct ode_options *options, double h)
{
    double sum = 0;
    for (int64_t i = 0; i < w->count; i++) {
        double error = 0, size = fmax(fabs(w->y[i]), fabs(w->next[i]));
        for (int j = 0; j < w->tableau->stages; j++) {
            error += w->tableau->errors[j] * w->stages[j][i];
        }
        error *= h / (options->absolute + options->relative * size);
        sum += error * error;
    }
    return sqrt(sum / (double)(w->count ? w->count : 1));
}

/* The shortest step that changes a time in double precision. */
static double shortest_step(double time)
{
    return 16 * 0x1p-52 * fmax(fabs(time), 0x1p-100);
}

/* Refuses to go on after too many evaluations or with too short a step; the last step may be as
   short as the rest of the interval. */
static sumi_status check_patience(const struct integration *w, const struct ode_options *options,
                                  double time, double h, bool last)
{
    if (!last && fabs(h) <= shortest_step(time)) {
        return context_fail(w->context, SUMI_ERROR_NUMBER,
                            "rk45 cannot meet its tolerance at time %g: the step would be too "
                            "short for double precision; raise the tolerance",
                            time);
    }
    if (!options->most_evaluations || w->report.evaluations < options->most_evaluations) {
        return SUMI_OK;
    }
    return context_fail(
        w->context, SUMI_ERROR_NUMBER,
        "rk45 stopped at time %g after %lld evaluations, its limit; raise the tolerance", time,
        (long long)w->report.evaluations);
}

/* The last stage of an accepted step is the first of the next one. */
static void keep_last_stage(struct integration *w)
{
    double *last = w->stages[w->tableau->stages - 1];
    w->stages[w->tableau->stages - 1] = w->stages[0];
    w->stages[0] = last;
}

static sumi_status walk_adaptive(struct integration *w, const struct ode_options *options,
                                 double from, double to)
{
    const double safety = 0.9, least = 0.2, most = 3;
    double time = from, h = (to - from) / (double)options->steps;
    if (fabs(h) <= shortest_step(time)) h = to - from; /* the rest is below the precision of time */
    TRY(ask(w, time, w->y, w->stages[0]));
    while (time != to) {
        bool last = fabs(h) >= fabs(to - time);
        if (last) h = to - time;
        TRY(check_patience(w, options, time, h, last));
        TRY(try_step(w, time, h, 1));
        double error = error_of(w, options, h);
        if (error <= 1) {
            TRY(accept_step(w, time));
            time = last ? to : time + h;
            keep_last_stage(w);
        } else {
            w->report.rejected++; /* also where the error is NaN */
        }
        double factor = isfinite(error) ? safety * pow(fmax(error, 1e-10), -0.2) : least;
        h *= fmin(error <= 1 ? most : 1, fmax(least, factor));
    }
    return SUMI_OK;
}

static sumi_status check_options(sumi_context *context, const struct ode_options *options)
{
    if (options->steps < 1) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "an integration takes at least 1 step, not %lld",
                            (long long)options->steps);
    }
    bool sound = options->relative >= 0 && options->absolute >= 0
                 && options->relative + options->absolute > 0;
    if (options->method != ODE_RK45 || sound) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "rk45 needs a tolerance above 0, relative or absolute, not %g and %g",
                        options->relative, options->absolute);
}

static sumi_status walk(struct integration *w, const struct ode_options *options, double from,
                        double to)
{
    if (from == to) return SUMI_OK;
    return options->method == ODE_RK45 ? walk_adaptive(w, options, from, to)
                                       : walk_equal(w, options->steps, from, to);
}

sumi_status ode_integrate(sumi_context *context, const struct ode_options *options, ode_slope slope,
                          void *user, int64_t count, double *y, double from, double to,
                          struct ode_report *report)
{
    TRY(check_options(context, options));
    struct integration w = {.context = context,
                            .tableau = &tableaus[options->method],
                            .slope = slope,
                            .user = user,
                            .count = count,
                            .y = y};
    size_t rows = (size_t)w.tableau->stages + 2;
    double *memory = options->memory;
    if (!memory) memory = context_allocate_zeroed(context, rows * (size_t)count, sizeof *memory);
    if (!memory) return SUMI_ERROR_MEMORY;
    w.next = memory;
    w.point = memory + count;
    for (int i = 0; i < w.tableau->stages; i++) w.stages[i] = memory + (i + 2) * count;
    sumi_status status = walk(&w, options, from, to);
    if (w.y != y) memcpy(y, w.y, (size_t)count * sizeof *y);
    if (!options->memory) context_release(context, memory);
    if (report) *report = w.report;
    return status;
}

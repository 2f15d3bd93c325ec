/* SPDX-License-Identifier: Apache-2.0 */
/* sumi convergence: the error of solvers against the number of their steps, on data whose flow is
   known. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

enum { MOST_POINTS = 6, MOST_SOLVERS = 64, FEWEST_STEPS = 8 };

/* The data: a mixture of two Gaussians. The path: x0 + sigma e, from sigma 10 to 0.02, of which the
   network is told sigma. */
static const struct {
    double weight, mean, deviation;
} parts[] = {{0.6, -0.6, 0.25}, {0.4, 0.7, 0.35}};
enum { PARTS = sizeof parts / sizeof *parts };

static const double most_sigma = 10, least_sigma = 0.02;
enum { STATES = 32 }; /* that are followed, at quantiles even between 0 and 1 */

struct settings {
    const char *output;
    struct texts options;
    bool json;
};

struct curve {
    char name[32];
    int order; /* by the solver's table */
    int64_t count;
    double steps[MOST_POINTS], errors[MOST_POINTS];
    double slope;
};

/* The share of the noised data that is below x. */
static double share_below(double sigma, double x)
{
    double share = 0;
    for (int k = 0; k < PARTS; k++) {
        double spread = hypot(parts[k].deviation, sigma);
        share += parts[k].weight * 0.5 * erfc((parts[k].mean - x) / (spread * sqrt(2)));
    }
    return share;
}

/* On a line the flow keeps the order of all states, and so the share below each: x0 + sigma e of
   the state at a quantile. */
static double flow_place(double sigma, double quantile)
{
    double low = -100, high = 100;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        if (share_below(sigma, middle) < quantile) low = middle;
        else high = middle;
    }
    return (low + high) / 2;
}

/* The noise in x = x0 + sigma e, exactly: sigma times the score of the mixture with its sign
 * turned. */
static sumi_status mixture(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    (void)user;
    (void)output_size;
    for (int64_t i = 0; i < count * item_size; i++) {
        double sigma = times[i / item_size], density = 0, pull = 0;
        for (int k = 0; k < PARTS; k++) {
            double variance = parts[k].deviation * parts[k].deviation + sigma * sigma;
            double away = x[i] - parts[k].mean;
            double part = parts[k].weight / sqrt(variance) * exp(-away * away / (2 * variance));
            density += part;
            pull += part * away / variance;
        }
        output[i] = (float)(sigma * pull / density);
    }
    return SUMI_OK;
}

/* The states of the flow at a sigma, on the solver's own scale: a x0 + s e is a times
   x0 + sigma e. */
static sumi_status flow_states(sumi_solver *solver, double sigma, double states[STATES])
{
    double signal = 0, noise = 0;
    sumi_status status = sumi_solver_level(solver, sigma, &signal, &noise);
    for (int i = 0; i < STATES; i++) states[i] = signal * flow_place(sigma, (i + 0.5) / STATES);
    return status;
}

static sumi_status set_options(sumi_solver *solver, int64_t steps, const struct texts *options)
{
    static const char FIXED[] = /* each solver takes of it what it reads */
        "{\"_class_name\": \"SumiScheduler\", \"path\": \"ve\", \"sigma_min\": 0.02, "
        "\"sigma_max\": 10,"
        " \"use_karras_sigmas\": true, \"final_sigmas_type\": \"sigma_min\","
        " \"prediction_type\": \"epsilon\", \"clip_sample\": false, \"set_alpha_to_one\": false,"
        " \"lower_order_final\": false, \"compat\": \"none\"}";
    sumi_status status = sumi_solver_configure(solver, FIXED);
    if (status == SUMI_OK) status = sumi_solver_set(solver, "timestep_type", "sigma");
    if (status == SUMI_OK) status = sumi_solver_set_number(solver, "steps", (double)steps);
    for (int i = 0; i < options->count && status == SUMI_OK; i++) {
        char name[64];
        const char *text = options->items[i];
        size_t length = strcspn(text, "=");
        snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), text);
        status = sumi_solver_set(solver, name, text[length] ? text + length + 1 : "");
    }
    return status;
}

static sumi_status measure(sumi_context *context, const char *name, int64_t steps,
                           const struct texts *options, double *error)
{
    sumi_solver *solver = NULL;
    const int64_t shape[] = {STATES};
    double start[STATES], end[STATES], sum = 0;
    float x[STATES];
    sumi_status status = sumi_solver_create(context, name, &solver);
    if (status == SUMI_OK) status = set_options(solver, steps + 1, options); /* both ends */
    if (status == SUMI_OK && sumi_solver_times(solver, NULL, 0) == 0) status = SUMI_ERROR_ARGUMENT;
    if (status == SUMI_OK) status = flow_states(solver, most_sigma, start);
    if (status == SUMI_OK) status = flow_states(solver, least_sigma, end);
    for (int i = 0; i < STATES && status == SUMI_OK; i++) x[i] = (float)start[i];
    if (status == SUMI_OK) status = sumi_solver_run(solver, mixture, NULL, 1, shape, x, NULL, NULL);
    for (int i = 0; i < STATES && status == SUMI_OK; i++) sum += (x[i] - end[i]) * (x[i] - end[i]);
    *error = sqrt(sum / STATES);
    sumi_solver_free(solver);
    return status;
}

/* The slope of the line through the logarithms of the last three errors that rounding has not
   touched. */
static double fit_slope(const struct curve *curve)
{
    const double rounding = 1e-6;
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int64_t i = curve->count - 1; i >= 0 && n < 3; i--) {
        if (!(curve->errors[i] > rounding)) continue;
        double x = log(curve->steps[i]), y = log(curve->errors[i]);
        n++;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    return n < 2 ? NAN : -(n * sxy - sx * sy) / (n * sxx - sx * sx);
}

static sumi_status follow(sumi_context *context, const sumi_solver_info *info,
                          const struct texts *options, struct curve *curve)
{
    sumi_status status = SUMI_OK;
    *curve = (struct curve){.order = info->order};
    snprintf(curve->name, sizeof curve->name, "%s", info->name);
    for (int i = 0; i < MOST_POINTS && status == SUMI_OK; i++) {
        double error = 0;
        int64_t steps = (int64_t)FEWEST_STEPS << i;
        status = measure(context, info->name, steps, options, &error);
        curve->steps[i] = (double)steps;
        curve->errors[i] = error;
        curve->count++;
    }
    curve->slope = fit_slope(curve);
    return status;
}

/* Solvers that draw noise, those of distilled networks and of bits, rk45, which chooses its own
   steps, and inversions have no error of this kind. */
static bool has_curve(const sumi_solver_info *info)
{
    static const char *const WITHOUT[] = {"rk45", "ddim-inverse", "dpmpp-inverse"};
    for (size_t i = 0; i < sizeof WITHOUT / sizeof *WITHOUT; i++)
        if (strcmp(info->name, WITHOUT[i]) == 0) return false;
    return !info->stochastic;
}

static bool is_chosen(const char *name, int count, const char *const *names)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return count == 0;
}

static void print_curve(const struct curve *curve)
{
    printf("%-16s", curve->name);
    for (int64_t i = 0; i < curve->count; i++) printf(" %9.2e", curve->errors[i]);
    printf("  %5.2f  %d\n", curve->slope, curve->order);
}

static struct json_object *curve_as_json(const struct curve *curve)
{
    struct json_object *one = json_object_new_object(), *steps = json_object_new_array();
    struct json_object *errors = json_object_new_array();
    for (int64_t i = 0; i < curve->count; i++) {
        json_object_array_add(steps, json_number(curve->steps[i]));
        json_object_array_add(errors, json_number(curve->errors[i]));
    }
    json_object_object_add(one, "name", json_object_new_string(curve->name));
    json_object_object_add(one, "steps", steps);
    json_object_object_add(one, "errors", errors);
    json_object_object_add(one, "slope", json_number(curve->slope));
    json_object_object_add(one, "order", json_object_new_int(curve->order));
    return one;
}

static int report(const struct settings *settings, const struct curve *curves, int count)
{
    if (settings->json) {
        struct json_object *all = json_object_new_array();
        for (int i = 0; i < count; i++) json_object_array_add(all, curve_as_json(&curves[i]));
        return print_json(all);
    }
    printf("%-16s", "error after");
    for (int i = 0; i < MOST_POINTS; i++) printf(" %9d", FEWEST_STEPS << i);
    printf("  slope  order\n");
    for (int i = 0; i < count; i++) print_curve(&curves[i]);
    return EXIT_DONE;
}

static int draw(sumi_context *context, const struct settings *settings, const struct curve *curves,
                int count)
{
    sumi_line lines[MOST_SOLVERS];
    for (int i = 0; i < count; i++)
        lines[i] = (sumi_line){curves[i].name, curves[i].count, curves[i].steps, curves[i].errors};
    sumi_status status = sumi_draw_lines(context, lines, count, "error on a mixture of Gaussians",
                                         "steps", "error", settings->output);
    return status == SUMI_OK ? EXIT_DONE : fail_context(context);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    static struct curve curves[MOST_SOLVERS];
    sumi_solver_info info;
    int made = 0;
    if (settings->output && !has_ending(settings->output, ".png"))
        return fail(EXIT_USAGE, "convergence: %s should end in .png", settings->output);
    for (int i = 0; sumi_solver_describe(i, &info) && made < MOST_SOLVERS; i++) {
        if (!is_chosen(info.name, count, arguments)) continue;
        if (!has_curve(&info)) {
            if (count == 0) continue;
            return fail(EXIT_USAGE,
                        "convergence: %s draws noise or chooses its own steps, and has "
                        "no error that steps make smaller",
                        info.name);
        }
        sumi_status status = follow(context, &info, &settings->options, &curves[made++]);
        if (status != SUMI_OK) return fail_argument(context, status);
    }
    if (made == 0 || (count > 0 && made < count))
        return fail(EXIT_USAGE, "convergence: not all of these are solvers; see `sumi solvers`");
    int code = report(settings, curves, made);
    if (code == EXIT_DONE && settings->output) code = draw(context, settings, curves, made);
    return code;
}

static const struct option OPTIONS[] = {
    {"output", 'o', OPTION_TEXT, "FILE.png", "draw the errors against the steps",
     offsetof(struct settings, output)},
    {"set", 0, OPTION_TEXTS, "OPTION=VALUE ...", "options of the solvers, such as solver_order=3",
     offsetof(struct settings, options)},
    {"json", 0, OPTION_FLAG, NULL, "print JSON", offsetof(struct settings, json)},
    {.name = NULL},
};

const struct command convergence_command = {
    .name = "convergence",
    .summary = "measure the order of solvers on data whose flow is known",
    .usage = "[SOLVER ...] [-o FILE.png] [--set OPTION=VALUE] [--json]",
    .details =
        "Solves the probability flow of a mixture of Gaussians, which is known in closed form, in\n"
        "8 to 256 steps, and prints how far each solver ends from the truth: the root mean square\n"
        "over 32 states. The slope, the order as measured, is that of the logarithms of the\n"
        "last three errors that float32 does not round off.\n"
        "\n"
        "example:\n"
        "  sumi convergence euler heun rk4 dpmpp-2m unipc -o convergence.png",
    .options = OPTIONS,
    .arguments = "SOLVERs",
    .least = 0,
    .most = 8,
    .settings_size = sizeof(struct settings),
    .run = run,
};

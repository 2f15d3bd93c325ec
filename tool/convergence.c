/* SPDX-License-Identifier: Apache-2.0 */
/* sumi convergence: the error of solvers against the number of their steps, on data whose flow is
   known. */
#include <stdio.h>
#include <string.h>

#include "inference.h"
#include "print.h"

enum { MOST_POINTS = 6, MOST_SOLVERS = 64, FEWEST_STEPS = 8 };

struct settings {
    const char *output;
    struct texts options;
    bool json;
};

struct curve {
    char name[32];
    int order; /* nominal order */
    int64_t count;
    double steps[MOST_POINTS], errors[MOST_POINTS];
    double slope;
    bool missing; /* the order of the solver cannot be measured */
};

static sumi_status follow(sumi_context *context, const sumi_solver_info *info,
                          const struct texts *options, struct curve *curve)
{
    int64_t steps[MOST_POINTS];
    sumi_solver *solver = NULL;
    *curve = (struct curve){.order = info->order, .count = MOST_POINTS};
    snprintf(curve->name, sizeof curve->name, "%s", info->name);
    for (int i = 0; i < MOST_POINTS; i++) {
        steps[i] = (int64_t)FEWEST_STEPS << i;
        curve->steps[i] = (double)steps[i];
    }
    sumi_status status = sumi_solver_create(context, info->name, &solver);
    if (status == SUMI_OK) status = sumi_convergence_prepare(solver);
    curve->missing = status == SUMI_ERROR_ARGUMENT;
    if (status == SUMI_OK) status = inference_set_options(solver, options);
    if (status == SUMI_OK)
        status = sumi_convergence_measure(solver, MOST_POINTS, steps, curve->errors, &curve->slope);
    sumi_solver_free(solver);
    return status;
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
        lines[i] = (sumi_line){sizeof *lines, curves[i].name, curves[i].count, curves[i].steps,
                               curves[i].errors};
    sumi_status status = sumi_draw_lines(context, lines, count, "error on a mixture of Gaussians",
                                         "steps", "error", settings->output);
    return status == SUMI_OK ? EXIT_DONE : fail_context(context);
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    static struct curve curves[MOST_SOLVERS];
    sumi_solver_info info = {.size = sizeof info};
    int made = 0;
    if (settings->output && !has_ending(settings->output, ".png"))
        return fail(EXIT_USAGE, "convergence: %s should end in .png", settings->output);
    for (int i = 0; sumi_solver_describe(i, &info) && made < MOST_SOLVERS; i++) {
        if (!is_chosen(info.name, count, arguments)) continue;
        struct curve *curve = &curves[made];
        sumi_status status = follow(context, &info, &settings->options, curve);
        if (curve->missing && count == 0) continue;
        if (curve->missing)
            return fail(EXIT_USAGE, "convergence: %s", sumi_context_message(context));
        if (status != SUMI_OK) return fail_argument(context, status);
        made++;
    }
    if (made == 0 || (count > 0 && made < count))
        return fail(EXIT_USAGE, "convergence: not all of these are solvers; see `sumi solvers`");
    int code = report(settings, curves, made);
    if (code == EXIT_DONE && settings->output) code = draw(context, settings, curves, made);
    return code;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, output, 'o', "FILE.png",
               A_TEXT("output", "draw the errors against the steps")),
    LIST_ROW(struct settings, options, 0, "OPTION=VALUE ...", TAKES_ASSIGNMENTS,
             A_TEXT("set", "options of the solvers, such as solver_order=3")),
    OPTION_ROW(struct settings, json, 0, NULL, A_FLAG("json", "print JSON")),
    {.letter = 0},
};

const struct command convergence_command = {
    .name = "convergence",
    .summary = "measure the order of solvers on data whose flow is known",
    .usage = "[SOLVER ...] [-o FILE.png] [--set OPTION=VALUE] [--json]",
    .details =
        "Solves the probability flow of a mixture of Gaussians, which is known in closed form, in\n"
        "8 to 256 steps, and prints the error of each solver: the root mean square over 32 "
        "states.\n"
        "The slope, which is the measured order, is that of the logarithms of the last three "
        "errors\n"
        "above float32 rounding.\n\n"
        "example:\n"
        "  sumi convergence euler heun rk4 dpmpp-2m unipc -o convergence.png",
    .options = OPTIONS,
    .arguments = "SOLVERs",
    .least = 0,
    .most = 8,
    .settings_size = sizeof(struct settings),
    .run = run,
};

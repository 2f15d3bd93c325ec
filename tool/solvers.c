/* SPDX-License-Identifier: Apache-2.0 */
/* sumi solvers: lists solvers and their options. */
#include <stdio.h>

#include "print.h"

struct settings {
    bool json;
};

static struct json_object *solver_as_json(const sumi_solver_info *info)
{
    struct json_object *one = json_object_new_object();
    json_object_object_add(one, "name", json_object_new_string(info->name));
    json_object_object_add(one, "order", json_object_new_int(info->order));
    json_object_object_add(one, "evaluations", json_object_new_int(info->evaluations));
    json_object_object_add(one, "stochastic", json_object_new_boolean(info->stochastic));
    json_object_object_add(one, "paper", json_object_new_string(info->paper));
    return one;
}

/* ---- The options of a solver ---- */

static struct json_object *option_as_json(const sumi_option *option)
{
    struct json_object *one = json_object_new_object();
    json_object_object_add(one, "name", json_object_new_string(option->name));
    json_object_object_add(one, "type", json_object_new_string(option->type));
    json_object_object_add(one, "default", json_object_new_string(option->default_value));
    if (option->choices)
        json_object_object_add(one, "choices", json_object_new_string(option->choices));
    json_object_object_add(one, "meaning", json_object_new_string(option->meaning));
    return one;
}

static int list_options(sumi_context *context, const char *name, bool json)
{
    struct json_object *all = json ? json_object_new_array() : NULL;
    sumi_solver *solver = NULL;
    sumi_option option = {.size = sizeof option};
    sumi_status status = sumi_solver_create(context, name, &solver);
    if (status != SUMI_OK) return fail_argument(context, status);
    if (!json) printf("%-27s %-8s %-12s %s\n", "option", "type", "default", "meaning");
    for (int i = 0; sumi_solver_option(solver, i, &option); i++) {
        if (json) {
            json_object_array_add(all, option_as_json(&option));
            continue;
        }
        printf("%-27s %-8s %-12s %s", option.name, option.type, option.default_value,
               option.meaning);
        printf(option.choices ? " (%s)\n" : "\n", option.choices);
    }
    sumi_solver_free(solver);
    return json ? print_json(all) : EXIT_DONE;
}

/* ---- All solvers ---- */

static int list_solvers(bool json)
{
    struct json_object *all = json ? json_object_new_array() : NULL;
    sumi_solver_info info = {.size = sizeof info};
    if (!json) {
        printf("%-17s %5s  %-11s  %-5s  %s\n", "name", "order", "evaluations", "noise", "paper");
    }
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        if (json) json_object_array_add(all, solver_as_json(&info));
        else
            printf("%-17s %5d  %-11d  %-5s  %s\n", info.name, info.order, info.evaluations,
                   info.stochastic ? "fresh" : "", info.paper);
    }
    return json ? print_json(all) : EXIT_DONE;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    return count ? list_options(context, arguments[0], settings->json)
                 : list_solvers(settings->json);
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, json, 0, NULL, A_FLAG("json", "print JSON")),
    {.letter = 0},
};

const struct command solvers_command = {
    .name = "solvers",
    .summary = "list the solvers, or the options of one",
    .usage = "[NAME] [--json]",
    .details =
        "Lists the solvers for `sumi sample --solver NAME`: the order of accuracy (for solvers\n"
        "that add noise, that of the mean and the deviation of samples), evaluations of the\n"
        "network per step, whether noise is added, and the paper. With a NAME lists the options\n"
        "that this solver reads, for `--set OPTION=VALUE` of sample, with their defaults and\n"
        "meanings.\n\n"
        "examples:\n"
        "  sumi solvers ddim\n"
        "  sumi sample runs/digits --solver ddim --steps 50 -o digits.png",
    .options = OPTIONS,
    .arguments = "a NAME",
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

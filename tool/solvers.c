/* SPDX-License-Identifier: Apache-2.0 */
/* sumi solvers: the ways from noise to data. */
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

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    struct json_object *all = settings->json ? json_object_new_array() : NULL;
    sumi_solver_info info;
    (void)context;
    (void)count;
    (void)arguments;
    if (!settings->json) {
        printf("%-17s %5s  %-11s  %-5s  %s\n", "name", "order", "evaluations", "noise", "paper");
    }
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        if (settings->json) json_object_array_add(all, solver_as_json(&info));
        else
            printf("%-17s %5d  %-11d  %-5s  %s\n", info.name, info.order, info.evaluations,
                   info.stochastic ? "fresh" : "", info.paper);
    }
    return settings->json ? print_json(all) : EXIT_DONE;
}

static const struct option OPTIONS[] = {
    {"json", 0, OPTION_FLAG, NULL, "print JSON", offsetof(struct settings, json)},
    {.name = NULL},
};

const struct command solvers_command = {
    .name = "solvers",
    .summary = "list the ways from noise to data",
    .usage = "[--json]",
    .details = "Lists the solvers that `sumi sample --solver NAME` knows: the order of accuracy\n"
               "(where fresh noise is drawn, that of the mean and the deviation of samples),\n"
               "evaluations of the network a step, whether fresh noise is drawn, and the paper.\n"
               "\n"
               "example:\n"
               "  sumi sample runs/digits --solver ddim --steps 50 -o digits.png",
    .options = OPTIONS,
    .settings_size = sizeof(struct settings),
    .run = run,
};

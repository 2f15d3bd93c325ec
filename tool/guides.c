/* SPDX-License-Identifier: Apache-2.0 */
/* sumi guides: lists guides, and the methods of sumi restore. */
#include <stdio.h>

#include "print.h"

struct settings {
    bool json;
};

static struct json_object *guides_as_json(void)
{
    struct json_object *all = json_object_new_array();
    sumi_guide_info info = {.size = sizeof info};
    for (int i = 0; sumi_guide_describe(i, &info); i++) {
        struct json_object *one = json_object_new_object();
        json_object_object_add(one, "name", json_object_new_string(info.name));
        json_object_object_add(one, "evaluations", json_object_new_int(info.evaluations));
        json_object_object_add(one, "needs", json_object_new_string(info.needs));
        json_object_object_add(one, "paper", json_object_new_string(info.paper));
        json_object_array_add(all, one);
    }
    return all;
}

static struct json_object *methods_as_json(void)
{
    struct json_object *all = json_object_new_array();
    sumi_method_info info = {.size = sizeof info};
    for (int i = 0; sumi_method_describe(i, &info); i++) {
        struct json_object *one = json_object_new_object();
        json_object_object_add(one, "name", json_object_new_string(info.name));
        json_object_object_add(one, "evaluations", json_object_new_int(info.evaluations));
        json_object_object_add(one, "product", json_object_new_boolean(info.needs_product));
        json_object_object_add(one, "inverse", json_object_new_boolean(info.needs_inverse));
        json_object_object_add(one, "noise", json_object_new_boolean(info.needs_noise));
        json_object_object_add(one, "paper", json_object_new_string(info.paper));
        json_object_array_add(all, one);
    }
    return all;
}

static void list_guides(void)
{
    sumi_guide_info info = {.size = sizeof info};
    printf("%-15s  %-11s  %-38s  %s\n", "name", "evaluations", "needs", "paper");
    for (int i = 0; sumi_guide_describe(i, &info); i++)
        printf("%-15s  +%-10d  %-38s  %s\n", info.name, info.evaluations, info.needs, info.paper);
}

static void list_methods(void)
{
    sumi_method_info info = {.size = sizeof info};
    printf("\nmethods of sumi restore\n%-15s  %-11s  %-38s  %s\n", "name", "evaluations", "needs",
           "paper");
    for (int i = 0; sumi_method_describe(i, &info); i++) {
        const char *needs = info.needs_noise     ? "derivatives, noise above 0"
                            : info.needs_product ? "derivatives"
                            : info.needs_inverse ? "a pseudo-inverse"
                                                 : "";
        printf("%-15s  x%-10d  %-38s  %s\n", info.name, info.evaluations, needs, info.paper);
    }
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    (void)context, (void)count, (void)arguments;
    if (settings->json) {
        struct json_object *answer = json_object_new_object();
        json_object_object_add(answer, "guides", guides_as_json());
        json_object_object_add(answer, "methods", methods_as_json());
        return print_json(answer);
    }
    list_guides();
    list_methods();
    return EXIT_DONE;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, json, 0, NULL, A_FLAG("json", "print JSON")),
    {.letter = 0},
};

const struct command guides_command = {
    .name = "guides",
    .summary = "list the guides, and the methods of restoring",
    .usage = "[--json]",
    .details =
        "Lists the guides for --guide and --guidance of the commands that run a model: how many\n"
        "evaluations each adds to one of the network, what it needs beside the model, and its\n"
        "paper; and the methods of `sumi restore`, with their evaluations for each of the solver.\n"
        "Guides wrap the network in the order in which they are given; interval and rescale act "
        "on\n"
        "those before them:\n"
        "  negative:CLASS,W       keep away from a class; W 3 by default\n"
        "  interval:LO,HI         only at noise levels sigma from LO to HI\n"
        "  rescale:PHI            the share PHI with the deviation of the unguided prediction\n"
        "  autoguidance:MODEL,W   away from a weaker model of the same data; W 2 by default\n"
        "  cfg++:W                guided data, unguided noise; W from 0 to 1, 0.6 by default\n"
        "  classifier:MODEL,W     to the classes of --label, by a classifier of noised items\n\n"
        "examples:\n"
        "  sumi sample runs/digits --guidance 3 --guide interval:0.2,5 -o clear.png\n"
        "  sumi sample runs/ddpm-mnist --guide classifier:runs/classifier-mnist,2 --label 3 -o "
        "3.png",
    .options = OPTIONS,
    .arguments = "nothing",
    .settings_size = sizeof(struct settings),
    .run = run,
};

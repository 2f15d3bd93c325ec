/* SPDX-License-Identifier: Apache-2.0 */
/* sumi recipes: lists recipes and their keys. */
#include <stdio.h>
#include <string.h>

#include "print.h"

struct settings {
    bool keys, json;
};

static struct json_object *recipe_as_json(const sumi_recipe *recipe)
{
    struct json_object *all = json_object_new_object();
    sumi_recipe_key key = {.size = sizeof key};
    for (int i = 0; all && sumi_recipe_describe(i, &key); i++) {
        const char *value = sumi_recipe_get(recipe, key.key);
        json_object_object_add(all, key.key, json_object_new_string(value));
    }
    return all;
}

/* Prints the values that differ from the defaults, as a file that `sumi train` reads. */
static void print_recipe(const sumi_recipe *recipe)
{
    char section[64] = "";
    sumi_recipe_key key = {.size = sizeof key};
    for (int i = 0; sumi_recipe_describe(i, &key); i++) {
        const char *value = sumi_recipe_get(recipe, key.key), *dot = strchr(key.key, '.');
        if (strcmp(value, key.default_value) == 0) continue;
        size_t length = (size_t)(dot - key.key);
        if (strlen(section) != length || strncmp(section, key.key, length) != 0) {
            printf("%s[%.*s]\n", section[0] ? "\n" : "", (int)length, key.key);
            snprintf(section, sizeof section, "%.*s", (int)length, key.key);
        }
        printf("%s = %s\n", dot + 1, value);
    }
}

static int show_recipe(sumi_context *context, const char *name, bool json)
{
    sumi_recipe *recipe = NULL;
    sumi_status status = sumi_recipe_open(context, name, &recipe);
    if (status != SUMI_OK) return fail_recipe(context, status);
    int code = EXIT_DONE;
    if (json) code = print_json(recipe_as_json(recipe));
    else print_recipe(recipe);
    sumi_recipe_free(recipe);
    return code;
}

static int list_keys(bool json)
{
    struct json_object *all = json ? json_object_new_array() : NULL;
    sumi_recipe_key key = {.size = sizeof key};
    for (int i = 0; sumi_recipe_describe(i, &key); i++) {
        sumi_option option = {.size = sizeof option};
        sumi_recipe_option(NULL, i, &option);
        if (!json) {
            printf("%-28s %-14s %s", key.key, key.default_value, key.meaning);
            printf(*option.when ? " (read with %s)\n" : "%s\n", option.when);
            continue;
        }
        struct json_object *one = json_object_new_object();
        json_object_object_add(one, "key", json_object_new_string(key.key));
        json_object_object_add(one, "default", json_object_new_string(key.default_value));
        json_object_object_add(one, "meaning", json_object_new_string(key.meaning));
        json_object_object_add(one, "type", json_object_new_string(option.type));
        json_object_object_add(one, "when", json_object_new_string(option.when));
        json_object_array_add(all, one);
    }
    return json ? print_json(all) : EXIT_DONE;
}

static int list_recipes(bool json)
{
    struct json_object *all = json ? json_object_new_array() : NULL;
    const char *name;
    for (int i = 0; (name = sumi_recipe_name(i)) != NULL; i++) {
        if (!json) {
            print_entry(name, 16, sumi_recipe_summary(i));
            continue;
        }
        struct json_object *one = json_object_new_object();
        json_object_object_add(one, "name", json_object_new_string(name));
        json_object_object_add(one, "summary", json_object_new_string(sumi_recipe_summary(i)));
        json_object_array_add(all, one);
    }
    return json ? print_json(all) : EXIT_DONE;
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    if (settings->keys && count) {
        return fail(EXIT_USAGE, "recipes: --keys lists the keys of all recipes; leave out %s",
                    arguments[0]);
    }
    if (settings->keys) return list_keys(settings->json);
    return count ? show_recipe(context, arguments[0], settings->json)
                 : list_recipes(settings->json);
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, keys, 0, NULL,
               A_FLAG("keys", "list all keys with their defaults and meanings")),
    OPTION_ROW(struct settings, json, 0, NULL, A_FLAG("json", "print JSON")),
    {.letter = 0},
};

const struct command recipes_command = {
    .name = "recipes",
    .summary = "list what can be trained, or show one recipe",
    .usage = "[NAME] [--keys] [--json]",
    .details = "Lists the built-in recipes, each with one sentence. With a NAME, or the path of a\n"
               "recipe file, prints the values that it sets; all other keys have their defaults,\n"
               "which --keys lists.\n\n"
               "examples:\n"
               "  sumi recipes                     list the recipes\n"
               "  sumi recipes digits > mine.ini   start your own recipe\n"
               "  sumi train mine.ini\n"
               "  sumi recipes --keys              list all keys",
    .options = OPTIONS,
    .arguments = "a NAME",
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

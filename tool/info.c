/* SPDX-License-Identifier: Apache-2.0 */
/* sumi info: the contents of a model folder or a file. The library describes them as JSON; this
   prints that as text. */
#include <stdio.h>
#include <string.h>

#include "print.h"

enum { NAME_WIDTH = 26, NAME_LIMIT = 48 };

struct settings {
    bool json;
};

/* Whether a value is too long for one line, so that its members get their own lines. */
static bool is_block(struct json_object *value)
{
    return json_object_is_type(value, json_type_object) && json_object_object_length(value) > 0;
}

static bool is_table(struct json_object *value)
{
    return json_object_is_type(value, json_type_array) && json_object_array_length(value) > 0
           && json_object_is_type(json_object_array_get_idx(value, 0), json_type_object);
}

/* Whether a text, which may be from any file, can be printed as it is: without control characters,
   which could write anywhere on a terminal. */
static bool is_plain(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0)) return false;
    return true;
}

/* Formats a value in one line: plain texts without quotes, lists as JSON. */
static const char *as_text(struct json_object *value)
{
    if (json_object_is_type(value, json_type_string) && is_plain(json_object_get_string(value)))
        return json_object_get_string(value);
    return json_object_to_json_string_ext(value,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* Prints one tensor in a line: its name, then its other members. */
static void print_row(struct json_object *row)
{
    json_object_object_foreach(row, key, value)
    {
        if (strcmp(key, "name") == 0) printf("  %-*s", NAME_LIMIT, as_text(value));
        else if (strcmp(key, "dtype") == 0) printf("  %-4s", as_text(value));
        else if (strcmp(key, "shape") == 0) printf("  %-18s", as_text(value));
        else if (strcmp(key, "nan") != 0 && strcmp(key, "infinite") != 0) {
            if (json_object_is_type(value, json_type_double))
                printf("  %s %.4g", key, json_object_get_double(value));
            else printf("  %s %s", key, as_text(value));
        } else if (json_object_get_int64(value)) {
            printf("  %s %s", key, as_text(value));
        }
    }
    putchar('\n');
}

static void print_members(struct json_object *what, const char *indent)
{
    json_object_object_foreach(what, key, value)
    {
        if (!is_block(value) && !is_table(value))
            printf("%s%-*s  %s\n", indent, NAME_WIDTH, is_plain(key) ? key : "?", as_text(value));
    }
    json_object_object_foreach(what, name, part)
    {
        if (is_block(part)) {
            printf("%s%s\n", indent, name);
            print_members(part, "  ");
        } else if (is_table(part)) {
            printf("%s%s\n", indent, name);
            for (size_t i = 0; i < json_object_array_length(part); i++)
                print_row(json_object_array_get_idx(part, i));
        }
    }
}

static int run(sumi_context *context, const void *user, int count, const char *const *arguments)
{
    const struct settings *settings = user;
    char *text = NULL;
    (void)count;
    if (sumi_describe(context, arguments[0], &text) != SUMI_OK) return fail_context(context);
    struct json_object *what = json_tokener_parse(text);
    sumi_text_release(context, text);
    if (settings->json || !what) return print_json(what);
    print_members(what, "");
    json_object_put(what);
    return EXIT_DONE;
}

static const struct option OPTIONS[] = {
    OPTION_ROW(struct settings, json, 0, NULL, A_FLAG("json", "print JSON")),
    {.letter = 0},
};

const struct command info_command = {
    .name = "info",
    .summary = "describe a model folder or a file",
    .usage = "MODEL|FILE [--json]",
    .details =
        "Describes a model folder, or a safetensors, npy, IDX, CSV, PNG or JPEG file:\n"
        "shapes, numbers of weights, extremes, and values that are not finite; of a PNG its\n"
        "texts, such as the settings that `sumi sample` writes.\n\n"
        "examples:\n"
        "  sumi info runs/digits\n"
        "  sumi info runs/digits/unet/diffusion_pytorch_model.safetensors\n"
        "  sumi info waves.npy --json",
    .options = OPTIONS,
    .arguments = "a MODEL or a FILE",
    .least = 1,
    .most = 1,
    .settings_size = sizeof(struct settings),
    .run = run,
};

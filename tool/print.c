/* SPDX-License-Identifier: Apache-2.0 */
/* Printing; see print.h. */
#include "print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int print_json(struct json_object *value)
{
    if (!value) return fail(EXIT_FAILED, "out of memory");
    const char *text = json_object_to_json_string_ext(
        value, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
    if (text) puts(text);
    json_object_put(value);
    return text ? EXIT_DONE : fail(EXIT_FAILED, "out of memory");
}

struct json_object *json_number(double number)
{
    char text[32];
    if (!isfinite(number)) return NULL; /* JSON cannot represent it */
    snprintf(text, sizeof text, "%.9g", number);
    return json_object_new_double_s(number, text);
}

struct json_object *json_file(const char *path, const sumi_array *array)
{
    struct json_object *answer = json_object_new_object(), *shape = json_object_new_array();
    for (int i = 0; i < array->rank; i++)
        json_object_array_add(shape, json_object_new_int64(array->shape[i]));
    json_object_object_add(answer, "file", json_object_new_string(path));
    json_object_object_add(answer, "shape", shape);
    return answer;
}

void print_entry(const char *name, int width, const char *meaning)
{
    printf("  %-*s  ", width, name);
    for (const char *line = meaning;;) {
        size_t length = strcspn(line, "\n");
        printf("%.*s\n", (int)length, line);
        if (!line[length]) return;
        line += length + 1;
        printf("  %*s  ", width, "");
    }
}

/* Quotes a path with single quotes, within which a shell only interprets the quote itself; also a
   path that begins with '-', which would be an option. */
const char *shell_word(const char *path, char *text, size_t size)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:@%+=,";
    bool plain = path[0] && path[strspn(path, PLAIN)] == '\0';
    size_t length =
        (size_t)snprintf(text, size, "%s%s", plain ? "" : "'", path[0] == '-' ? "./" : "");
    for (const char *letter = path; *letter; letter++) {
        const char *quoted = *letter == '\'' ? "'\\''" : (char[]){*letter, '\0'};
        if (length + strlen(quoted) + 2 > size) return path;
        length += (size_t)snprintf(text + length, size - length, "%s", quoted);
    }
    if (!plain) snprintf(text + length, size - length, "'");
    return text;
}

static void print_option(const struct option *option)
{
    char name[64], letter[8] = "    ";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(name, sizeof name, "%s--%s %s", letter, option->row.name,
             option->value ? option->value : "");
    print_entry(name, 27, option->row.meaning);
}

void print_help(const struct command *command)
{
    static const struct option HELP = {{A_FLAG("help", "print this")}, .letter = 'h'};
    printf("usage: sumi %s%s%s\n\n%s\n\noptions:\n", command->name, command->usage[0] ? " " : "",
           command->usage, command->details);
    for (const struct option *option = command->options; option->row.name; option++)
        print_option(option);
    print_option(&HELP);
}

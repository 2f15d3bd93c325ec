/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line; see command.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

enum { OPTION_LIMIT = 64 };

/* The state of the parser. */
struct parser {
    sumi_context *context;
    const struct command *command;
    const char *source; /* of the values, for messages: the command or a file */
    char *settings;
    int argc, next; /* next: index of the next argument */
    int count;      /* number of positional arguments so far */
    char *const *argv;
};

/* ---- Values ---- */

/* Checks a value, and reads it where `target` is not NULL. */
static int read_value(const struct parser *parser, const struct option *option, const char *value,
                      void *target)
{
    char subject[96];
    snprintf(subject, sizeof subject, "%.60s: --%s", parser->source, option->row.name);
    sumi_status status = sumi_option_read(parser->context, &option->row, subject, value, target);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(parser->context, status);
}

static bool is_number(const struct parser *parser, const char *text)
{
    static const sumi_option NUMBER = {
        .size = sizeof NUMBER, .name = "number", .type = "number", .high = 1e30};
    return sumi_option_read(parser->context, &NUMBER, NULL, text, NULL) == SUMI_OK;
}

static int check_limit(const struct parser *parser, const struct option *option, int count)
{
    if (count < LIST_LIMIT) return EXIT_DONE;
    return fail(EXIT_USAGE, "%s: --%s takes at most %d values", parser->source, option->row.name,
                LIST_LIMIT);
}

static int add_text(const struct parser *parser, const struct option *option, struct texts *texts,
                    const char *value)
{
    int code = check_limit(parser, option, texts->count);
    if (code == EXIT_DONE) texts->items[texts->count++] = value;
    return code;
}

/* Reads numbers separated by commas. */
static int add_numbers(const struct parser *parser, const struct option *option,
                       struct numbers *numbers, const char *value)
{
    int code = EXIT_DONE;
    for (const char *rest = value; rest && code == EXIT_DONE;) {
        char word[64];
        size_t length = strcspn(rest, ",");
        snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), rest);
        code = check_limit(parser, option, numbers->count);
        if (code == EXIT_DONE)
            code = read_value(parser, option, word, &numbers->items[numbers->count++]);
        rest = rest[length] ? rest + length + 1 : NULL;
    }
    return code;
}

static bool has_type(const struct option *option, const char *type)
{
    return strcmp(option->row.type, type) == 0;
}

static int take_value(const struct parser *parser, const struct option *option, const char *value)
{
    void *target = parser->settings + option->offset;
    if (option->values == TAKES_NUMBERS) return add_numbers(parser, option, target, value);
    if (option->values != TAKES_ONE) return add_text(parser, option, target, value);
    if (has_type(option, "flag")) *(bool *)target = true;
    else if (has_type(option, "whole")) return read_value(parser, option, value, target);
    else *(const char **)target = value;
    return has_type(option, "flag") ? EXIT_DONE : read_value(parser, option, value, NULL);
}

int command_take(sumi_context *context, const struct command *command, const char *source,
                 const struct option *option, const char *value, void *settings)
{
    const struct parser parser = {
        .context = context, .command = command, .source = source, .settings = settings};
    return take_value(&parser, option, value);
}

/* ---- Options ---- */

static const char *nearest_option(const struct command *command, const char *word)
{
    const char *names[OPTION_LIMIT + 1] = {NULL};
    for (int i = 0; i < OPTION_LIMIT && command->options[i].row.name; i++)
        names[i] = command->options[i].row.name;
    return sumi_nearest_word(word, names);
}

static int unknown_option(const struct command *command, const char *argument)
{
    char word[64] = "";
    size_t length = strcspn(argument, "=");
    const char *meant = NULL;
    if (argument[1] == '-' && length < sizeof word) {
        memcpy(word, argument + 2, length - 2);
        word[length - 2] = '\0';
        meant = nearest_option(command, word);
    }
    if (meant) {
        return fail(EXIT_USAGE, "%s has no option %.*s; did you mean --%s?", command->name,
                    (int)length, argument, meant);
    }
    return fail(EXIT_USAGE, "%s has no option %.*s; `sumi %s --help` lists all", command->name,
                (int)length, argument, command->name);
}

/* Whether an argument is an option rather than a value; "-" alone and "-5" are values. */
static bool is_option(const char *argument)
{
    return argument[0] == '-' && argument[1] && !isdigit((unsigned char)argument[1])
           && argument[1] != '.';
}

/* The value of an option: attached, or else the next argument. */
static int find_value(struct parser *parser, const struct option *option, const char *attached,
                      const char **value)
{
    *value = attached;
    if (has_type(option, "flag")) {
        if (!attached) return EXIT_DONE;
        return fail(EXIT_USAGE, "%s: --%s takes no value", parser->command->name, option->row.name);
    }
    if (attached) return EXIT_DONE;
    if (parser->next < parser->argc && !is_option(parser->argv[parser->next])) {
        *value = parser->argv[parser->next++];
        return EXIT_DONE;
    }
    return fail(EXIT_USAGE, "%s: --%s needs a value, %s", parser->command->name, option->row.name,
                option->value);
}

/* Whether an argument reads as "name=value" with a name of letters, digits, '.', '_' and '-'. */
static bool is_assignment(const char *argument)
{
    size_t length = 0;
    while (isalnum((unsigned char)argument[length])
           || (argument[length] && strchr("._-", argument[length])))
        length++;
    return length > 0 && argument[0] != '-' && argument[length] == '=';
}

/* Whether the next argument continues the list of the previous option. */
static bool is_next_of_list(const struct parser *parser, const struct option *option)
{
    if (parser->next == parser->argc) return false;
    const char *argument = parser->argv[parser->next];
    switch (option->values) {
    case TAKES_NUMBERS: return is_number(parser, argument);
    case TAKES_WORDS:
        return is_number(parser, argument)
               || (!is_option(argument) && parser->count >= parser->command->most);
    case TAKES_ASSIGNMENTS: return is_assignment(argument);
    default: return false;
    }
}

static int take_option(struct parser *parser, const struct option *option, const char *attached)
{
    const char *value;
    int code = find_value(parser, option, attached, &value);
    if (code == EXIT_DONE) code = take_value(parser, option, value);
    while (code == EXIT_DONE && !attached && is_next_of_list(parser, option))
        code = take_value(parser, option, parser->argv[parser->next++]);
    return code;
}

static int take_long(struct parser *parser, const char *argument)
{
    const char *name = argument + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    for (const struct option *option = parser->command->options; option->row.name; option++) {
        if (strlen(option->row.name) != length || strncmp(option->row.name, name, length) != 0)
            continue;
        return take_option(parser, option, equals ? equals + 1 : NULL);
    }
    return unknown_option(parser->command, argument);
}

static int take_short(struct parser *parser, const char *argument)
{
    for (const struct option *option = parser->command->options; option->row.name; option++) {
        if (option->letter != argument[1]) continue;
        return take_option(parser, option, argument[2] ? argument + 2 : NULL);
    }
    return unknown_option(parser->command, argument);
}

/* ---- The whole line ---- */

static int check_count(const struct command *command, const char *const *arguments, int count)
{
    if (count < command->least) {
        return fail(EXIT_USAGE, "%s needs %s; see `sumi %s --help`", command->name,
                    command->arguments, command->name);
    }
    if (count <= command->most) return EXIT_DONE;
    return fail(EXIT_USAGE, "%s: '%s' is one argument too many; see `sumi %s --help`",
                command->name, arguments[command->most], command->name);
}

int command_parse(sumi_context *context, const struct command *command, int argc, char *const *argv,
                  void *settings, const char **arguments, int limit, int *count, bool *help)
{
    struct parser parser = {.context = context,
                            .command = command,
                            .source = command->name,
                            .settings = settings,
                            .argc = argc,
                            .argv = argv};
    bool options_end = false;
    int code = EXIT_DONE;
    *count = 0;
    *help = false;
    while (code == EXIT_DONE && parser.next < argc) {
        const char *argument = argv[parser.next++];
        if (options_end || argument[0] != '-' || !argument[1]) {
            if (*count < limit) arguments[(*count)++] = argument;
            parser.count = *count;
        } else if (strcmp(argument, "--") == 0) {
            options_end = true;
        } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            *help = true;
            return EXIT_DONE;
        } else if (argument[1] == '-') {
            code = take_long(&parser, argument);
        } else {
            code = take_short(&parser, argument);
        }
    }
    return code == EXIT_DONE ? check_count(command, arguments, *count) : code;
}

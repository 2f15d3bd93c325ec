/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line; see command.h. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* Where the parser stands. */
struct parser {
    const struct command *command;
    char *settings;
    int argc, next; /* the argument to read next */
    int count;      /* arguments that are no options, so far */
    char *const *argv;
};

/* ---- Values ---- */

/* Digits with at most one point and an exponent: no hexadecimal, no "inf", no spaces. */
static bool looks_like_number(const char *text)
{
    const char *rest = text + strspn(text, "0123456789");
    if (*rest == '.') rest += 1 + strspn(rest + 1, "0123456789");
    if (!isdigit((unsigned char)text[0]) && !(text[0] == '.' && rest > text + 1)) return false;
    if (*rest == 'e' || *rest == 'E') {
        rest++;
        if (*rest == '+' || *rest == '-') rest++;
        size_t digits = strspn(rest, "0123456789");
        rest += digits;
        if (!digits) return false;
    }
    return *rest == '\0';
}

bool read_number(const char *text, double *number)
{
    if (!looks_like_number(text)) return false;
    *number = strtod(text, NULL);
    return isfinite(*number);
}

/* Digits alone, of at most 64 bits. */
static bool read_whole(const char *text, uint64_t *whole)
{
    if (!text[0] || text[strspn(text, "0123456789")]) return false;
    errno = 0;
    *whole = strtoull(text, NULL, 10);
    return errno == 0;
}

static int wrong_value(const struct parser *parser, const struct option *option, const char *value)
{
    static const char *const EXPECTED[] = {
        [OPTION_COUNT] = "a whole number from 1 to 1000000000",
        [OPTION_SEED] = "a whole number from 0 to 18446744073709551615",
        [OPTION_NUMBERS] = "numbers from 0 up",
    };
    return fail(EXIT_USAGE, "%s: --%s takes %s, not '%s'", parser->command->name, option->name,
                EXPECTED[option->kind], value);
}

static int add_text(const struct parser *parser, const struct option *option, struct texts *texts,
                    const char *value)
{
    if (texts->count == LIST_LIMIT) {
        return fail(EXIT_USAGE, "%s: --%s may be given %d times at most", parser->command->name,
                    option->name, LIST_LIMIT);
    }
    texts->items[texts->count++] = value;
    return EXIT_DONE;
}

/* Numbers with commas between. */
static int add_numbers(const struct parser *parser, const struct option *option,
                       struct numbers *numbers, const char *value)
{
    for (const char *rest = value; rest;) {
        char word[32];
        const char *comma = strchr(rest, ',');
        size_t length = comma ? (size_t)(comma - rest) : strlen(rest);
        if (length >= sizeof word) return wrong_value(parser, option, value);
        memcpy(word, rest, length);
        word[length] = '\0';
        double number;
        if (!read_number(word, &number) || numbers->count == LIST_LIMIT)
            return wrong_value(parser, option, value);
        numbers->items[numbers->count++] = number;
        rest = comma ? comma + 1 : NULL;
    }
    return EXIT_DONE;
}

static int take_value(const struct parser *parser, const struct option *option, const char *value)
{
    void *target = parser->settings + option->offset;
    uint64_t whole;
    switch (option->kind) {
    case OPTION_FLAG: *(bool *)target = true; break;
    case OPTION_TEXT: *(const char **)target = value; break;
    case OPTION_TEXTS:
    case OPTION_WORDS: return add_text(parser, option, target, value);
    case OPTION_COUNT:
        if (!read_whole(value, &whole) || whole < 1 || whole > 1000000000)
            return wrong_value(parser, option, value);
        *(int64_t *)target = (int64_t)whole;
        break;
    case OPTION_SEED:
        if (!read_whole(value, &whole)) return wrong_value(parser, option, value);
        *(const char **)target = value;
        break;
    case OPTION_NUMBERS: return add_numbers(parser, option, target, value);
    }
    return EXIT_DONE;
}

/* ---- Options ---- */

static const char *option_name(const void *user, int number)
{
    const struct option *options = user;
    return options[number].name;
}

static int unknown_option(const struct command *command, const char *argument)
{
    char word[64] = "";
    size_t length = strcspn(argument, "=");
    const char *meant = NULL;
    if (argument[1] == '-' && length < sizeof word) {
        memcpy(word, argument + 2, length - 2);
        word[length - 2] = '\0';
        meant = nearest_word(word, option_name, command->options);
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
    if (option->kind == OPTION_FLAG) {
        if (!attached) return EXIT_DONE;
        return fail(EXIT_USAGE, "%s: --%s takes no value", parser->command->name, option->name);
    }
    if (attached) return EXIT_DONE;
    if (parser->next < parser->argc && !is_option(parser->argv[parser->next])) {
        *value = parser->argv[parser->next++];
        return EXIT_DONE;
    }
    return fail(EXIT_USAGE, "%s: --%s needs a value, %s", parser->command->name, option->name,
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

/* Whether the next argument belongs to the list that the option before it has begun. */
static bool is_next_of_list(const struct parser *parser, const struct option *option)
{
    double number;
    if (parser->next == parser->argc) return false;
    const char *argument = parser->argv[parser->next];
    switch (option->kind) {
    case OPTION_NUMBERS: return read_number(argument, &number);
    case OPTION_WORDS:
        return read_number(argument, &number)
               || (!is_option(argument) && parser->count >= parser->command->most);
    case OPTION_TEXTS: return is_assignment(argument);
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
    for (const struct option *option = parser->command->options; option->name; option++) {
        if (strlen(option->name) != length || strncmp(option->name, name, length) != 0) continue;
        return take_option(parser, option, equals ? equals + 1 : NULL);
    }
    return unknown_option(parser->command, argument);
}

static int take_short(struct parser *parser, const char *argument)
{
    for (const struct option *option = parser->command->options; option->name; option++) {
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

int command_parse(const struct command *command, int argc, char *const *argv, void *settings,
                  const char **arguments, int limit, int *count, bool *help)
{
    struct parser parser = {.command = command, .settings = settings, .argc = argc, .argv = argv};
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

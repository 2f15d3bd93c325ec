/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions under which options are read; see option_holds in options.h. */
#include <stdio.h>
#include <string.h>

#include "base/options.h"

/* Whether `value` is one of the words of list[length], "one|two". */
static bool is_listed(const char *list, size_t length, const char *value)
{
    size_t wanted = strlen(value);
    for (const char *word = list, *end = list + length; word <= end;) {
        const char *bar = memchr(word, '|', (size_t)(end - word));
        size_t size = (size_t)((bar ? bar : end) - word);
        if (size == wanted && memcmp(word, value, size) == 0) return true;
        if (!bar) return false;
        word = bar + 1;
    }
    return false;
}

/* "name=one|two" or "name!=one|two", of term[length]. */
static bool term_holds(const char *term, size_t length, option_getter get, const void *user)
{
    char name[OPTION_WORD_SIZE];
    const char *equals = memchr(term, '=', length);
    if (!equals) return false;
    bool unequal = equals > term && equals[-1] == '!';
    snprintf(name, sizeof name, "%.*s", (int)(equals - term) - unequal, term);
    char value[OPTION_WORD_SIZE] = "";
    return get(user, name, value)
           && is_listed(equals + 1, length - (size_t)(equals + 1 - term), value) != unequal;
}

void option_first_failing(const char *when, option_getter get, const void *user,
                          char name[OPTION_WORD_SIZE])
{
    const char *failing = when;
    for (const char *term = when; term && *term;) {
        size_t length = strcspn(term, ", ");
        failing = term;
        if (!term_holds(term, length, get, user)) break;
        term = strstr(term, ", ");
        if (term) term += 2;
    }
    snprintf(name, OPTION_WORD_SIZE, "%.*s", (int)strcspn(failing, "!="), failing);
}

bool option_holds(const char *when, option_getter get, const void *user)
{
    bool all = true;
    for (const char *term = when; term;) {
        const char *comma = strstr(term, ", "), *other = strstr(term, " or ");
        bool more = comma && (!other || comma < other);
        const char *end = more ? comma : other ? other : term + strlen(term);
        all = all && term_holds(term, (size_t)(end - term), get, user);
        if (more) {
            term = comma + 2;
            continue;
        }
        if (all) return true;
        all = true;
        term = other ? other + 4 : NULL;
    }
    return !when;
}

void option_condition(const char *when, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (const char *letter = when; *letter && used < size; letter++) {
        bool unequal = letter[0] == '!' && letter[1] == '=';
        bool none = letter[0] == '=' && (!letter[1] || letter[1] == ',' || letter[1] == ' ');
        bool given = unequal && (!letter[2] || letter[2] == ',' || letter[2] == ' ');
        const char *word = given            ? " given"
                           : unequal        ? " other than "
                           : none           ? " not given"
                           : *letter == '=' ? " = "
                           : *letter == '|' ? " or "
                           : *letter == ',' ? " and"
                                            : NULL;
        used += (size_t)(word ? snprintf(text + used, size - used, "%s", word)
                              : snprintf(text + used, size - used, "%c", *letter));
        if (unequal) letter++;
    }
}

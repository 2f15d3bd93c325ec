/* Telling of errors, and guessing the word that was meant; see command.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

enum { WORD_LENGTH = 31 };

int fail(int code, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("sumi: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    return code;
}

int fail_context(const sumi_context *context)
{
    return fail(EXIT_FAILED, "%s", sumi_context_message(context));
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours between two words, in a table of the
   distances of their beginnings. */
static int distance(const char *word, const char *other)
{
    int table[WORD_LENGTH + 1][WORD_LENGTH + 1];
    int rows = (int)strnlen(word, WORD_LENGTH), columns = (int)strnlen(other, WORD_LENGTH);
    for (int i = 0; i <= rows; i++) {
        for (int j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            bool same = tolower((unsigned char)word[i - 1]) == tolower((unsigned char)other[j - 1]);
            table[i][j] = least(table[i - 1][j - 1] + !same,
                                1 + least(table[i - 1][j], table[i][j - 1]));
            bool swapped = i > 1 && j > 1 && word[i - 1] == other[j - 2]
                           && word[i - 2] == other[j - 1];
            if (swapped) table[i][j] = least(table[i][j], table[i - 2][j - 2] + 1);
        }
    }
    return table[rows][columns];
}

const char *nearest_word(const char *word, const char *(*name)(const void *user, int number),
                         const void *user)
{
    const char *nearest = NULL, *candidate;
    int shortest = WORD_LENGTH;
    for (int i = 0; (candidate = name(user, i)) != NULL; i++) {
        int slips = distance(word, candidate);
        if (slips >= shortest) continue;
        shortest = slips;
        nearest = candidate;
    }
    /* More slips than right letters: not a slip but another word. */
    return nearest && 2 * shortest <= (int)strlen(nearest) + 1 ? nearest : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and words that people type; see text.h. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sumi.h"

enum { WORD_LENGTH = 63 };

/* Digits, signs, a point and an exponent, so that hexadecimal, "nan" and spaces are refused. */
static bool is_decimal(const char *text, const char *others)
{
    bool digit = false;
    for (; *text; text++) {
        if (*text >= '0' && *text <= '9') digit = true;
        else if (!strchr(others, *text)) return false;
    }
    return digit;
}

bool text_to_number(const char *text, double *number)
{
    if (!is_decimal(text, "+-.eE")) return false;
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!plain) return false;
    locale_t former = uselocale(plain);
    char *end = NULL;
    double value = strtod(text, &end);
    uselocale(former);
    freelocale(plain);
    if (*end || !isfinite(value)) return false;
    *number = value;
    return true;
}

bool text_to_whole(const char *text, int64_t *whole)
{
    if (!is_decimal(text, "+-")) return false;
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*end || errno) return false;
    *whole = value;
    return true;
}

bool text_to_seed(const char *text, uint64_t *seed)
{
    if (!is_decimal(text, "")) return false;
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    if (errno) return false;
    *seed = value;
    return true;
}

bool text_copy_trimmed(const char *text, const char *end, char *copy, size_t size)
{
    copy[0] = 0;
    while (text < end && (*text == ' ' || *text == '\t')) text++;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t')) end--;
    if ((size_t)(end - text) >= size) return false;
    memcpy(copy, text, (size_t)(end - text));
    copy[end - text] = 0;
    return true;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the table of distances between beginnings. */
int text_distance(const char *word, const char *other)
{
    int rows[3][WORD_LENGTH + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];
    int length = (int)strnlen(word, WORD_LENGTH), other_length = (int)strnlen(other, WORD_LENGTH);
    for (int j = 0; j <= other_length; j++) row[j] = j;
    for (int i = 1; i <= length; i++) {
        int *free_row = before;
        before = above;
        above = row;
        row = free_row;
        row[0] = i;
        for (int j = 1; j <= other_length; j++) {
            int a = tolower((unsigned char)word[i - 1]), b = tolower((unsigned char)other[j - 1]);
            row[j] = least(above[j - 1] + (a != b), 1 + least(above[j], row[j - 1]));
            bool swapped = i > 1 && j > 1 && a == tolower((unsigned char)other[j - 2])
                           && b == tolower((unsigned char)word[i - 2]);
            if (swapped) row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[other_length];
}

const char *text_nearest(const char *text, const char *const *names)
{
    const char *nearest = "";
    int shortest = INT_MAX;
    for (; *names; names++) {
        int distance = text_distance(text, *names);
        if (distance >= shortest) continue;
        shortest = distance;
        nearest = *names;
    }
    return nearest;
}

const char *sumi_nearest_word(const char *word, const char *const *words)
{
    const char *nearest = text_nearest(word, words);
    /* more slips than right letters: not a slip but another word */
    bool near = 2 * text_distance(word, nearest) <= (int)strlen(nearest) + 1;
    return *words && near ? nearest : NULL;
}

/* ---- Characters ---- */

/* The number of bytes of the UTF-8 character (RFC 3629) at `c`; 0 for a control character and for
   anything else. */
static int character_size(const unsigned char *c)
{
    if (c[0] < 0x80) return c[0] >= ' ' && c[0] != 0x7f;
    int size = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    if (c[0] < 0xc2 || c[0] > 0xf4) return 0;
    for (int i = 1; i < size; i++) {
        if ((c[i] & 0xc0) != 0x80) return 0; /* also at the end of the text */
    }
    switch (c[0]) {
    case 0xc2: return c[1] < 0xa0 ? 0 : size; /* control characters beyond ASCII */
    case 0xe0: return c[1] < 0xa0 ? 0 : size; /* an overlong encoding */
    case 0xf0: return c[1] < 0x90 ? 0 : size;
    case 0xed: return c[1] > 0x9f ? 0 : size; /* UTF-16 surrogates */
    case 0xf4: return c[1] > 0x8f ? 0 : size; /* beyond the last character */
    default: return size;
    }
}

bool text_is_utf8(const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        unsigned char c[5] = {0}; /* ends with a zero, so that a cut character is none */
        memcpy(c, text + i, size - i < 4 ? size - i : 4);
        int length = strchr("\t\n\r", c[0]) && c[0] ? 1 : character_size(c);
        if (!length) return false;
        i += (size_t)length;
    }
    return true;
}

void text_tame(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c;) {
        int size = character_size(c);
        if (!size) *c = '?';
        c += size ? size : 1;
    }
}

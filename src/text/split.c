/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting clean texts into words, by the expression of CLIP's tokenizer:
   's|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+ */
#include <string.h>

#include "text/tokenizer.h"

/* The length of the contraction at points[at], 0 for none. */
static int64_t contraction(const struct points *points, int64_t at, int64_t limit)
{
    static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    if (points->at[at] != '\'') return 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int64_t length = (int64_t)strlen(endings[i]), same = 0;
        while (same < length && at + 1 + same < limit
               && points->at[at + 1 + same] == endings[i][same])
            same++;
        if (same == length) return 1 + length;
    }
    return 0;
}

int64_t split_word(const struct points *points, int64_t at, int64_t limit)
{
    int64_t contracted = contraction(points, at, limit), end = at + 1;
    if (contracted) return at + contracted;
    enum unicode_class first = unicode_class_of(points->at[at]);
    if (first == UNICODE_NUMBER) return end;
    while (end < limit && unicode_class_of(points->at[end]) == first) end++;
    return end;
}

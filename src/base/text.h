/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers for text that users type: numbers independent of the locale, and the distance of two
   words, to suggest the intended one. */
#ifndef SUMI_BASE_TEXT_H
#define SUMI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads all of `text` as a finite decimal number with a decimal point, independent of the locale;
   false, with `*number` unchanged, for anything else. */
bool text_to_number(const char *text, double *number);

/* Reads all of `text` as a decimal whole number of 64 bits. */
bool text_to_whole(const char *text, int64_t *whole);

/* Reads all of `text` as a seed: a decimal whole number from 0 to 2^64 - 1 without a sign. */
bool text_to_seed(const char *text, uint64_t *seed);

/* Copies `text` up to `end` without the blanks around it; false where it does not fit. */
bool text_copy_trimmed(const char *text, const char *end, char *copy, size_t size);

/* The number of insertions, deletions, replacements and swaps of neighbours that turn one word into
   the other, ignoring case; only the first 63 characters count. */
int text_distance(const char *word, const char *other);

/* The name in the list, which ends with NULL, that is nearest to `text`; "" for an empty list. */
const char *text_nearest(const char *text, const char *const *names);

/* Whether text[size] is UTF-8 without control characters, except tabs and ends of lines. */
bool text_is_utf8(const char *text, size_t size);

/* Replaces every byte that is not UTF-8 and every control character by '?', for names from
   files. */
void text_tame(char *text);

#endif

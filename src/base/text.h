/* SPDX-License-Identifier: Apache-2.0 */
/* Small helpers for text that people type: numbers whatever the locale, and how far two words are
   apart, to suggest the one that was meant. */
#ifndef SUMI_BASE_TEXT_H
#define SUMI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole of `text` as a finite decimal number, with a point whatever the locale says; false
   (and `*number` as it was) where it is anything else. */
bool text_to_number(const char *text, double *number);

/* The whole of `text` as a decimal whole number of 64 bits. */
bool text_to_whole(const char *text, int64_t *whole);

/* The whole of `text` as a decimal whole number from 0 to 2^64 - 1, without a sign: a seed. */
bool text_to_seed(const char *text, uint64_t *seed);

/* Copies `text` up to `end` without the blanks around it; false where it does not fit. */
bool text_copy_trimmed(const char *text, const char *end, char *copy, size_t size);

/* Insertions, deletions, replacements and swaps of neighbours that turn one word into the other,
   whatever the case; words longer than 63 characters count as their beginnings. */
int text_distance(const char *word, const char *other);

/* The name of the list, which ends with NULL, that is nearest to `text`; "" of an empty list. */
const char *text_nearest(const char *text, const char *const *names);

/* Puts '?' for every byte that is no UTF-8 or steers a terminal, as a name out of a file must not.
 */
void text_tame(char *text);

#endif

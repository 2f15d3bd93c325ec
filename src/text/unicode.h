/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as code points of Unicode, as tokenizers want them. What each code point is comes from the
   library utf8proc; a build without it (SUMI_TEXT=OFF) has unicode_left_out.c instead. */
#ifndef SUMI_TEXT_UNICODE_H
#define SUMI_TEXT_UNICODE_H

#include "base/context.h"

/* The longest text, in bytes. */
#define UNICODE_TEXT_LIMIT ((size_t)1 << 18)

struct points {
    int32_t *at; /* [count] */
    int64_t count;
};

/* Refuses, for `what`, a build without tables of Unicode. */
sumi_status unicode_check(sumi_context *context, const char *what);

/* Reads UTF-8 into new memory: normal form C, each run of white space one blank, and lower case by
   character (the final sigma is an ordinary one). Refuses bytes that are not UTF-8 with their
   place, and texts that are too long; `what` names the text in messages. */
sumi_status unicode_clean(sumi_context *context, const char *what, const char *text, size_t size,
                          struct points *points);
void points_release(sumi_context *context, struct points *points);

/* The classes by which texts are split: White_Space, \p{L} and \p{N}. */
enum unicode_class { UNICODE_SPACE, UNICODE_LETTER, UNICODE_NUMBER, UNICODE_OTHER };
enum unicode_class unicode_class_of(int32_t point);

/* Writes a code point as UTF-8; returns how many bytes. */
int unicode_put(int32_t point, char bytes[4]);

/* Reads the code point at `*text`, which is valid UTF-8 and ends with a zero byte, and moves it
   past; 0 at the end. */
int32_t unicode_take(const char **text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning texts and classes of code points, by the tables of utf8proc; see unicode.h. */
#include "text/unicode.h"

#include <utf8proc.h>

enum { DOTTED_CAPITAL_I = 0x130, DOT_ABOVE = 0x307 };
static const utf8proc_option_t FORM_C = UTF8PROC_STABLE | UTF8PROC_COMPOSE;

sumi_status unicode_check(sumi_context *context, const char *what)
{
    (void)context, (void)what;
    return SUMI_OK;
}

/* ---- Classes ---- */

/* The characters of the property White_Space, which \s of regular expressions matches. */
static bool is_space(int32_t point)
{
    return (point >= 0x9 && point <= 0xD) || point == ' ' || point == 0x85 || point == 0xA0
           || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028
           || point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000;
}

enum unicode_class unicode_class_of(int32_t point)
{
    if (is_space(point)) return UNICODE_SPACE;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return UNICODE_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return UNICODE_NUMBER;
    default: return UNICODE_OTHER;
    }
}

/* ---- Cleaning ---- */

static sumi_status check_bytes(sumi_context *context, const char *what, const char *text,
                               size_t size)
{
    utf8proc_int32_t point;
    if (size > UNICODE_TEXT_LIMIT) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: a text of %zu bytes is too long; the longest has %zu", what, size,
                            UNICODE_TEXT_LIMIT);
    }
    for (size_t at = 0; at < size;) {
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                   (utf8proc_ssize_t)(size - at), &point);
        if (length < 1) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "%s: byte %zu, 0x%02X, is not UTF-8; convert the text to UTF-8",
                                what, at, (unsigned char)text[at]);
        }
        at += (size_t)length;
    }
    return SUMI_OK;
}

/* White space as one blank, and lower case. The clean text is never longer than the canonical
   decomposition: the only letter whose lower case has two characters decomposes into two. */
static int64_t fold(const utf8proc_int32_t *from, int64_t count, int32_t *to)
{
    int64_t length = 0;
    for (int64_t i = 0; i < count; i++) {
        if (is_space(from[i])) {
            if (length == 0 || to[length - 1] != ' ') to[length++] = ' ';
        } else if (from[i] == DOTTED_CAPITAL_I) {
            to[length++] = 'i';
            to[length++] = DOT_ABOVE;
        } else {
            to[length++] = utf8proc_tolower(from[i]);
        }
    }
    return length;
}

sumi_status unicode_clean(sumi_context *context, const char *what, const char *text, size_t size,
                          struct points *points)
{
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
    const utf8proc_ssize_t length = (utf8proc_ssize_t)size;
    *points = (struct points){.count = 0};
    TRY(check_bytes(context, what, text, size));
    utf8proc_ssize_t count = utf8proc_decompose(bytes, length, NULL, 0, FORM_C);
    if (count < 0) {
        return context_fail(context, SUMI_ERROR_BACKEND, "%s: %s", what, utf8proc_errmsg(count));
    }
    utf8proc_int32_t *parts = context_allocate(context, (size_t)count, sizeof *parts);
    points->at = context_allocate(context, (size_t)count, sizeof *points->at);
    if (!parts || !points->at) {
        context_release(context, parts);
        points_release(context, points);
        return SUMI_ERROR_MEMORY;
    }
    utf8proc_decompose(bytes, length, parts, count, FORM_C);
    count = utf8proc_normalize_utf32(parts, count, FORM_C);
    points->count = fold(parts, count, points->at);
    context_release(context, parts);
    return SUMI_OK;
}

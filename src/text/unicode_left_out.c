/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces unicode.c where texts are left out of the build. */
#include "base/parts.h"
#include "text/unicode.h"

sumi_status unicode_check(sumi_context *context, const char *what)
{
    return part_left_out(context, what, "reading texts", "SUMI_TEXT");
}

sumi_status unicode_clean(sumi_context *context, const char *what, const char *text, size_t size,
                          struct points *points)
{
    (void)text, (void)size;
    *points = (struct points){.count = 0};
    return unicode_check(context, what);
}

enum unicode_class unicode_class_of(int32_t point)
{
    return point == ' ' ? UNICODE_SPACE : UNICODE_OTHER;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 of single code points, and memory of many; see unicode.h. */
#include "text/unicode.h"

int unicode_put(int32_t point, char bytes[4])
{
    if (point < 0x80) {
        bytes[0] = (char)point;
        return 1;
    }
    int count = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const int first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (int i = count - 1; i > 0; i--, point >>= 6) bytes[i] = (char)(0x80 | (point & 0x3F));
    bytes[0] = (char)(first[count] | point);
    return count;
}

int32_t unicode_take(const char **text)
{
    const unsigned char *bytes = (const unsigned char *)*text;
    if (bytes[0] == 0) return 0;
    int more = bytes[0] < 0x80 ? 0 : bytes[0] < 0xE0 ? 1 : bytes[0] < 0xF0 ? 2 : 3;
    int32_t point = more ? bytes[0] & (0x3F >> more) : bytes[0];
    for (int i = 1; i <= more && bytes[i]; i++) point = point << 6 | (bytes[i] & 0x3F);
    for (int i = 0; i <= more && **text; i++) (*text)++;
    return point;
}

void points_release(sumi_context *context, struct points *points)
{
    context_release(context, points->at);
    *points = (struct points){.count = 0};
}

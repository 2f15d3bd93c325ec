/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as printable characters, the convention of GPT-2's vocabularies: bytes that Latin-1 prints
   are these characters, the others follow from U+0100 on. */
#include <stdio.h>
#include <string.h>

#include "text/unicode.h"
#include "text/vocabulary.h"

enum { OTHERS = 0x100 }; /* the character of the first other byte */

const char WORD_END[] = "</w>";

static bool is_printed(int byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172)
           || (byte >= 174 && byte <= 255);
}

static int32_t point_of_byte(int byte)
{
    int32_t point = OTHERS;
    if (is_printed(byte)) return byte;
    for (int i = 0; i < byte; i++) point += !is_printed(i);
    return point;
}

void byte_to_text(int byte, bool last, char text[BYTE_TEXT])
{
    char bytes[4];
    int length = unicode_put(point_of_byte(byte), bytes);
    snprintf(text, BYTE_TEXT, "%.*s%s", length, bytes, last ? WORD_END : "");
}

int byte_of_point(int32_t point)
{
    int32_t other = OTHERS;
    if (point >= 0 && point < OTHERS) return is_printed((int)point) ? (int)point : -1;
    for (int byte = 0; byte < 256; byte++)
        if (!is_printed(byte) && other++ == point) return byte;
    return -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Names of characters; see annotations.h. The files are XML of which only one kind of element is
   needed, always in one line. */
#include "files/annotations.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Replaces the five entities of XML in a text in place. */
static void resolve(char *text)
{
    static const struct {
        const char *entity;
        char letter;
    } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    char *to = text;
    while (*text) {
        size_t length = 1;
        *to = *text;
        for (size_t i = 0; *text == '&' && i < sizeof entities / sizeof *entities; i++) {
            if (strncmp(text, entities[i].entity, strlen(entities[i].entity)) != 0) continue;
            *to = entities[i].letter;
            length = strlen(entities[i].entity);
        }
        to++;
        text += length;
    }
    *to = 0;
}

/* Decodes UTF-8 that text_is_utf8 has accepted. */
static bool decode(const char *text, struct annotation *annotation)
{
    const unsigned char *c = (const unsigned char *)text;
    for (annotation->count = 0; *c; annotation->count++) {
        int more = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 0;
        uint32_t value = more == 3 ? *c & 7u : more == 2 ? *c & 15u : more == 1 ? *c & 31u : *c;
        if (annotation->count == ANNOTATION_CHARACTERS) return false;
        for (c++; more > 0; more--, c++) value = value << 6 | (*c & 63u);
        annotation->characters[annotation->count] = value;
    }
    return annotation->count > 0;
}

/* Copies the text from `start` to `end`, with its entities resolved, if it fits. */
static bool take(const char *start, const char *end, char *copy, size_t size)
{
    if ((size_t)(end - start) >= size || !text_is_utf8(start, (size_t)(end - start))) return false;
    snprintf(copy, size, "%.*s", (int)(end - start), start);
    resolve(copy);
    return copy[0] != 0;
}

/* Reads an element that begins with the value of cp; false where it is of another type. */
static bool read_element(const char *value, struct annotation *annotation)
{
    static const char type[] = "\" type=\"tts\">";
    char characters[4 * ANNOTATION_CHARACTERS + 1];
    const char *quote = strchr(value, '"');
    if (!quote || strncmp(quote, type, sizeof type - 1) != 0) return false;
    const char *name = quote + sizeof type - 1, *end = strchr(name, '<');
    return end && take(value, quote, characters, sizeof characters)
           && take(name, end, annotation->name, sizeof annotation->name)
           && decode(characters, annotation);
}

bool annotation_next(const char **text, struct annotation *annotation)
{
    static const char start[] = "<annotation cp=\"";
    for (const char *place; (place = strstr(*text, start));) {
        *text = place + sizeof start - 1;
        if (read_element(*text, annotation)) return true;
    }
    return false;
}

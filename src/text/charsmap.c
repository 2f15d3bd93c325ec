/* SPDX-License-Identifier: Apache-2.0 */
/* The replacements of a SentencePiece model: a trie as a double array, in which the child of a node
   by byte c lies at (place of the node's children) xor c, and carries c as its label. */
#include <string.h>

#include "text/pieces.h"

/* The parts of a unit of 32 bits: a label with the highest bit, which is not set in labels of
   nodes; whether the node has a value, which is then the unit at the place of its children; and the
   distance of that place, in units of 1 or 256. */
static uint32_t label_of(uint32_t unit)
{
    return unit & (0x80000000u | 0xFF);
}

static bool has_value(uint32_t unit)
{
    return (unit >> 8 & 1) != 0;
}

static uint32_t distance_of(uint32_t unit)
{
    return (unit >> 10) << ((unit & 1 << 9) >> 6);
}

static uint32_t value_of(uint32_t unit)
{
    return unit & 0x7FFFFFFF;
}

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
           | (uint32_t)bytes[3] << 24;
}

/* The size of the trie in bytes, then its units, then the texts. */
sumi_status charsmap_read(sumi_context *context, const char *source, const uint8_t *bytes,
                          size_t size, struct charsmap *charsmap)
{
    enum { WORD = 4 };
    *charsmap = (struct charsmap){.count = 0};
    if (size == 0) return SUMI_OK;
    size_t trie = size > WORD ? word_at(bytes) : 0;
    if (trie < WORD || trie % WORD || trie > size - WORD || bytes[size - 1] != 0
        || trie == size - WORD) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: the replacements of characters (precompiled_charsmap) are damaged",
                            source);
    }
    charsmap->count = (int64_t)(trie / WORD);
    charsmap->size = size - WORD - trie;
    charsmap->units = context_allocate(context, (size_t)charsmap->count, sizeof *charsmap->units);
    charsmap->texts = context_allocate(context, charsmap->size, 1);
    if (!charsmap->units || !charsmap->texts) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < charsmap->count; i++)
        charsmap->units[i] = word_at(bytes + WORD + WORD * i);
    memcpy(charsmap->texts, bytes + WORD + trie, charsmap->size);
    return SUMI_OK;
}

void charsmap_release(sumi_context *context, struct charsmap *charsmap)
{
    context_release(context, charsmap->units);
    context_release(context, charsmap->texts);
    *charsmap = (struct charsmap){.count = 0};
}

const char *charsmap_find(const struct charsmap *charsmap, const char *text, size_t size,
                          size_t *used)
{
    const char *found = NULL;
    uint32_t place = charsmap->count ? distance_of(charsmap->units[0]) : 0;
    *used = 0;
    for (size_t i = 0; i < size && charsmap->count; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((place ^ byte) >= charsmap->count) break;
        place ^= byte;
        uint32_t unit = charsmap->units[place];
        if (label_of(unit) != byte) break;
        place ^= distance_of(unit);
        if (!has_value(unit)) continue;
        if (place >= charsmap->count) break;
        uint32_t value = value_of(charsmap->units[place]);
        if (value >= charsmap->size) break;
        found = charsmap->texts + value;
        *used = i + 1;
    }
    return found;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Counting colours; see palette.h. */
#include "draw/palette.h"

#include <string.h>

enum { SLOTS = 1024, BITS = 8 };

/* Colours that agree in their leading bits. `votes` counts for the most frequent one by majority
   vote (Boyer and Moore 1991). */
struct bucket {
    uint32_t key, colour;
    size_t votes;
};

struct counting {
    int count;
    int16_t slots[SLOTS]; /* by hash: 1 + the number of a bucket, 0 where empty */
    struct bucket buckets[PALETTE_COLOURS];
};

/* The number of the bucket of a key, which is created if needed; -1 where all are taken. */
static int find(struct counting *counting, uint32_t key)
{
    uint32_t slot = (key * 2654435761u) >> 22; /* ten bits, of which there are SLOTS */
    while (counting->slots[slot]) {
        int number = counting->slots[slot] - 1;
        if (counting->buckets[number].key == key) return number;
        slot = (slot + 1) % SLOTS;
    }
    if (counting->count == PALETTE_COLOURS) return -1;
    counting->buckets[counting->count].key = key;
    counting->slots[slot] = (int16_t)(++counting->count);
    return counting->count - 1;
}

static bool index_by_bits(const uint32_t *pixels, size_t count, int bits, struct counting *counting,
                          uint8_t *indices)
{
    uint32_t channel = (0xffu << (BITS - bits)) & 0xffu;
    uint32_t mask = channel << 16 | channel << 8 | channel;
    memset(counting, 0, sizeof *counting);
    for (size_t i = 0; i < count; i++) {
        uint32_t colour = pixels[i] & 0xffffffu;
        int number = find(counting, colour & mask);
        if (number < 0) return false;
        struct bucket *bucket = &counting->buckets[number];
        if (bucket->votes == 0) bucket->colour = colour;
        if (bucket->colour == colour) bucket->votes++;
        else bucket->votes--;
        indices[i] = (uint8_t)number;
    }
    return true;
}

bool palette_index(const uint32_t *pixels, size_t count, bool exact, struct palette *palette,
                   uint8_t *indices)
{
    struct counting counting;
    int bits = BITS;
    while (!index_by_bits(pixels, count, bits, &counting, indices)) {
        if (exact || bits == 1) return false;
        bits--;
    }
    palette->count = counting.count;
    for (int i = 0; i < counting.count; i++) {
        uint32_t colour = counting.buckets[i].colour;
        palette->colours[i][0] = (uint8_t)(colour >> 16);
        palette->colours[i][1] = (uint8_t)(colour >> 8);
        palette->colours[i][2] = (uint8_t)colour;
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A vocabulary of pieces in memory: adding and finding them; see pieces.h. */
#include "text/pieces.h"

#include <math.h>
#include <string.h>

const char PIECE_BLANK[] = "\xE2\x96\x81";

/* A multiplicative hash of bytes (FNV-1a, 64 bits). */
static uint64_t hash_of(const char *text, size_t size)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash ^ hash >> 32;
}

/* The slot of a text: its own or the free one where it belongs. */
static int64_t slot_of(const struct pieces *pieces, const char *text, size_t size)
{
    int64_t mask = pieces->slot_count - 1, slot = (int64_t)(hash_of(text, size)) & mask;
    for (;; slot = (slot + 1) & mask) {
        int32_t id = pieces->slots[slot];
        if (id < 0) return slot;
        const struct piece *piece = &pieces->at[id];
        if ((size_t)piece->size == size && memcmp(piece->text, text, size) == 0) return slot;
    }
}

int32_t pieces_find(const struct pieces *pieces, const char *text, size_t size)
{
    return pieces->slots[slot_of(pieces, text, size)];
}

static sumi_status allocate(struct pieces *pieces)
{
    sumi_context *context = pieces->context;
    int64_t slots = 2;
    while (slots < 2 * pieces->capacity) slots *= 2;
    pieces->at = context_allocate(context, (size_t)pieces->capacity, sizeof *pieces->at);
    pieces->memory = context_allocate(context, pieces->size + 1, 1);
    pieces->slots = context_allocate(context, (size_t)slots, sizeof *pieces->slots);
    if (!pieces->at || !pieces->memory || !pieces->slots) return SUMI_ERROR_MEMORY;
    pieces->slot_count = slots;
    for (int64_t i = 0; i < slots; i++) pieces->slots[i] = -1;
    return SUMI_OK;
}

sumi_status pieces_create(sumi_context *context, const char *source, int64_t count, size_t size,
                          struct pieces **pieces)
{
    *pieces = NULL;
    if (count < 1 || count > PIECES_LIMIT) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: should have 1 to %d pieces, not %lld",
                            source, PIECES_LIMIT, (long long)count);
    }
    struct pieces *fresh = context_allocate_zeroed(context, 1, sizeof *fresh);
    if (!fresh) return SUMI_ERROR_MEMORY;
    *fresh = (struct pieces){.context = context,
                             .capacity = count,
                             .size = size,
                             .unknown = -1,
                             .least = INFINITY,
                             .most = -INFINITY,
                             .prefix = true,
                             .collapse = true};
    sumi_status status = allocate(fresh);
    if (status == SUMI_OK) *pieces = fresh;
    else pieces_free(fresh);
    return status;
}

static sumi_status refuse(const struct pieces *pieces, const char *source, const char *why)
{
    return context_fail(pieces->context, SUMI_ERROR_FORMAT, "%s: piece %lld %s", source,
                        (long long)pieces->count, why);
}

/* What becomes known of the vocabulary by its next piece. */
static void note(struct pieces *pieces, const struct piece *piece)
{
    int32_t id = (int32_t)pieces->count;
    if (piece->kind == PIECE_UNKNOWN) pieces->unknown = id;
    if (piece->size > pieces->longest) pieces->longest = piece->size;
    if (piece->kind != PIECE_NORMAL) return;
    pieces->least = fmin(pieces->least, piece->score);
    pieces->most = fmax(pieces->most, piece->score);
}

sumi_status pieces_add(struct pieces *pieces, const char *source, const struct piece *piece)
{
    if (pieces->count == pieces->capacity || (size_t)piece->size > pieces->size - pieces->used)
        return refuse(pieces, source, "is one too many");
    if (piece->size < 1) return refuse(pieces, source, "is empty");
    if (!isfinite(piece->score)) return refuse(pieces, source, "has a score that is no number");
    if (piece->kind < PIECE_NORMAL || piece->kind > PIECE_BYTE)
        return refuse(pieces, source, "is of an unknown type");
    if (piece->kind == PIECE_UNKNOWN && pieces->unknown >= 0)
        return refuse(pieces, source, "is a second one for what is unknown");
    int64_t slot = slot_of(pieces, piece->text, (size_t)piece->size);
    if (pieces->slots[slot] >= 0) return refuse(pieces, source, "is there twice");
    char *text = pieces->memory + pieces->used;
    memcpy(text, piece->text, (size_t)piece->size);
    pieces->used += (size_t)piece->size;
    note(pieces, piece);
    pieces->at[pieces->count] = *piece;
    pieces->at[pieces->count].text = text;
    pieces->slots[slot] = (int32_t)pieces->count++;
    return SUMI_OK;
}

sumi_status pieces_finish(struct pieces *pieces, const char *source)
{
    if (pieces->unknown < 0) {
        return context_fail(pieces->context, SUMI_ERROR_FORMAT,
                            "%s: has no piece for what is unknown", source);
    }
    if (!isfinite(pieces->least)) pieces->least = pieces->most = 0;
    return SUMI_OK;
}

void pieces_free(struct pieces *pieces)
{
    if (!pieces) return;
    context_release(pieces->context, pieces->at);
    context_release(pieces->context, pieces->memory);
    context_release(pieces->context, pieces->slots);
    charsmap_release(pieces->context, &pieces->charsmap);
    context_release(pieces->context, pieces);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a text into pieces: it is normalised, then the cut with the largest sum of scores is
   found from left to right (Viterbi; Kudo 2018, section 3.2). */
#include <math.h>
#include <string.h>

#include "text/pieces.h"

/* Normalised texts of more bytes are refused. */
enum { TEXT_LIMIT = 1 << 22 };

/* ---- Normalising ---- */

struct buffer {
    sumi_context *context;
    const char *what;
    char *bytes; /* [size] */
    size_t size, capacity;
};

static sumi_status put(struct buffer *buffer, const char *bytes, size_t size)
{
    if (size > TEXT_LIMIT - buffer->size) {
        return context_fail(buffer->context, SUMI_ERROR_ARGUMENT,
                            "%s becomes longer than %d bytes when it is normalised", buffer->what,
                            TEXT_LIMIT);
    }
    if (buffer->size + size > buffer->capacity) {
        size_t capacity = 2 * (buffer->size + size);
        char *more = context_allocate(buffer->context, capacity, 1);
        if (!more) return SUMI_ERROR_MEMORY;
        if (buffer->size) memcpy(more, buffer->bytes, buffer->size);
        context_release(buffer->context, buffer->bytes);
        buffer->bytes = more;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    return SUMI_OK;
}

/* Bytes of the character at the begin of text[size]; 0 where it is not UTF-8. */
static size_t character(const char *text, size_t size)
{
    unsigned char first = (unsigned char)text[0];
    size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (length == 0 || length > size || first > 0xF4) return 0;
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)text[i] & 0xC0) != 0x80) return 0;
    return length;
}

/* Puts a normalised part of a text. With `collapse` a blank follows no other. */
static sumi_status put_part(const struct pieces *pieces, struct buffer *buffer, const char *part,
                            size_t size, bool *after_blank)
{
    for (size_t i = 0; i < size; i++) {
        bool blank = part[i] == ' ';
        if (blank && *after_blank && pieces->collapse) continue;
        if (blank) TRY(put(buffer, PIECE_BLANK, PIECE_BLANK_SIZE));
        else TRY(put(buffer, part + i, 1));
        *after_blank = blank;
    }
    return SUMI_OK;
}

static sumi_status put_all(const struct pieces *pieces, const char *text, size_t size,
                           struct buffer *buffer)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    bool after_blank = true;
    while (size > 0) {
        size_t used, length = character(text, size);
        const char *part = charsmap_find(&pieces->charsmap, text, size, &used);
        if (part) {
            TRY(put_part(pieces, buffer, part, strlen(part), &after_blank));
        } else if (length) {
            used = length;
            TRY(put_part(pieces, buffer, text, length, &after_blank));
        } else {
            used = 1;
            TRY(put_part(pieces, buffer, replacement, strlen(replacement), &after_blank));
        }
        text += used;
        size -= used;
    }
    if (pieces->collapse && after_blank && buffer->size >= PIECE_BLANK_SIZE)
        buffer->size -= PIECE_BLANK_SIZE;
    return SUMI_OK;
}

/* A text without anything but blanks is empty, and gets no blank before it either. */
static sumi_status normalise(const struct pieces *pieces, const char *text, size_t size,
                             struct buffer *buffer)
{
    if (pieces->prefix) TRY(put(buffer, PIECE_BLANK, PIECE_BLANK_SIZE));
    size_t begin = buffer->size;
    TRY(put_all(pieces, text, size, buffer));
    if (buffer->size <= begin) buffer->size = 0;
    return SUMI_OK;
}

/* ---- The best cut ---- */

/* The best way to a place of the text: its score and last piece, which begins at `from`. */
struct way {
    double score;
    int64_t from;
    int32_t piece;
};

static void try_way(struct way *ways, int64_t from, int64_t to, int32_t piece, double score)
{
    double sum = ways[from].score + score;
    if (ways[to].piece >= 0 && sum <= ways[to].score) return;
    ways[to] = (struct way){sum, from, piece};
}

static int64_t count_characters(const struct piece *piece)
{
    int64_t count = 0;
    for (int32_t i = 0; i < piece->size; i++)
        count += ((unsigned char)piece->text[i] & 0xC0) != 0x80;
    return count;
}

/* The score of a piece in a cut; one that the user has defined is preferred to all others. */
static double score_of(const struct pieces *pieces, const struct piece *piece)
{
    const double cost = 0.1;
    if (piece->kind != PIECE_USER) return piece->score;
    return (double)count_characters(piece) * pieces->most - cost;
}

/* Tries all pieces that begin at a place, and the unknown one for its character unless that is a
   piece. */
static void leave(const struct pieces *pieces, const char *text, int64_t size, int64_t from,
                  struct way *ways)
{
    const double unknown_penalty = 10;
    int64_t left = size - from, longest = pieces->longest < left ? pieces->longest : left;
    int64_t single = (int64_t)character(text + from, (size_t)left);
    bool known = false;
    if (single == 0) single = 1; /* a piece or a replacement that is not UTF-8 */
    for (int64_t length = single; length <= longest; length++) {
        int32_t id = pieces_find(pieces, text + from, (size_t)length);
        if (id < 0) continue;
        const struct piece *piece = &pieces->at[id];
        if (piece->kind != PIECE_NORMAL && piece->kind != PIECE_USER) continue;
        try_way(ways, from, from + length, id, score_of(pieces, piece));
        known |= length == single;
    }
    if (!known)
        try_way(ways, from, from + single, pieces->unknown, pieces->least - unknown_penalty);
}

/* The ids along the best way, first to last; returns how many. */
static int64_t collect(const struct pieces *pieces, const struct way *ways, int64_t size,
                       int32_t *ids)
{
    int64_t count = 0, kept = 0;
    for (int64_t at = size; at > 0; at = ways[at].from) ids[count++] = ways[at].piece;
    for (int64_t i = 0; i < count / 2; i++) {
        int32_t id = ids[i];
        ids[i] = ids[count - 1 - i];
        ids[count - 1 - i] = id;
    }
    for (int64_t i = 0; i < count; i++) {
        bool again = i > 0 && ids[i] == pieces->unknown && ids[kept - 1] == pieces->unknown;
        if (!again) ids[kept++] = ids[i];
    }
    return kept;
}

static sumi_status cut(sumi_context *context, const struct pieces *pieces, const char *text,
                       int64_t size, int32_t **ids, int64_t *count)
{
    struct way *ways = context_allocate(context, (size_t)size + 1, sizeof *ways);
    *ids = context_allocate(context, (size_t)size + 1, sizeof **ids);
    if (!ways || !*ids) {
        context_release(context, ways);
        context_release(context, *ids);
        *ids = NULL;
        return SUMI_ERROR_MEMORY;
    }
    for (int64_t i = 0; i <= size; i++) ways[i] = (struct way){0, 0, -1};
    for (int64_t i = 0; i < size; i++)
        if (i == 0 || ways[i].piece >= 0) leave(pieces, text, size, i, ways);
    *count = collect(pieces, ways, size, *ids);
    context_release(context, ways);
    return SUMI_OK;
}

sumi_status pieces_split(sumi_context *context, const struct pieces *pieces, const char *what,
                         const char *text, size_t size, int32_t **ids, int64_t *count)
{
    struct buffer buffer = {.context = context, .what = what};
    *ids = NULL;
    *count = 0;
    sumi_status status = normalise(pieces, text, size, &buffer);
    if (status == SUMI_OK)
        status = cut(context, pieces, buffer.bytes, (int64_t)buffer.size, ids, count);
    context_release(context, buffer.bytes);
    return status;
}

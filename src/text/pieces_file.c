/* SPDX-License-Identifier: Apache-2.0 */
/* Reading spiece.model, a message of protocol buffers: fields, each a number, how it is stored, and
   its value. Fields that are not read are skipped. */
#include <string.h>

#include "base/file.h"
#include "text/pieces.h"

enum { MODEL_LIMIT = 256 << 20 };

/* Numbers of fields of the messages ModelProto, its SentencePiece, TrainerSpec and
   NormalizerSpec. */
enum { MODEL_PIECE = 1, MODEL_TRAINER, MODEL_NORMALIZER };
enum { PIECE_TEXT = 1, PIECE_SCORE, PIECE_TYPE };
enum { TRAINER_TYPE = 3, TRAINER_FALLBACK = 35, TYPE_UNIGRAM = 1 };
enum { NORMALIZER_MAP = 2, NORMALIZER_PREFIX, NORMALIZER_COLLAPSE, NORMALIZER_ESCAPE };

/* ---- Fields ---- */

struct message {
    const uint8_t *at, *end;
    bool damaged;
};

/* A field: its number, and a whole number, four bytes or a part. */
struct field {
    int64_t number;
    uint64_t whole;
    struct message part;
};

/* A whole number in groups of seven bits, lowest first. */
static uint64_t take_whole(struct message *message)
{
    uint64_t whole = 0;
    for (int shift = 0; shift < 64 && message->at < message->end; shift += 7) {
        uint8_t byte = *message->at++;
        whole |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return whole;
    }
    message->damaged = true;
    return 0;
}

static struct message take_part(struct message *message, uint64_t size)
{
    struct message part = {message->at, message->at, false};
    if (size > (uint64_t)(message->end - message->at)) {
        message->damaged = true;
        return part;
    }
    part.end = message->at += size;
    return part;
}

/* The next field; false at the end and where the message is damaged. */
static bool take_field(struct message *message, struct field *field)
{
    enum { WHOLE, EIGHT, PART, FOUR = 5 };
    if (message->damaged || message->at == message->end) return false;
    uint64_t key = take_whole(message);
    *field = (struct field){.number = (int64_t)(key >> 3)};
    switch (key & 7) {
    case WHOLE: field->whole = take_whole(message); break;
    case EIGHT: field->part = take_part(message, 8); break;
    case PART: field->part = take_part(message, take_whole(message)); break;
    case FOUR: field->part = take_part(message, 4); break;
    default: message->damaged = true;
    }
    return !message->damaged;
}

static size_t size_of(const struct message *part)
{
    return (size_t)(part->end - part->at);
}

/* The float of a field of four bytes. */
static double float_of(const struct message *part)
{
    float value = 0;
    uint32_t bits = 0;
    if (size_of(part) != sizeof value) return 0;
    for (int i = 0; i < 4; i++) bits |= (uint32_t)part->at[i] << (8 * i);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- The parts of a model ---- */

/* False where the message of a piece is damaged. */
static bool read_piece(struct message part, struct piece *piece)
{
    struct field field;
    *piece = (struct piece){.text = "", .kind = PIECE_NORMAL};
    while (take_field(&part, &field)) {
        if (field.number == PIECE_TEXT && size_of(&field.part) <= INT32_MAX) {
            piece->text = (const char *)field.part.at;
            piece->size = (int32_t)size_of(&field.part);
        }
        if (field.number == PIECE_SCORE) piece->score = float_of(&field.part);
        if (field.number == PIECE_TYPE)
            piece->kind = field.whole <= PIECE_BYTE ? (enum piece_kind)field.whole : 0;
    }
    return !part.damaged;
}

static sumi_status damaged(sumi_context *context, const char *path)
{
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: is damaged, or no model of SentencePiece",
                        path);
}

static sumi_status read_trainer(sumi_context *context, const char *path, struct message part)
{
    struct field field;
    while (take_field(&part, &field)) {
        if (field.number == TRAINER_TYPE && field.whole != TYPE_UNIGRAM) {
            return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                                "%s: is a vocabulary of another kind than unigram, which is not "
                                "supported",
                                path);
        }
        if (field.number == TRAINER_FALLBACK && field.whole) {
            return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                                "%s: unknown characters as bytes (byte_fallback) are not supported",
                                path);
        }
    }
    return part.damaged ? damaged(context, path) : SUMI_OK;
}

static sumi_status read_normalizer(struct pieces *pieces, const char *path, struct message part)
{
    struct field field;
    struct message map = {NULL, NULL, false};
    while (take_field(&part, &field)) {
        if (field.number == NORMALIZER_MAP) map = field.part;
        if (field.number == NORMALIZER_PREFIX) pieces->prefix = field.whole != 0;
        if (field.number == NORMALIZER_COLLAPSE) pieces->collapse = field.whole != 0;
        if (field.number == NORMALIZER_ESCAPE && !field.whole) {
            return context_fail(pieces->context, SUMI_ERROR_UNSUPPORTED,
                                "%s: blanks that stay blanks (escape_whitespaces false) are not "
                                "supported",
                                path);
        }
    }
    if (part.damaged) return damaged(pieces->context, path);
    charsmap_release(pieces->context, &pieces->charsmap);
    return charsmap_read(pieces->context, path, map.at, map.at ? size_of(&map) : 0,
                         &pieces->charsmap);
}

/* Counts the pieces and the bytes of their texts. */
static sumi_status create(sumi_context *context, const char *path, struct message model,
                          struct pieces **pieces)
{
    struct field field;
    struct piece piece;
    int64_t count = 0;
    size_t size = 0;
    while (take_field(&model, &field)) {
        if (field.number == MODEL_TRAINER) TRY(read_trainer(context, path, field.part));
        if (field.number != MODEL_PIECE) continue;
        if (!read_piece(field.part, &piece)) return damaged(context, path);
        size += (size_t)piece.size;
        count++;
    }
    if (model.damaged || count == 0) return damaged(context, path);
    return pieces_create(context, path, count, size, pieces);
}

static sumi_status fill(struct pieces *pieces, const char *path, struct message model)
{
    struct field field;
    struct piece piece;
    while (take_field(&model, &field)) {
        if (field.number == MODEL_NORMALIZER) TRY(read_normalizer(pieces, path, field.part));
        if (field.number != MODEL_PIECE) continue;
        read_piece(field.part, &piece);
        TRY(pieces_add(pieces, path, &piece));
    }
    return pieces_finish(pieces, path);
}

sumi_status pieces_open_model(sumi_context *context, const char *path, struct pieces **pieces)
{
    void *bytes = NULL;
    size_t size = 0;
    *pieces = NULL;
    TRY(file_read(context, path, MODEL_LIMIT, &bytes, &size));
    const struct message model = {bytes, (const uint8_t *)bytes + size, false};
    sumi_status status = create(context, path, model, pieces);
    if (status == SUMI_OK) status = fill(*pieces, path, model);
    context_release(context, bytes);
    if (status == SUMI_OK) return SUMI_OK;
    pieces_free(*pieces);
    *pieces = NULL;
    return status;
}

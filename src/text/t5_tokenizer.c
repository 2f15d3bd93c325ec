/* SPDX-License-Identifier: Apache-2.0 */
/* T5's tokenizer: special tokens are cut out of a text, and what is between them is cut into
   pieces; see t5_tokenizer.h. */
#include "text/t5_tokenizer.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

enum { EXTRA_IDS = 100, NAME_SIZE = 64, SPECIALS = 1 << 16 };

/* A token that stands for itself wherever it is in a text. */
struct t5_special {
    char text[NAME_SIZE];
    size_t size;
    int32_t id;
};

/* ---- Special tokens ---- */

static sumi_status add_special(struct t5_tokenizer *tokenizer, const char *source, const char *text,
                               int64_t id)
{
    size_t size = strlen(text);
    if (size == 0 || size >= NAME_SIZE || id < 0 || id > PIECES_LIMIT) {
        return context_fail(tokenizer->context, SUMI_ERROR_FORMAT,
                            "%s: an added token should have 1 to %d bytes and an id up to %d, not "
                            "\"%.80s\" with %lld",
                            source, NAME_SIZE - 1, PIECES_LIMIT, text, (long long)id);
    }
    struct t5_special *special = &tokenizer->special[tokenizer->special_count++];
    *special = (struct t5_special){.size = size, .id = (int32_t)id};
    memcpy(special->text, text, size);
    return SUMI_OK;
}

static sumi_status allocate_special(struct t5_tokenizer *tokenizer, int64_t count)
{
    tokenizer->special =
        context_allocate_zeroed(tokenizer->context, (size_t)count, sizeof *tokenizer->special);
    return tokenizer->special ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static bool is_special(const struct piece *piece)
{
    return piece->kind == PIECE_CONTROL || piece->kind == PIECE_UNKNOWN;
}

/* Those of a spiece.model: its control pieces, and "<extra_id_99>" to "<extra_id_0>" behind all
   pieces. */
static sumi_status read_usual(struct t5_tokenizer *tokenizer, const char *source)
{
    const struct pieces *pieces = tokenizer->pieces;
    int64_t count = EXTRA_IDS;
    for (int64_t i = 0; i < pieces->count; i++) count += is_special(&pieces->at[i]);
    TRY(allocate_special(tokenizer, count));
    for (int64_t i = 0; i < pieces->count; i++) {
        char text[NAME_SIZE] = "";
        const struct piece *piece = &pieces->at[i];
        if (!is_special(piece)) continue;
        snprintf(text, sizeof text, "%.*s", (int)piece->size, piece->text);
        TRY(add_special(tokenizer, source, text, i));
    }
    for (int i = 0; i < EXTRA_IDS; i++) {
        char text[NAME_SIZE];
        snprintf(text, sizeof text, "<extra_id_%d>", i);
        TRY(add_special(tokenizer, source, text, pieces->count + EXTRA_IDS - 1 - i));
    }
    return SUMI_OK;
}

/* Those of a tokenizer.json, "added_tokens": [{"id": 0, "content": "<pad>"}]. */
static sumi_status read_added(struct t5_tokenizer *tokenizer, json_object *object,
                              const char *source)
{
    json_object *list = json_object_object_get(object, "added_tokens");
    if (!json_object_is_type(list, json_type_array)) return read_usual(tokenizer, source);
    size_t count = json_object_array_length(list);
    if (count > SPECIALS) {
        return context_fail(tokenizer->context, SUMI_ERROR_FORMAT,
                            "%s: has %zu added tokens, more than %d", source, count, SPECIALS);
    }
    TRY(allocate_special(tokenizer, (int64_t)count + 1));
    for (size_t i = 0; i < count; i++) {
        json_object *entry = json_object_array_get_idx(list, i), *text = NULL, *id = NULL;
        bool whole = json_object_is_type(entry, json_type_object)
                     && json_object_object_get_ex(entry, "content", &text)
                     && json_object_object_get_ex(entry, "id", &id)
                     && json_object_is_type(text, json_type_string)
                     && json_object_is_type(id, json_type_int);
        if (!whole) {
            return context_fail(tokenizer->context, SUMI_ERROR_FORMAT,
                                "%s: added token %zu should have a \"content\" and an \"id\"",
                                source, i);
        }
        TRY(add_special(tokenizer, source, json_object_get_string(text),
                        json_object_get_int64(id)));
    }
    return SUMI_OK;
}

/* ---- Opening ---- */

static sumi_status read_json(struct t5_tokenizer *tokenizer, const char *path)
{
    json_object *object = NULL;
    TRY(json_read_file(tokenizer->context, path, &object));
    sumi_status status = pieces_read_json(tokenizer->context, object, path, &tokenizer->pieces);
    if (status == SUMI_OK) status = read_added(tokenizer, object, path);
    json_object_put(object);
    return status;
}

static sumi_status find_control(struct t5_tokenizer *tokenizer, const char *source,
                                const char *text, int32_t *id)
{
    *id = pieces_find(tokenizer->pieces, text, strlen(text));
    if (*id >= 0) return SUMI_OK;
    return context_fail(tokenizer->context, SUMI_ERROR_FORMAT,
                        "%s: has no piece \"%s\", so it is not T5's", source, text);
}

static sumi_status read_folder(struct t5_tokenizer *tokenizer, const char *folder)
{
    char path[PATH_SIZE];
    TRY(path_join(tokenizer->context, folder, "spiece.model", path));
    if (path_exists(path)) {
        TRY(pieces_open_model(tokenizer->context, path, &tokenizer->pieces));
        TRY(read_usual(tokenizer, path));
    } else {
        TRY(path_join(tokenizer->context, folder, "tokenizer.json", path));
        if (!path_exists(path)) {
            return context_fail(tokenizer->context, SUMI_ERROR_FILE,
                                "%s: has neither spiece.model nor tokenizer.json", folder);
        }
        TRY(read_json(tokenizer, path));
    }
    TRY(find_control(tokenizer, path, "</s>", &tokenizer->end));
    return find_control(tokenizer, path, "<pad>", &tokenizer->pad);
}

sumi_status t5_tokenizer_open(sumi_context *context, const char *folder,
                              struct t5_tokenizer **tokenizer)
{
    *tokenizer = NULL;
    struct t5_tokenizer *fresh = context_allocate_zeroed(context, 1, sizeof *fresh);
    if (!fresh) return SUMI_ERROR_MEMORY;
    fresh->context = context;
    sumi_status status = read_folder(fresh, folder);
    if (status == SUMI_OK) *tokenizer = fresh;
    else t5_tokenizer_free(fresh);
    return status;
}

void t5_tokenizer_free(struct t5_tokenizer *tokenizer)
{
    if (!tokenizer) return;
    pieces_free(tokenizer->pieces);
    context_release(tokenizer->context, tokenizer->special);
    context_release(tokenizer->context, tokenizer);
}

int64_t t5_tokenizer_rows(const struct t5_tokenizer *tokenizer)
{
    int64_t rows = tokenizer->pieces->count;
    for (int64_t i = 0; i < tokenizer->special_count; i++)
        if (tokenizer->special[i].id >= rows) rows = tokenizer->special[i].id + 1;
    return rows;
}

/* ---- Encoding ---- */

/* The longest special token at the begin of text[size], or NULL. */
static const struct t5_special *special_at(const struct t5_tokenizer *tokenizer, const char *text,
                                           size_t size)
{
    const struct t5_special *found = NULL;
    for (int64_t i = 0; i < tokenizer->special_count; i++) {
        const struct t5_special *special = &tokenizer->special[i];
        if (special->text[0] != text[0] || special->size > size
            || memcmp(special->text, text, special->size) != 0)
            continue;
        if (!found || special->size > found->size) found = special;
    }
    return found;
}

/* Tokens so far; every token stands for a byte or more of the text, but for the blank before it. */
struct tokens {
    int32_t *ids;
    int64_t count, capacity;
};

static sumi_status add_tokens(sumi_context *context, struct tokens *tokens, const int32_t *ids,
                              int64_t count)
{
    if (tokens->count + count > tokens->capacity) {
        int64_t capacity = 2 * (tokens->count + count);
        int32_t *more = context_allocate(context, (size_t)capacity, sizeof *more);
        if (!more) return SUMI_ERROR_MEMORY;
        if (tokens->count) memcpy(more, tokens->ids, (size_t)tokens->count * sizeof *more);
        context_release(context, tokens->ids);
        tokens->ids = more;
        tokens->capacity = capacity;
    }
    if (count) memcpy(tokens->ids + tokens->count, ids, (size_t)count * sizeof *ids);
    tokens->count += count;
    return SUMI_OK;
}

/* Adds the pieces of a part without special tokens. */
static sumi_status add_part(sumi_context *context, const struct t5_tokenizer *tokenizer,
                            const char *what, const char *text, size_t size, struct tokens *tokens)
{
    int32_t *ids = NULL;
    int64_t count = 0;
    if (size == 0) return SUMI_OK;
    TRY(pieces_split(context, tokenizer->pieces, what, text, size, &ids, &count));
    sumi_status status = add_tokens(context, tokens, ids, count);
    context_release(context, ids);
    return status;
}

static sumi_status add_all(sumi_context *context, const struct t5_tokenizer *tokenizer,
                           const char *what, const char *text, size_t size, struct tokens *tokens)
{
    size_t begin = 0;
    for (size_t i = 0; i < size;) {
        const struct t5_special *special = special_at(tokenizer, text + i, size - i);
        if (!special) {
            i++;
            continue;
        }
        TRY(add_part(context, tokenizer, what, text + begin, i - begin, tokens));
        TRY(add_tokens(context, tokens, &special->id, 1));
        begin = i += special->size;
    }
    return add_part(context, tokenizer, what, text + begin, size - begin, tokens);
}

sumi_status t5_tokenizer_split(sumi_context *context, const struct t5_tokenizer *tokenizer,
                               const char *what, const char *text, size_t size, int32_t **ids,
                               int64_t *count)
{
    enum { TEXT_LIMIT = 1 << 18 };
    struct tokens tokens = {.count = 0};
    *ids = NULL;
    *count = 0;
    if (size > TEXT_LIMIT) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "%s has %zu bytes; texts have up to %d",
                            what, size, TEXT_LIMIT);
    }
    sumi_status status = add_all(context, tokenizer, what, text, size, &tokens);
    if (status != SUMI_OK) {
        context_release(context, tokens.ids);
        return status;
    }
    *ids = tokens.ids;
    *count = tokens.count;
    return SUMI_OK;
}

sumi_status t5_tokenizer_encode(sumi_context *context, const struct t5_tokenizer *tokenizer,
                                const char *text, size_t size, int64_t length, int32_t *ids,
                                float *mask, int64_t *cut)
{
    int32_t *all = NULL;
    int64_t count = 0;
    if (length < 1) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "a text has 1 or more tokens, not %lld",
                            (long long)length);
    }
    TRY(t5_tokenizer_split(context, tokenizer, "the text", text, size, &all, &count));
    int64_t kept = count < length - 1 ? count : length - 1;
    for (int64_t i = 0; i < length; i++) {
        ids[i] = i < kept ? all[i] : i == kept ? tokenizer->end : tokenizer->pad;
        if (mask) mask[i] = i <= kept;
    }
    if (cut) *cut = count - kept;
    context_release(context, all);
    return SUMI_OK;
}

/* ---- Decoding ---- */

/* Puts the text of a piece, or counts its bytes where `to` is NULL. */
static size_t put_piece(const struct piece *piece, char *to)
{
    size_t size = 0;
    for (int32_t i = 0; i < piece->size;) {
        bool blank = piece->size - i >= PIECE_BLANK_SIZE
                     && memcmp(piece->text + i, PIECE_BLANK, PIECE_BLANK_SIZE) == 0;
        if (to) to[size] = blank ? ' ' : piece->text[i];
        size++;
        i += blank ? PIECE_BLANK_SIZE : 1;
    }
    return size;
}

/* The piece of an id that is part of a text, or NULL. */
static const struct piece *piece_of(const struct t5_tokenizer *tokenizer, int32_t id)
{
    if (id < 0 || id >= tokenizer->pieces->count) return NULL;
    const struct piece *piece = &tokenizer->pieces->at[id];
    return is_special(piece) ? NULL : piece;
}

sumi_status t5_tokenizer_decode(sumi_context *context, const struct t5_tokenizer *tokenizer,
                                int64_t count, const int32_t *ids, char **text)
{
    size_t size = 0, used = 0;
    for (int64_t i = 0; i < count; i++) {
        const struct piece *piece = piece_of(tokenizer, ids[i]);
        if (piece) size += put_piece(piece, NULL);
    }
    *text = context_allocate(context, size + 1, 1);
    if (!*text) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        const struct piece *piece = piece_of(tokenizer, ids[i]);
        if (piece) used += put_piece(piece, *text + used);
    }
    (*text)[used] = 0;
    if (used && **text == ' ') memmove(*text, *text + 1, used);
    return SUMI_OK;
}

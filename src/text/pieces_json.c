/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the unigram model of a tokenizer.json: "model" with its list of pieces and their scores,
   and the replacements of "normalizer" as text in base 64. */
#include <string.h>

#include "base/json.h"
#include "text/pieces.h"

/* ---- Base 64 (RFC 4648, section 4) ---- */

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes text[size] into bytes[size]; returns how many, or -1 where it is no base 64. */
static int64_t decode(const char *text, size_t size, uint8_t *bytes)
{
    int64_t count = 0;
    uint32_t bits = 0;
    int held = 0;
    while (size > 0 && text[size - 1] == '=') size--;
    for (size_t i = 0; i < size; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0) return -1;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes[count++] = (uint8_t)(bits >> held);
    }
    return count;
}

/* ---- The normaliser ---- */

/* The text of a precompiled_charsmap in a normaliser or a sequence of some; NULL for none. */
static json_object *find_map(json_object *normalizer)
{
    json_object *list = NULL, *map = NULL;
    if (!json_object_is_type(normalizer, json_type_object)) return NULL;
    if (json_object_object_get_ex(normalizer, "precompiled_charsmap", &map)) return map;
    if (!json_object_object_get_ex(normalizer, "normalizers", &list)
        || !json_object_is_type(list, json_type_array))
        return NULL;
    for (size_t i = 0; i < json_object_array_length(list) && !map; i++) {
        json_object *each = json_object_array_get_idx(list, i);
        if (json_object_is_type(each, json_type_object))
            json_object_object_get_ex(each, "precompiled_charsmap", &map);
    }
    return map;
}

static sumi_status read_map(struct pieces *pieces, json_object *object, const char *source)
{
    sumi_context *context = pieces->context;
    json_object *map = find_map(json_object_object_get(object, "normalizer"));
    if (!json_object_is_type(map, json_type_string)) return SUMI_OK;
    size_t size = (size_t)json_object_get_string_len(map);
    uint8_t *bytes = context_allocate(context, size + 1, 1);
    if (!bytes) return SUMI_ERROR_MEMORY;
    int64_t count = decode(json_object_get_string(map), size, bytes);
    sumi_status status =
        count < 0 ? context_fail(context, SUMI_ERROR_FORMAT,
                                 "%s: \"precompiled_charsmap\" should be a text in base 64", source)
                  : charsmap_read(context, source, bytes, (size_t)count, &pieces->charsmap);
    context_release(context, bytes);
    return status;
}

/* ---- The model ---- */

/* A piece is [text, score]. */
static bool is_piece(json_object *entry)
{
    return json_object_is_type(entry, json_type_array) && json_object_array_length(entry) == 2
           && json_object_is_type(json_object_array_get_idx(entry, 0), json_type_string);
}

static sumi_status create(sumi_context *context, json_object *list, const char *source,
                          struct pieces **pieces)
{
    size_t size = 0, count = json_object_array_length(list);
    for (size_t i = 0; i < count; i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        if (!is_piece(entry)) {
            return context_fail(context, SUMI_ERROR_FORMAT,
                                "%s: piece %zu should be a list [text, score]", source, i);
        }
        size += (size_t)json_object_get_string_len(json_object_array_get_idx(entry, 0));
    }
    return pieces_create(context, source, (int64_t)count, size, pieces);
}

/* Control pieces are those without which T5's texts are not; the file does not say which they
   are. */
static enum piece_kind kind_of(const char *text, bool unknown)
{
    if (unknown) return PIECE_UNKNOWN;
    return strcmp(text, "<pad>") == 0 || strcmp(text, "</s>") == 0 || strcmp(text, "<s>") == 0
               ? PIECE_CONTROL
               : PIECE_NORMAL;
}

static sumi_status fill(struct pieces *pieces, json_object *list, int64_t unknown,
                        const char *source)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        json_object *text = json_object_array_get_idx(entry, 0);
        const struct piece piece = {
            .text = json_object_get_string(text),
            .size = json_object_get_string_len(text),
            .kind = kind_of(json_object_get_string(text), (int64_t)i == unknown),
            .score = json_object_get_double(json_object_array_get_idx(entry, 1))};
        TRY(pieces_add(pieces, source, &piece));
    }
    return pieces_finish(pieces, source);
}

sumi_status pieces_read_json(sumi_context *context, struct json_object *object, const char *source,
                             struct pieces **pieces)
{
    json_object *model = NULL, *list = NULL, *unknown = NULL;
    *pieces = NULL;
    bool found = json_object_is_type(object, json_type_object)
                 && json_object_object_get_ex(object, "model", &model)
                 && json_object_is_type(model, json_type_object)
                 && json_object_object_get_ex(model, "vocab", &list)
                 && json_object_is_type(list, json_type_array)
                 && json_object_object_get_ex(model, "unk_id", &unknown);
    if (!found) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: should have a \"model\" of type Unigram, with \"vocab\", a list, "
                            "and \"unk_id\"",
                            source);
    }
    TRY(create(context, list, source, pieces));
    sumi_status status = fill(*pieces, list, json_object_get_int64(unknown), source);
    if (status == SUMI_OK) status = read_map(*pieces, object, source);
    if (status == SUMI_OK) return SUMI_OK;
    pieces_free(*pieces);
    *pieces = NULL;
    return status;
}

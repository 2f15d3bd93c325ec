/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the special tokens of a folder; see special.h. */
#include "text/special.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

enum { ADDED_LIMIT = 4096, LENGTH_USUAL = 77, LENGTH_LIMIT = 1 << 16 };

struct reader {
    sumi_context *context;
    const struct vocabulary *vocabulary;
    const char *folder;
    struct special *special;
    json_object *config, *map;  /* of `special` */
    json_object *added, *whole; /* added_tokens.json and tokenizer.json; NULL for a missing one */
};

/* ---- Added tokens ---- */

static bool begins_with(const struct points *points, int64_t at, const struct points *token)
{
    return token->count > 0 && token->count <= points->count - at
           && memcmp(points->at + at, token->at, (size_t)token->count * sizeof *token->at) == 0;
}

const struct added_token *special_at(const struct special *special, const struct points *points,
                                     int64_t at)
{
    const struct added_token *longest = NULL;
    for (int64_t i = 0; i < special->count; i++) {
        const struct added_token *token = &special->added[i];
        if (longest && token->points.count <= longest->points.count) continue;
        if (begins_with(points, at, &token->points)) longest = token;
    }
    return longest;
}

const struct added_token *special_of(const struct special *special, int32_t id)
{
    for (int64_t i = 0; i < special->count; i++)
        if (special->added[i].id == id) return &special->added[i];
    return NULL;
}

static const struct added_token *find_added(const struct special *special, const char *text)
{
    for (int64_t i = 0; i < special->count; i++)
        if (strcmp(special->added[i].text, text) == 0) return &special->added[i];
    return NULL;
}

static sumi_status grow(sumi_context *context, struct special *special)
{
    if (special->count < special->capacity) return SUMI_OK;
    int64_t capacity = special->capacity ? 2 * special->capacity : 8;
    struct added_token *more = context_allocate(context, (size_t)capacity, sizeof *more);
    if (!more) return SUMI_ERROR_MEMORY;
    if (special->count) memcpy(more, special->added, (size_t)special->count * sizeof *more);
    context_release(context, special->added);
    special->added = more;
    special->capacity = capacity;
    return SUMI_OK;
}

static sumi_status add(struct reader *reader, const char *text, int64_t id)
{
    struct special *special = reader->special;
    if (!text[0] || find_added(special, text)) return SUMI_OK;
    if (id < 0 || id >= VOCABULARY_LIMIT || special->count == ADDED_LIMIT) {
        return context_fail(reader->context, SUMI_ERROR_FORMAT,
                            "%s: the added token \"%.60s\" should have an id from 0 to %d, and "
                            "there are at most %d such tokens",
                            reader->folder, text, VOCABULARY_LIMIT - 1, ADDED_LIMIT);
    }
    TRY(grow(reader->context, special));
    struct added_token token = {.text = context_copy_text(reader->context, text),
                                .id = (int32_t)id};
    if (!token.text) return SUMI_ERROR_MEMORY;
    sumi_status status =
        unicode_clean(reader->context, reader->folder, text, strlen(text), &token.points);
    if (status == SUMI_OK) special->added[special->count++] = token;
    else context_release(reader->context, token.text);
    return status;
}

/* The text of a token, which is a text or an object with its "content"; NULL for anything else. */
static const char *text_of(json_object *value)
{
    if (json_object_is_type(value, json_type_object))
        value = json_object_object_get(value, "content");
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int64_t whole_of(json_object *value)
{
    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
}

static json_object *member(json_object *object, const char *key, json_type type)
{
    json_object *value = NULL;
    if (!json_object_is_type(object, json_type_object)
        || !json_object_object_get_ex(object, key, &value))
        return NULL;
    return json_object_is_type(value, type) ? value : NULL;
}

/* {"<token>": 49408} of added_tokens.json, {"49408": {"content": "<token>"}} of
   tokenizer_config.json, and [{"id": 49408, "content": "<token>"}] of tokenizer.json. */
static sumi_status read_added(struct reader *reader)
{
    json_object *decoder = member(reader->config, "added_tokens_decoder", json_type_object);
    json_object *list = member(reader->whole, "added_tokens", json_type_array);
    size_t count = list ? json_object_array_length(list) : 0;
    if (json_object_is_type(reader->added, json_type_object)) {
        json_object_object_foreach(reader->added, text, id)
        {
            TRY(add(reader, text, whole_of(id)));
        }
    }
    if (decoder) {
        json_object_object_foreach(decoder, id, token)
        {
            int64_t number = -1;
            const char *text = text_of(token);
            if (text && text_to_whole(id, &number)) TRY(add(reader, text, number));
        }
    }
    for (size_t i = 0; i < count; i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        const char *text = text_of(entry);
        if (text) TRY(add(reader, text, whole_of(member(entry, "id", json_type_int))));
    }
    return SUMI_OK;
}

/* ---- The four of every tokenizer ---- */

/* In folders of older versions, whose tokenizer_config.json lists no added tokens,
   special_tokens_map.json goes before tokenizer_config.json. */
static const char *choose(const struct reader *reader, const char *key, const char *usual)
{
    json_object *value = NULL;
    const char *text = usual, *found;
    bool modern = member(reader->config, "added_tokens_decoder", json_type_object) != NULL;
    if (json_object_is_type(reader->config, json_type_object)
        && json_object_object_get_ex(reader->config, key, &value) && (found = text_of(value)))
        text = found;
    if (!modern && json_object_is_type(reader->map, json_type_object)
        && json_object_object_get_ex(reader->map, key, &value) && (found = text_of(value)))
        text = found;
    return text;
}

static sumi_status read_one(struct reader *reader, const char *key, const char *usual, int32_t *id)
{
    const char *text = choose(reader, key, usual);
    const struct added_token *added = find_added(reader->special, text);
    *id = added ? added->id : vocabulary_find(reader->vocabulary, text);
    if (*id >= 0) return add(reader, text, *id);
    return context_fail(reader->context, SUMI_ERROR_FORMAT,
                        "%s: the token \"%.60s\", the \"%s\", is not in the vocabulary",
                        reader->folder, text, key);
}

/* Further tokens that a folder names as special; those that have no id were never added. */
static sumi_status read_others(struct reader *reader, json_object *file)
{
    json_object *list = member(file, "additional_special_tokens", json_type_array);
    size_t count = list ? json_object_array_length(list) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *text = text_of(json_object_array_get_idx(list, i));
        int32_t id = text ? vocabulary_find(reader->vocabulary, text) : -1;
        if (id >= 0) TRY(add(reader, text, id));
    }
    return SUMI_OK;
}

static sumi_status check_class(const struct reader *reader)
{
    json_object *name = member(reader->config, "tokenizer_class", json_type_string);
    const char *text = name ? json_object_get_string(name) : "CLIPTokenizer";
    if (strcmp(text, "CLIPTokenizer") == 0 || strcmp(text, "CLIPTokenizerFast") == 0)
        return SUMI_OK;
    return context_fail(reader->context, SUMI_ERROR_UNSUPPORTED,
                        "%s: tokenizers of class %.60s are not supported; the supported class is "
                        "CLIPTokenizer",
                        reader->folder, text);
}

static sumi_status read_all(struct reader *reader)
{
    static const char BEGIN[] = "<|startoftext|>", END[] = "<|endoftext|>";
    struct special *special = reader->special;
    int64_t length = whole_of(member(reader->config, "model_max_length", json_type_int));
    special->length = length >= 2 && length <= LENGTH_LIMIT ? length : LENGTH_USUAL;
    TRY(check_class(reader));
    TRY(read_added(reader));
    TRY(read_one(reader, "bos_token", BEGIN, &special->begin));
    TRY(read_one(reader, "eos_token", END, &special->end));
    TRY(read_one(reader, "pad_token", END, &special->pad));
    TRY(read_one(reader, "unk_token", END, &special->unknown));
    TRY(read_others(reader, reader->config));
    return read_others(reader, reader->map);
}

/* ---- Files ---- */

static sumi_status read_file(const struct reader *reader, const char *name, json_object **file)
{
    char path[PATH_SIZE];
    TRY(path_join(reader->context, reader->folder, name, path));
    return path_exists(path) ? json_read_file(reader->context, path, file) : SUMI_OK;
}

/* Whether the vocabulary is that of vocab.json, so that tokenizer.json is not needed. */
static bool has_pair(const struct reader *reader)
{
    char path[PATH_SIZE];
    return path_join(reader->context, reader->folder, "vocab.json", path) == SUMI_OK
           && path_exists(path);
}

sumi_status special_read(const struct vocabulary *vocabulary, const char *folder,
                         struct special *special)
{
    struct reader reader = {.context = vocabulary->context,
                            .vocabulary = vocabulary,
                            .folder = folder,
                            .special = special};
    *special = (struct special){.count = 0};
    sumi_status status = read_file(&reader, "tokenizer_config.json", &reader.config);
    if (status == SUMI_OK) status = read_file(&reader, "special_tokens_map.json", &reader.map);
    if (status == SUMI_OK) status = read_file(&reader, "added_tokens.json", &reader.added);
    if (status == SUMI_OK && !has_pair(&reader))
        status = read_file(&reader, "tokenizer.json", &reader.whole);
    special->config = reader.config;
    special->map = reader.map;
    if (status == SUMI_OK) status = read_all(&reader);
    json_object_put(reader.added);
    json_object_put(reader.whole);
    if (status != SUMI_OK) special_release(vocabulary->context, special);
    return status;
}

void special_release(sumi_context *context, struct special *special)
{
    for (int64_t i = 0; i < special->count; i++) {
        context_release(context, special->added[i].text);
        points_release(context, &special->added[i].points);
    }
    context_release(context, special->added);
    json_object_put(special->config);
    json_object_put(special->map);
    *special = (struct special){.count = 0};
}

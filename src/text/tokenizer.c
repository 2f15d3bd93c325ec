/* SPDX-License-Identifier: Apache-2.0 */
/* CLIP's tokenizer; see tokenizer.h. */
#include "text/tokenizer.h"

#include <string.h>

#include "base/file.h"
#include "base/structure.h"
#include "base/text.h"
#include "text/byte_pairs.h"

/* ---- Opening ---- */

static sumi_status open_parts(sumi_tokenizer *tokenizer, const char *folder)
{
    sumi_context *context = tokenizer->context;
    TRY(unicode_check(context, folder));
    if (!path_is_folder(folder)) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: there is no such folder of a tokenizer",
                            folder);
    }
    TRY(vocabulary_open(context, folder, &tokenizer->vocabulary));
    return special_read(tokenizer->vocabulary, folder, &tokenizer->special);
}

sumi_status sumi_tokenizer_open(sumi_context *context, const char *folder,
                                sumi_tokenizer **tokenizer)
{
    *tokenizer = NULL;
    sumi_tokenizer *opened = context_allocate_zeroed(context, 1, sizeof *opened);
    if (!opened) return SUMI_ERROR_MEMORY;
    opened->context = context;
    sumi_status status = open_parts(opened, folder);
    if (status == SUMI_OK) *tokenizer = opened;
    else sumi_tokenizer_free(opened);
    return status;
}

void sumi_tokenizer_free(sumi_tokenizer *tokenizer)
{
    if (!tokenizer) return;
    special_release(tokenizer->context, &tokenizer->special);
    vocabulary_free(tokenizer->vocabulary);
    context_release(tokenizer->context, tokenizer);
}

int64_t tokenizer_rows(const sumi_tokenizer *tokenizer)
{
    int64_t rows = tokenizer->vocabulary->count;
    for (int64_t i = 0; i < tokenizer->special.count; i++) {
        int64_t id = tokenizer->special.added[i].id;
        if (id >= rows) rows = id + 1;
    }
    return rows;
}

bool sumi_tokenizer_describe(const sumi_tokenizer *tokenizer, sumi_tokenizer_info *info)
{
    const struct special *special = &tokenizer->special;
    const sumi_tokenizer_info all = {.class_name = "CLIPTokenizer",
                                     .tokens = tokenizer_rows(tokenizer),
                                     .length = special->length,
                                     .begin = special->begin,
                                     .end = special->end,
                                     .pad = special->pad};
    return structure_fill(info, &all, sizeof all);
}

/* ---- Splitting a text ---- */

struct splitter {
    const sumi_tokenizer *tokenizer;
    const struct points *points;
    struct byte_pairs pairs;
    struct token_list *tokens;
};

void token_list_release(sumi_context *context, struct token_list *tokens)
{
    context_release(context, tokens->ids);
    *tokens = (struct token_list){.count = 0};
}

/* The tokens of a word, points[first] to points[end]. */
static void add_word(struct splitter *splitter, int64_t first, int64_t end)
{
    const struct vocabulary *vocabulary = splitter->tokenizer->vocabulary;
    int32_t *ids = splitter->pairs.ids;
    int64_t count = 0;
    for (int64_t i = first; i < end; i++) {
        char bytes[4];
        int length = unicode_put(splitter->points->at[i], bytes);
        for (int k = 0; k < length; k++) {
            bool last = i == end - 1 && k == length - 1;
            int32_t id = vocabulary->bytes[last][(unsigned char)bytes[k]];
            ids[count++] = id < 0 ? splitter->tokenizer->special.unknown : id;
        }
    }
    count = byte_pairs_merge(&splitter->pairs, vocabulary, count);
    memcpy(splitter->tokens->ids + splitter->tokens->count, ids, (size_t)count * sizeof *ids);
    splitter->tokens->count += count;
}

static void add_words(struct splitter *splitter, int64_t first, int64_t limit)
{
    while (first < limit) {
        if (unicode_class_of(splitter->points->at[first]) == UNICODE_SPACE) {
            first++;
            continue;
        }
        int64_t end = split_word(splitter->points, first, limit);
        add_word(splitter, first, end);
        first = end;
    }
}

static void add_all(struct splitter *splitter)
{
    const struct points *points = splitter->points;
    int64_t first = 0;
    for (int64_t at = 0; at < points->count;) {
        const struct added_token *added = special_at(&splitter->tokenizer->special, points, at);
        if (!added) {
            at++;
            continue;
        }
        add_words(splitter, first, at);
        splitter->tokens->ids[splitter->tokens->count++] = added->id;
        first = at += added->points.count;
    }
    add_words(splitter, first, points->count);
}

static int64_t count_bytes(const struct points *points)
{
    int64_t count = 0;
    char bytes[4];
    for (int64_t i = 0; i < points->count; i++) count += unicode_put(points->at[i], bytes);
    return count;
}

sumi_status tokenizer_split(sumi_context *context, const sumi_tokenizer *tokenizer,
                            const char *what, const char *text, size_t size,
                            struct token_list *tokens)
{
    struct points points;
    struct splitter splitter = {.tokenizer = tokenizer, .points = &points, .tokens = tokens};
    *tokens = (struct token_list){.count = 0};
    TRY(unicode_clean(context, what, text, size, &points));
    const int64_t most = count_bytes(&points);
    tokens->ids = context_allocate(context, (size_t)most, sizeof *tokens->ids);
    sumi_status status =
        tokens->ids ? byte_pairs_open(context, most, &splitter.pairs) : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) {
        add_all(&splitter);
        byte_pairs_close(&splitter.pairs);
    } else {
        token_list_release(context, tokens);
    }
    points_release(context, &points);
    return status;
}

/* ---- Encoding and decoding ---- */

sumi_status sumi_tokenizer_encode(const sumi_tokenizer *tokenizer, const char *text, size_t size,
                                  int64_t length, int32_t *ids, int64_t *whole)
{
    const struct special *special = &tokenizer->special;
    struct token_list tokens;
    if (length < 2) {
        return context_fail(tokenizer->context, SUMI_ERROR_ARGUMENT,
                            "tokens of a text need space for 2 ids or more, not %lld",
                            (long long)length);
    }
    TRY(tokenizer_split(tokenizer->context, tokenizer, "the text", text, size, &tokens));
    int64_t kept = tokens.count < length - 2 ? tokens.count : length - 2;
    ids[0] = special->begin;
    memcpy(ids + 1, tokens.ids, (size_t)kept * sizeof *ids);
    ids[kept + 1] = special->end;
    for (int64_t i = kept + 2; i < length; i++) ids[i] = special->pad;
    if (whole) *whole = tokens.count + 2;
    token_list_release(tokenizer->context, &tokens);
    return SUMI_OK;
}

/* The text of a token as bytes, a blank for the end of a word; returns how many. With `bytes` NULL
   only counts. */
static size_t put_token(const sumi_tokenizer *tokenizer, int32_t id, char *bytes)
{
    const struct added_token *added = special_of(&tokenizer->special, id);
    const char *text = added ? added->text : tokenizer->vocabulary->tokens[id];
    size_t count = 0;
    while (!added && *text && strcmp(text, WORD_END) != 0) {
        int byte = byte_of_point(unicode_take(&text));
        if (bytes) bytes[count] = byte <= 0 ? '?' : (char)byte;
        count++;
    }
    for (; added && text[count]; count++)
        if (bytes) bytes[count] = text[count];
    if (!added && !*text) return count;
    if (bytes) bytes[count] = ' ';
    return count + 1;
}

sumi_status tokenizer_words(sumi_context *context, const sumi_tokenizer *tokenizer, int64_t count,
                            const int32_t *ids, char **text)
{
    size_t size = 0;
    *text = NULL;
    for (int64_t i = 0; i < count; i++) {
        bool known =
            ids[i] >= 0
            && (ids[i] < tokenizer->vocabulary->count || special_of(&tokenizer->special, ids[i]));
        if (!known) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "token %lld is %d, which is not in the vocabulary", (long long)i,
                                ids[i]);
        }
        size += put_token(tokenizer, ids[i], NULL);
    }
    char *made = context_allocate(context, size + 1, 1);
    if (!made) return SUMI_ERROR_MEMORY;
    size_t end = 0;
    for (int64_t i = 0; i < count; i++) end += put_token(tokenizer, ids[i], made + end);
    if (end && made[end - 1] == ' ') end--;
    made[end] = 0;
    text_tame(made);
    *text = made;
    return SUMI_OK;
}

sumi_status sumi_tokenizer_decode(const sumi_tokenizer *tokenizer, int64_t count,
                                  const int32_t *ids, char **text)
{
    return tokenizer_words(tokenizer->context, tokenizer, count, ids, text);
}

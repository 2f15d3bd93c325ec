/* SPDX-License-Identifier: Apache-2.0 */
/* Saving tokenizers as vocab.json, merges.txt and the files of their special tokens. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/members.h"
#include "text/tokenizer.h"
#include "text/vocabulary_write.h"

static sumi_status write_json(const sumi_tokenizer *tokenizer, const char *folder, const char *name,
                              json_object *value)
{
    char path[PATH_SIZE], *text = NULL;
    TRY(path_join(tokenizer->context, folder, name, path));
    TRY(json_to_text(tokenizer->context, value, &text));
    sumi_status status = file_write(tokenizer->context, path, text, strlen(text));
    context_release(tokenizer->context, text);
    return status;
}

/* ---- The vocabulary ---- */

static sumi_status write_tokens(const sumi_tokenizer *tokenizer, const char *folder)
{
    const struct vocabulary *vocabulary = tokenizer->vocabulary;
    json_object *tokens = json_object_new_object();
    bool complete = tokens != NULL;
    for (int64_t i = 0; complete && i < vocabulary->count; i++)
        complete = member_whole(tokens, vocabulary->tokens[i], i);
    sumi_status status = members_check(tokenizer->context, complete, "vocab.json");
    if (status == SUMI_OK) status = write_json(tokenizer, folder, "vocab.json", tokens);
    json_object_put(tokens);
    return status;
}

static int compare_ranks(const void *left, const void *right)
{
    const struct merge *a = left, *b = right;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* The merges by rank, sorted[*count]; some ranks may be missing. */
static sumi_status sort_merges(const struct vocabulary *vocabulary, struct merge **sorted,
                               int64_t *count)
{
    *count = 0;
    *sorted =
        context_allocate(vocabulary->context, (size_t)vocabulary->merge_count, sizeof **sorted);
    if (!*sorted) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < vocabulary->merge_slots; i++)
        if (vocabulary->merges[i].rank >= 0) (*sorted)[(*count)++] = vocabulary->merges[i];
    qsort(*sorted, (size_t)*count, sizeof **sorted, compare_ranks);
    return SUMI_OK;
}

static sumi_status write_merges(const sumi_tokenizer *tokenizer, const char *folder)
{
    const struct vocabulary *vocabulary = tokenizer->vocabulary;
    sumi_context *context = tokenizer->context;
    struct merge *sorted = NULL;
    int64_t count = 0;
    TRY(sort_merges(vocabulary, &sorted, &count));
    struct merge_text *texts = context_allocate(context, (size_t)count, sizeof *texts);
    for (int64_t i = 0; texts && i < count; i++)
        texts[i] = (struct merge_text){vocabulary->tokens[sorted[i].left],
                                       vocabulary->tokens[sorted[i].right]};
    context_release(context, sorted);
    if (!texts) return SUMI_ERROR_MEMORY;
    sumi_status status = vocabulary_write_merges(context, folder, texts, count);
    context_release(context, texts);
    return status;
}

/* ---- Special tokens ---- */

static const char *text_of(const sumi_tokenizer *tokenizer, int32_t id)
{
    const struct added_token *added = special_of(&tokenizer->special, id);
    return added ? added->text : tokenizer->vocabulary->tokens[id];
}

/* The config of a tokenizer that was opened without one. */
static bool fill_config(const sumi_tokenizer *tokenizer, json_object *config)
{
    const struct special *special = &tokenizer->special;
    return member_text(config, "tokenizer_class", "CLIPTokenizer")
           && member_whole(config, "model_max_length", special->length)
           && member_text(config, "bos_token", text_of(tokenizer, special->begin))
           && member_text(config, "eos_token", text_of(tokenizer, special->end))
           && member_text(config, "pad_token", text_of(tokenizer, special->pad))
           && member_text(config, "unk_token", text_of(tokenizer, special->unknown));
}

static sumi_status write_config(const sumi_tokenizer *tokenizer, const char *folder)
{
    const struct special *special = &tokenizer->special;
    json_object *config =
        special->config ? json_object_get(special->config) : json_object_new_object();
    bool complete = config && (special->config || fill_config(tokenizer, config));
    sumi_status status = members_check(tokenizer->context, complete, "tokenizer_config.json");
    if (status == SUMI_OK) status = write_json(tokenizer, folder, "tokenizer_config.json", config);
    json_object_put(config);
    if (status == SUMI_OK && special->map)
        status = write_json(tokenizer, folder, "special_tokens_map.json", special->map);
    return status;
}

/* The tokens that the vocabulary has not. */
static sumi_status write_added(const sumi_tokenizer *tokenizer, const char *folder)
{
    const struct special *special = &tokenizer->special;
    json_object *added = json_object_new_object();
    bool complete = added != NULL, any = false;
    for (int64_t i = 0; complete && i < special->count; i++) {
        if (special->added[i].id < tokenizer->vocabulary->count) continue;
        complete = member_whole(added, special->added[i].text, special->added[i].id);
        any = true;
    }
    sumi_status status = members_check(tokenizer->context, complete, "added_tokens.json");
    if (status == SUMI_OK && any)
        status = write_json(tokenizer, folder, "added_tokens.json", added);
    json_object_put(added);
    return status;
}

sumi_status sumi_tokenizer_save(const sumi_tokenizer *tokenizer, const char *folder)
{
    TRY(folder_make(tokenizer->context, folder));
    TRY(write_merges(tokenizer, folder));
    TRY(write_tokens(tokenizer, folder));
    TRY(write_config(tokenizer, folder));
    return write_added(tokenizer, folder);
}

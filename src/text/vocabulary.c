/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a vocabulary; see vocabulary.h. */
#include "text/vocabulary.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* ---- Tokens ---- */

static int64_t slot_of(const struct vocabulary *vocabulary, const char *token)
{
    uint64_t place = hash_bytes(1, token, strlen(token));
    for (;; place++) {
        int64_t slot = (int64_t)(place % (uint64_t)vocabulary->slot_count);
        int32_t id = vocabulary->slots[slot];
        if (id < 0 || strcmp(vocabulary->tokens[id], token) == 0) return slot;
    }
}

int32_t vocabulary_find(const struct vocabulary *vocabulary, const char *token)
{
    return vocabulary->slots[slot_of(vocabulary, token)];
}

static sumi_status read_token(struct vocabulary *vocabulary, const char *token, json_object *value,
                              const char *source)
{
    int64_t id = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
    if (id < 0 || id >= vocabulary->count || vocabulary->tokens[id]) {
        return context_fail(vocabulary->context, SUMI_ERROR_FORMAT,
                            "%s: the token \"%.60s\" should have an id of its own from 0 to %lld, "
                            "not %s",
                            source, token, (long long)(vocabulary->count - 1),
                            json_object_to_json_string(value));
    }
    vocabulary->tokens[id] = context_copy_text(vocabulary->context, token);
    if (!vocabulary->tokens[id]) return SUMI_ERROR_MEMORY;
    vocabulary->slots[slot_of(vocabulary, token)] = (int32_t)id;
    return SUMI_OK;
}

static void find_bytes(struct vocabulary *vocabulary)
{
    for (int byte = 0; byte < 256; byte++) {
        for (int last = 0; last < 2; last++) {
            char text[BYTE_TEXT];
            byte_to_text(byte, last, text);
            vocabulary->bytes[last][byte] = vocabulary_find(vocabulary, text);
        }
    }
}

/* ---- Merges ---- */

static struct merge *merge_slot(const struct vocabulary *vocabulary, int32_t left, int32_t right)
{
    uint64_t place = hash_word(1, (uint64_t)(uint32_t)left << 32 | (uint32_t)right);
    for (;; place++) {
        struct merge *slot = &vocabulary->merges[place % (uint64_t)vocabulary->merge_slots];
        if (slot->rank < 0 || (slot->left == left && slot->right == right)) return slot;
    }
}

const struct merge *vocabulary_merge(const struct vocabulary *vocabulary, int32_t left,
                                     int32_t right)
{
    const struct merge *slot = merge_slot(vocabulary, left, right);
    return slot->rank < 0 ? NULL : slot;
}

static sumi_status fail_merge(const struct vocabulary *vocabulary, const char *token,
                              const char *where)
{
    return context_fail(vocabulary->context, SUMI_ERROR_FORMAT,
                        "%s: the token \"%.60s\" is not in the vocabulary; vocabulary and merges "
                        "should be of one tokenizer",
                        where, token);
}

/* A merge that is there twice has the later rank, as in the transformers library. */
sumi_status vocabulary_add(struct vocabulary *vocabulary, const char *left, const char *right,
                           const char *where)
{
    size_t size = strlen(left) + strlen(right) + 1;
    char *joined = context_allocate(vocabulary->context, size, 1);
    if (!joined) return SUMI_ERROR_MEMORY;
    snprintf(joined, size, "%s%s", left, right);
    const struct merge merge = {
        vocabulary_find(vocabulary, left), vocabulary_find(vocabulary, right),
        vocabulary_find(vocabulary, joined), (int32_t)vocabulary->merge_count};
    sumi_status status = SUMI_OK;
    if (merge.left < 0) status = fail_merge(vocabulary, left, where);
    else if (merge.right < 0) status = fail_merge(vocabulary, right, where);
    else if (merge.joined < 0) status = fail_merge(vocabulary, joined, where);
    context_release(vocabulary->context, joined);
    TRY(status);
    *merge_slot(vocabulary, merge.left, merge.right) = merge;
    vocabulary->merge_count++;
    return SUMI_OK;
}

/* ---- Creating ---- */

static sumi_status allocate(struct vocabulary *vocabulary, int64_t merges)
{
    sumi_context *context = vocabulary->context;
    vocabulary->slot_count = 2 * vocabulary->count + 1;
    vocabulary->merge_slots = 2 * merges + 1;
    vocabulary->tokens =
        context_allocate_zeroed(context, (size_t)vocabulary->count, sizeof(char *));
    vocabulary->slots =
        context_allocate(context, (size_t)vocabulary->slot_count, sizeof *vocabulary->slots);
    vocabulary->merges =
        context_allocate(context, (size_t)vocabulary->merge_slots, sizeof *vocabulary->merges);
    if (!vocabulary->tokens || !vocabulary->slots || !vocabulary->merges) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < vocabulary->slot_count; i++) vocabulary->slots[i] = -1;
    for (int64_t i = 0; i < vocabulary->merge_slots; i++)
        vocabulary->merges[i] = (struct merge){.rank = -1};
    return SUMI_OK;
}

static sumi_status fill(struct vocabulary *vocabulary, json_object *tokens, const char *source,
                        int64_t merges)
{
    TRY(allocate(vocabulary, merges));
    json_object_object_foreach(tokens, token, id)
    {
        TRY(read_token(vocabulary, token, id, source));
    }
    find_bytes(vocabulary);
    return SUMI_OK;
}

sumi_status vocabulary_create(sumi_context *context, json_object *tokens, const char *source,
                              int64_t merges, struct vocabulary **vocabulary)
{
    *vocabulary = NULL;
    bool object = json_object_is_type(tokens, json_type_object);
    int64_t count = object ? (int64_t)json_object_object_length(tokens) : 0;
    if (count < 1 || count > VOCABULARY_LIMIT || merges > VOCABULARY_LIMIT) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: a vocabulary should be an object of 1 to %d tokens with their "
                            "ids, {\"a\": 0}, and have at most as many merges",
                            source, VOCABULARY_LIMIT);
    }
    struct vocabulary *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->count = count;
    sumi_status status = fill(made, tokens, source, merges);
    if (status == SUMI_OK) *vocabulary = made;
    else vocabulary_free(made);
    return status;
}

void vocabulary_free(struct vocabulary *vocabulary)
{
    if (!vocabulary) return;
    sumi_context *context = vocabulary->context;
    for (int64_t i = 0; vocabulary->tokens && i < vocabulary->count; i++)
        context_release(context, vocabulary->tokens[i]);
    context_release(context, vocabulary->tokens);
    context_release(context, vocabulary->slots);
    context_release(context, vocabulary->merges);
    context_release(context, vocabulary);
}

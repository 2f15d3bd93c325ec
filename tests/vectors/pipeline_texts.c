/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts of a pipeline's record: given as ids, or as texts for CLIP's tokenizer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vectors/pipeline.h"

enum { TOKENS = 77, TEXTS_MOST = 16, PATH_LENGTH = 4096 };

/* The keys of one side of a call. */
struct side {
    const char *ids, *short_ids, *texts, *states;
};
static const struct side sides[] = {
    {"prompt_ids", "prompt_ids_without_padding", "prompt", "prompt_embeds"},
    {"negative_ids", "negative_ids_without_padding", "negative_prompt", "negative_prompt_embeds"},
};

/* Lists of ids, padded; returns how many. */
static int64_t read_ids(json_object *lists, double pad, int32_t *ids)
{
    int64_t count = (int64_t)json_object_array_length(lists);
    for (int64_t i = 0; i < count && i < TEXTS_MOST; i++) {
        json_object *list = json_object_array_get_idx(lists, (size_t)i);
        int64_t given = (int64_t)json_object_array_length(list);
        for (int64_t k = 0; k < TOKENS; k++)
            ids[i * TOKENS + k] = (int32_t)(k < given ? vectors_number_at(list, k) : pad);
    }
    return count;
}

static sumi_tokenizer *open_tokenizer(struct pipeline *p, const char *vocabulary)
{
    const char *home = getenv("HOME");
    char folder[PATH_LENGTH];
    sumi_tokenizer *tokenizer = NULL;
    snprintf(folder, sizeof folder, "%s/.cache/sumi/clip-vocabulary", home ? home : "");
    if (!vocabulary && access(folder, R_OK) != 0) return NULL;
    if (sumi_tokenizer_open(p->context, vocabulary ? vocabulary : folder, &tokenizer) != SUMI_OK)
        pipeline_fails(p);
    return tokenizer;
}

/* Compares the ids of texts with those of the record, where the vocabulary is there. */
static void compare_ids(struct pipeline *p, json_object *texts, const char *vocabulary,
                        const int32_t *expected)
{
    sumi_tokenizer *tokenizer = open_tokenizer(p, vocabulary);
    int32_t ids[TOKENS];
    for (size_t i = 0; tokenizer && i < json_object_array_length(texts) && i < TEXTS_MOST; i++) {
        json_object *text = json_object_array_get_idx(texts, i);
        if (sumi_tokenizer_encode(tokenizer, json_object_get_string(text),
                                  (size_t)json_object_get_string_len(text), TOKENS, ids, NULL)
            != SUMI_OK)
            pipeline_fails(p);
        for (int k = 0; k < TOKENS; k++)
            vectors_compare(p->row, ids[k], expected[i * TOKENS + (size_t)k], 0,
                            "id %d of text %zu", k, i);
    }
    sumi_tokenizer_free(tokenizer);
}

static sumi_status encode(struct pipeline *p, json_object *call, const struct side *side,
                          const char *vocabulary, sumi_array *states)
{
    int32_t ids[TEXTS_MOST * TOKENS];
    json_object *lists = vectors_get(call, side->ids);
    bool padded = lists != NULL;
    if (!padded) lists = vectors_get(call, side->short_ids);
    if (!json_object_is_type(lists, json_type_array)
        || json_object_array_length(lists) > TEXTS_MOST) {
        vectors_fail(p->row, "the call should have a list \"%s\"", side->ids);
        return SUMI_ERROR_ARGUMENT;
    }
    int64_t count = read_ids(lists, vectors_number(call, "pad_id"), ids);
    if (!padded) compare_ids(p, vectors_get(call, side->texts), vocabulary, ids);
    return sumi_text_encoder_encode(p->encoder, count, TOKENS, ids, states, NULL);
}

static void compare_states(struct pipeline *p, json_object *expected, const sumi_array *states)
{
    struct figures_layout layout = {.channel_axis = -1};
    char what[64];
    layout.rank = vectors_shape(vectors_get(expected, "shape"), layout.size);
    if (!expected) return;
    if (layout.rank != 3 || figures_count(&layout) != sumi_array_count(states)) {
        vectors_fail(p->row, "%s: the states of the prompt have another shape", p->fill);
        return;
    }
    snprintf(what, sizeof what, "%s: states of the prompt", p->fill);
    figures_compare(p->row, what, expected, &layout, states->data, 2e-5);
}

/* The condition of a side, beside the channels that are set already. */
static sumi_status set_side(struct pipeline *p, bool negative, const sumi_array *states)
{
    sumi_condition *condition = NULL;
    sumi_status status = sumi_condition_create(p->context, &condition);
    if (status == SUMI_OK)
        status = sumi_condition_set(condition, "states", 3, states->shape, states->data);
    if (status == SUMI_OK && p->channels.data)
        status =
            sumi_condition_set(condition, "extra_channels", 4, p->channels.shape, p->channels.data);
    if (status == SUMI_OK)
        status = negative ? sumi_session_set_null(p->session, condition)
                          : sumi_session_set_condition(p->session, condition);
    sumi_condition_free(condition);
    return status;
}

sumi_status pipeline_set_texts(struct pipeline *p, json_object *call, json_object *expected,
                               const char *vocabulary)
{
    int count = vectors_number(call, "guidance_scale") > 1 ? 2 : 1;
    sumi_status status = SUMI_OK;
    for (int i = 0; i < count && status == SUMI_OK; i++) {
        sumi_array states = {0};
        char skip[16];
        snprintf(skip, sizeof skip, "%d", i == 0 ? (int)vectors_number(call, "clip_skip") : 0);
        status = sumi_text_encoder_set(p->encoder, "skip", skip);
        if (status == SUMI_OK) status = encode(p, call, &sides[i], vocabulary, &states);
        if (status == SUMI_OK) {
            compare_states(p, vectors_get(expected, sides[i].states), &states);
            status = set_side(p, i == 1, &states);
        }
        sumi_array_release(p->context, &states);
    }
    return status;
}

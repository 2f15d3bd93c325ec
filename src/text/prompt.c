/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of prompts in chunks; see prompt.h. */
#include "text/prompt.h"

#include <string.h>

/* All tokens of a prompt with their weights. */
struct weighted_tokens {
    int32_t *ids;
    float *weights;
    int64_t count, capacity;
};

static sumi_status append(sumi_context *context, const struct token_list *tokens, double weight,
                          struct weighted_tokens *all)
{
    int64_t count = all->count + tokens->count;
    if (count > all->capacity) {
        int64_t capacity = 2 * count;
        int32_t *ids = context_allocate(context, (size_t)capacity, sizeof *ids);
        float *weights = context_allocate(context, (size_t)capacity, sizeof *weights);
        if (!ids || !weights) {
            context_release(context, ids);
            context_release(context, weights);
            return SUMI_ERROR_MEMORY;
        }
        if (all->count) {
            memcpy(ids, all->ids, (size_t)all->count * sizeof *ids);
            memcpy(weights, all->weights, (size_t)all->count * sizeof *weights);
        }
        context_release(context, all->ids);
        context_release(context, all->weights);
        *all = (struct weighted_tokens){ids, weights, all->count, capacity};
    }
    for (int64_t i = 0; i < tokens->count; i++, all->count++) {
        all->ids[all->count] = tokens->ids[i];
        all->weights[all->count] = (float)weight;
    }
    return SUMI_OK;
}

static sumi_status add_text(sumi_context *context, const sumi_tokenizer *tokenizer,
                            const char *text, size_t size, double weight,
                            struct weighted_tokens *all)
{
    struct token_list tokens;
    TRY(tokenizer_split(context, tokenizer, "the prompt", text, size, &tokens));
    sumi_status status = append(context, &tokens, weight, all);
    token_list_release(context, &tokens);
    return status;
}

static sumi_status read_all(sumi_context *context, const sumi_tokenizer *tokenizer,
                            const struct prompt_rules *rules, const char *text,
                            struct weighted_tokens *all)
{
    struct stretches stretches;
    sumi_status status = SUMI_OK;
    if (!rules->weights) return add_text(context, tokenizer, text, strlen(text), 1, all);
    TRY(stretches_read(context, text, &stretches));
    for (int64_t i = 0; i < stretches.count && status == SUMI_OK; i++) {
        const struct stretch *stretch = &stretches.items[i];
        status = add_text(context, tokenizer, stretches.text + stretch->first,
                          stretch->end - stretch->first, stretch->weight, all);
    }
    stretches_release(context, &stretches);
    return status;
}

/* ---- Chunks ---- */

/* Fills a chunk with the first of ids[count], at most as many as it takes; returns how many. */
static int64_t fill_chunk(const sumi_tokenizer *tokenizer, int64_t length,
                          const struct weighted_tokens *all, int64_t first, int32_t *ids,
                          float *weights)
{
    const struct special *special = &tokenizer->special;
    int64_t left = all->count - first, count = left < length - 2 ? left : length - 2;
    for (int64_t i = 0; i < length; i++) weights[i] = 1;
    for (int64_t i = count + 2; i < length; i++) ids[i] = special->pad;
    ids[0] = special->begin;
    for (int64_t i = 0; i < count; i++) {
        ids[i + 1] = all->ids[first + i];
        weights[i + 1] = all->weights[first + i];
    }
    ids[count + 1] = special->end;
    return count;
}

static sumi_status allocate(sumi_context *context, int64_t length, struct prompt *prompt)
{
    size_t count = (size_t)(prompt->chunks * length);
    prompt->ids = context_allocate(context, count, sizeof *prompt->ids);
    prompt->weights = context_allocate(context, count, sizeof *prompt->weights);
    if (prompt->ids && prompt->weights) return SUMI_OK;
    prompt_release(context, prompt);
    return SUMI_ERROR_MEMORY;
}

static sumi_status warn_cut(sumi_context *context, const sumi_tokenizer *tokenizer, int64_t kept,
                            const struct weighted_tokens *all)
{
    char *text = NULL;
    TRY(tokenizer_words(context, tokenizer, all->count - kept, all->ids + kept, &text));
    context_warn(context,
                 "the prompt has %lld tokens, of which the first %lld are used; this is left out: "
                 "\"%.400s\"",
                 (long long)all->count, (long long)kept, text);
    context_release(context, text);
    return SUMI_OK;
}

static sumi_status fill(sumi_context *context, const sumi_tokenizer *tokenizer,
                        const struct prompt_rules *rules, const struct weighted_tokens *all,
                        struct prompt *prompt)
{
    const int64_t length = rules->length, each = length - 2;
    int64_t first = 0;
    prompt->chunks = rules->chunks && all->count > each ? (all->count + each - 1) / each : 1;
    if (!rules->chunks && all->count > each) TRY(warn_cut(context, tokenizer, each, all));
    TRY(allocate(context, length, prompt));
    for (int64_t i = 0; i < prompt->chunks; i++)
        first += fill_chunk(tokenizer, length, all, first, prompt->ids + i * length,
                            prompt->weights + i * length);
    for (int64_t i = 0; i < prompt->chunks * length; i++)
        prompt->weighted |= prompt->weights[i] != 1;
    return SUMI_OK;
}

sumi_status prompt_read(sumi_context *context, const sumi_tokenizer *tokenizer,
                        const struct prompt_rules *rules, const char *text, struct prompt *prompt)
{
    struct weighted_tokens all = {.count = 0};
    *prompt = (struct prompt){.chunks = 0};
    sumi_status status = read_all(context, tokenizer, rules, text, &all);
    if (status == SUMI_OK) status = fill(context, tokenizer, rules, &all, prompt);
    context_release(context, all.ids);
    context_release(context, all.weights);
    return status;
}

sumi_status prompt_extend(sumi_context *context, const sumi_tokenizer *tokenizer, int64_t length,
                          int64_t chunks, struct prompt *prompt)
{
    const struct weighted_tokens none = {.count = 0};
    struct prompt longer = {.chunks = chunks, .weighted = prompt->weighted};
    const size_t own = (size_t)(prompt->chunks * length);
    if (prompt->chunks >= chunks) return SUMI_OK;
    TRY(allocate(context, length, &longer));
    memcpy(longer.ids, prompt->ids, own * sizeof *longer.ids);
    memcpy(longer.weights, prompt->weights, own * sizeof *longer.weights);
    for (int64_t i = prompt->chunks; i < chunks; i++)
        fill_chunk(tokenizer, length, &none, 0, longer.ids + i * length,
                   longer.weights + i * length);
    prompt_release(context, prompt);
    *prompt = longer;
    return SUMI_OK;
}

void prompt_release(sumi_context *context, struct prompt *prompt)
{
    context_release(context, prompt->ids);
    context_release(context, prompt->weights);
    *prompt = (struct prompt){.chunks = 0};
}

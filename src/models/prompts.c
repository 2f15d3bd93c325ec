/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions of a session from prompts: how the text encoders of a pipeline make what its
   network takes. There are three ways: those of Stable Diffusion 1 and 2 (Rombach et al. 2022), XL
   (Podell et al. 2023) and 3 (Esser et al. 2024). */
#include <string.h>

#include "models/auto_encoder.h"
#include "models/session.h"
#include "models/text_encoder.h"
#include "nets/unet_condition.h"
#include "text/prompt.h"

enum { SIDES = 2, PROMPT_SIDE = 0, NEGATIVE_SIDE = 1 };
enum { PENULTIMATE = 1, SD3_FURTHER_TOKENS = 256, PROMPTS_MOST = 1 << 16 };

/* How the states of a pipeline are made. */
struct way {
    const char *network;
    bool pooled;            /* whether the network takes the vectors of texts */
    bool penultimate;       /* states of the layer before the last, without the final norm */
    bool all_vectors;       /* the vectors of all encoders, instead of that of the last */
    int64_t further_tokens; /* zeros, where a pipeline lacks the encoder that gives them */
};

static const struct way ways[] = {
    {.network = "UNet2DConditionModel"},
    {.network = "UNet2DConditionModel", .pooled = true, .penultimate = true},
    {.network = "SD3Transformer2DModel",
     .pooled = true,
     .penultimate = true,
     .all_vectors = true,
     .further_tokens = SD3_FURTHER_TOKENS},
};

/* The prompts of both sides, and what they become. */
struct prompting {
    sumi_session *session;
    sumi_context *context;
    const struct way *way;
    const struct text_part *parts[TEXT_PARTS];
    int part_count;
    int64_t count;                      /* prompts of a side */
    const char *const *texts[SIDES];    /* [count]; NULL for the empty text */
    struct prompt *prompts[TEXT_PARTS]; /* [SIDES * count] of each part */
    int64_t length, chunks;             /* tokens of a chunk; chunks of a prompt */
    sumi_array states[SIDES];           /* [count, tokens, width] */
    sumi_array pooled[SIDES];           /* [count, width] */
};

/* ---- What the model has ---- */

static sumi_status find_way(struct prompting *p)
{
    const struct net *net = p->session->model->net;
    bool pooled = net_find_input(net, "pooled") >= 0, states = net_find_input(net, "states") >= 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways && states; i++) {
        if (strcmp(ways[i].network, net->type->class_name) != 0 || ways[i].pooled != pooled)
            continue;
        p->way = &ways[i];
        return SUMI_OK;
    }
    return context_fail(p->context, SUMI_ERROR_UNSUPPORTED,
                        states ? "prompts for networks of class %s are not supported"
                               : "this model's network, of class %s, takes no prompts",
                        net->type->class_name);
}

static sumi_status find_parts(struct prompting *p)
{
    const sumi_model *model = p->session->model;
    p->length = INT64_MAX;
    for (int i = 0; i < TEXT_PARTS; i++) {
        const struct text_part *part = &model->texts[i];
        if (!part->encoder) continue;
        if (!part->tokenizer) {
            return context_fail(p->context, SUMI_ERROR_UNSUPPORTED,
                                "this model has a text encoder without a tokenizer, so it takes "
                                "no prompts");
        }
        int64_t length = part->tokenizer->special.length, places = part->encoder->net.positions;
        if (length < p->length) p->length = length;
        if (places < p->length) p->length = places;
        p->parts[p->part_count++] = part;
    }
    if (p->part_count && p->length >= 2) return SUMI_OK;
    return context_fail(p->context, SUMI_ERROR_UNSUPPORTED,
                        p->part_count ? "the text encoder of this model has too few places"
                                      : "this model has no text encoder, so it takes no prompts");
}

/* ---- Tokens ---- */

static const char *text_of(const struct prompting *p, int64_t number)
{
    const char *const *texts = p->texts[number / p->count];
    return texts ? texts[number % p->count] : "";
}

static sumi_status read_prompts(struct prompting *p, int part)
{
    const struct prompt_rules rules = {.length = p->length,
                                       .weights = p->session->prompt_weights,
                                       .chunks = p->session->long_prompts == PROMPTS_CHUNKS};
    const int64_t all = SIDES * p->count;
    p->prompts[part] = context_allocate_zeroed(p->context, (size_t)all, sizeof(struct prompt));
    if (!p->prompts[part]) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < all; i++) {
        struct prompt *prompt = &p->prompts[part][i];
        TRY(prompt_read(p->context, p->parts[part]->tokenizer, &rules, text_of(p, i), prompt));
        if (prompt->chunks > p->chunks) p->chunks = prompt->chunks;
    }
    return SUMI_OK;
}

/* All prompts have as many chunks as the longest. */
static sumi_status read_all(struct prompting *p)
{
    for (int part = 0; part < p->part_count; part++) TRY(read_prompts(p, part));
    for (int part = 0; part < p->part_count; part++) {
        for (int64_t i = 0; i < SIDES * p->count; i++)
            TRY(prompt_extend(p->context, p->parts[part]->tokenizer, p->length, p->chunks,
                              &p->prompts[part][i]));
    }
    return SUMI_OK;
}

/* ---- Encoding ---- */

/* Moves the states of tokens with a weight w away from those of the empty text: e + w (z - e). */
static sumi_status apply_weights(const struct prompting *p, sumi_text_encoder *encoder, int part,
                                 const struct prompt *prompts, sumi_array *states)
{
    struct prompt empty = {.chunks = 0};
    sumi_array base;
    const int64_t width = states->shape[2];
    TRY(prompt_extend(p->context, p->parts[part]->tokenizer, p->length, 1, &empty));
    sumi_status status = sumi_text_encoder_encode(encoder, 1, p->length, empty.ids, &base, NULL);
    prompt_release(p->context, &empty);
    TRY(status);
    for (int64_t i = 0; i < p->count * p->chunks * p->length; i++) {
        int64_t each = p->chunks * p->length, place = i % p->length;
        float weight = prompts[i / each].weights[i % each];
        float *state = states->data + i * width;
        const float *origin = base.data + place * width;
        for (int64_t k = 0; k < width && weight != 1; k++)
            state[k] = origin[k] + weight * (state[k] - origin[k]);
    }
    sumi_array_release(p->context, &base);
    return SUMI_OK;
}

static sumi_status encode_prompts(const struct prompting *p, sumi_text_encoder *encoder, int part,
                                  const struct prompt *prompts, sumi_array *states,
                                  sumi_array *pooled)
{
    const int64_t each = p->chunks * p->length;
    bool weighted = false;
    int32_t *ids = context_allocate(p->context, (size_t)(p->count * each), sizeof *ids);
    if (!ids) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < p->count; i++) {
        memcpy(ids + i * each, prompts[i].ids, (size_t)each * sizeof *ids);
        weighted |= prompts[i].weighted;
    }
    sumi_status status =
        sumi_text_encoder_encode(encoder, p->count * p->chunks, p->length, ids, states, pooled);
    context_release(p->context, ids);
    if (status == SUMI_OK && weighted) status = apply_weights(p, encoder, part, prompts, states);
    return status;
}

/* The states and vectors of a side by one encoder, [count * chunks, length, width] and
   [count * chunks, width]. The negative side keeps all layers, as in diffusers. */
static sumi_status encode_part(const struct prompting *p, int side, int part, sumi_array *states,
                               sumi_array *pooled)
{
    sumi_text_encoder *encoder = NULL;
    TRY(text_encoder_begin(p->context, p->parts[part]->encoder, &encoder));
    encoder->skip = side == PROMPT_SIDE ? p->session->clip_skip : 0;
    encoder->skip += p->way->penultimate ? PENULTIMATE : 0;
    encoder->norm = !p->way->penultimate;
    sumi_status status = encode_prompts(p, encoder, part, p->prompts[part] + side * p->count,
                                        states, p->way->pooled ? pooled : NULL);
    sumi_text_encoder_free(encoder);
    return status;
}

/* Creates the arrays of a side, with zeros where no encoder writes. */
static sumi_status create_side(struct prompting *p, int side)
{
    const struct net *net = p->session->model->net;
    int64_t width = net->inputs[net_find_input(net, "states")].shape[2], pooled = 0, sum = 0;
    for (int i = 0; i < p->part_count; i++) {
        const struct clip *clip = &p->parts[i]->encoder->net.clip;
        int64_t vector = clip->projection ? clip->projection : clip->width;
        pooled = p->way->all_vectors ? pooled + vector : vector;
        sum += clip->width;
    }
    if (sum > width || (sum < width && !p->way->further_tokens)) {
        return context_fail(p->context, SUMI_ERROR_FORMAT,
                            "the text encoders give states of %lld numbers, but the network takes "
                            "%lld: they are not of one model",
                            (long long)sum, (long long)width);
    }
    int64_t tokens = p->chunks * p->length + p->way->further_tokens;
    TRY(sumi_array_create(p->context, 3, (int64_t[]){p->count, tokens, width}, &p->states[side]));
    if (!p->way->pooled) return SUMI_OK;
    return sumi_array_create(p->context, 2, (int64_t[]){p->count, pooled}, &p->pooled[side]);
}

/* Copies rows of an encoder beside those of the encoders before it. */
static void place_part(const struct prompting *p, int side, int64_t at, int64_t vector_at,
                       const sumi_array *states, const sumi_array *pooled)
{
    const sumi_array *all = &p->states[side];
    const int64_t used = p->chunks * p->length, tokens = all->shape[1], width = all->shape[2];
    const size_t row = (size_t)states->shape[2] * sizeof(float);
    for (int64_t i = 0; i < p->count * used; i++)
        memcpy(all->data + (i / used * tokens + i % used) * width + at,
               states->data + i * states->shape[2], row);
    if (!pooled->data) return;
    const int64_t vectors = p->pooled[side].shape[1], size = pooled->shape[1];
    for (int64_t i = 0; i < p->count; i++)
        memcpy(p->pooled[side].data + i * vectors + vector_at, pooled->data + i * p->chunks * size,
               (size_t)size * sizeof(float));
}

static sumi_status encode_side(struct prompting *p, int side)
{
    int64_t at = 0, vector_at = 0;
    TRY(create_side(p, side));
    for (int part = 0; part < p->part_count; part++) {
        sumi_array states = {0}, pooled = {0};
        sumi_status status = encode_part(p, side, part, &states, &pooled);
        if (status == SUMI_OK && !p->way->all_vectors && part + 1 < p->part_count)
            sumi_array_release(p->context, &pooled);
        if (status == SUMI_OK) {
            place_part(p, side, at, vector_at, &states, &pooled);
            at += states.shape[2];
            vector_at += pooled.data && p->way->all_vectors ? pooled.shape[1] : 0;
        }
        sumi_array_release(p->context, &states);
        sumi_array_release(p->context, &pooled);
        TRY(status);
    }
    return SUMI_OK;
}

/* ---- Conditions ---- */

/* Whether an empty negative side is zeros, which a pipeline's index says. */
static sumi_status is_zeroed(const struct prompting *p, bool *zeroed)
{
    static const char SOURCE[] = "model_index.json", KEY[] = "force_zeros_for_empty_prompt";
    const char *text = p->session->model->index;
    json_object *index = NULL, *value = NULL;
    *zeroed = false;
    if (p->texts[NEGATIVE_SIDE] || !text) return SUMI_OK;
    TRY(json_parse(p->context, text, strlen(text), SOURCE, &index));
    *zeroed = json_object_object_get_ex(index, KEY, &value) && json_object_get_boolean(value);
    json_object_put(index);
    return SUMI_OK;
}

/* Numbers beside the vector of a text: the size of the picture, its corner in a larger one and the
   size again (Podell et al. 2023, 2.2); or, in a network for which these are too many, a score of
   its beauty instead of the last two. */
static sumi_status set_time_ids(const struct prompting *p, int side, sumi_condition *condition)
{
    enum { SIZES = 6, SCORED = 5, SCORE = 4 };
    const float scores[SIDES] = {6, 2.5F};
    const sumi_model *model = p->session->model;
    int64_t factor = model->auto_encoder ? model->auto_encoder->net->factor : 1;
    float height = (float)(model->net->item_shape[0] * factor);
    float width = (float)(model->net->item_shape[1] * factor);
    float ids[SIZES] = {height, width, 0, 0, height, width};
    int number = net_find_input(model->net, "time_ids");
    if (number < 0) return SUMI_OK;
    TRY(model_check_size(p->context, model));
    bool scored = unet_time_ids(model->net, p->pooled[side].shape[1]) == SCORED;
    if (scored) ids[SCORE] = scores[side];
    return sumi_condition_set(condition, "time_ids", 2, (int64_t[]){1, scored ? SCORED : SIZES},
                              ids);
}

static sumi_status fill_condition(const struct prompting *p, int side, sumi_condition *condition)
{
    const sumi_array *states = &p->states[side], *pooled = &p->pooled[side];
    const sumi_array *channels = &p->session->channels;
    TRY(sumi_condition_set(condition, "states", 3, states->shape, states->data));
    if (channels->data)
        TRY(sumi_condition_set(condition, "extra_channels", 4, channels->shape, channels->data));
    if (!p->way->pooled) return SUMI_OK;
    TRY(sumi_condition_set(condition, "pooled", 2, pooled->shape, pooled->data));
    return set_time_ids(p, side, condition);
}

static sumi_status set_side(const struct prompting *p, int side)
{
    sumi_condition *condition = NULL;
    TRY(sumi_condition_create(p->context, &condition));
    sumi_status status = fill_condition(p, side, condition);
    if (status == SUMI_OK)
        status = side == PROMPT_SIDE ? sumi_session_set_condition(p->session, condition)
                                     : sumi_session_set_null(p->session, condition);
    sumi_condition_free(condition);
    return status;
}

static void release(struct prompting *p)
{
    for (int part = 0; part < p->part_count; part++) {
        for (int64_t i = 0; p->prompts[part] && i < SIDES * p->count; i++)
            prompt_release(p->context, &p->prompts[part][i]);
        context_release(p->context, p->prompts[part]);
    }
    for (int side = 0; side < SIDES; side++) {
        sumi_array_release(p->context, &p->states[side]);
        sumi_array_release(p->context, &p->pooled[side]);
    }
}

static sumi_status run(struct prompting *p)
{
    bool zeroed = false;
    TRY(find_way(p));
    TRY(find_parts(p));
    TRY(read_all(p));
    TRY(is_zeroed(p, &zeroed));
    TRY(encode_side(p, PROMPT_SIDE));
    TRY(zeroed ? create_side(p, NEGATIVE_SIDE) : encode_side(p, NEGATIVE_SIDE));
    TRY(set_side(p, NEGATIVE_SIDE));
    return set_side(p, PROMPT_SIDE);
}

sumi_status sumi_session_set_prompts(sumi_session *session, int64_t count,
                                     const char *const *prompts, const char *const *negatives)
{
    struct prompting prompting = {.session = session,
                                  .context = session->context,
                                  .count = count,
                                  .texts = {prompts, negatives}};
    if (count < 1 || count > PROMPTS_MOST || !prompts) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "the number of prompts must be from 1 to %d, not %lld", PROMPTS_MOST,
                            (long long)count);
    }
    sumi_status status = run(&prompting);
    release(&prompting);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, making, saving and running text encoders; see text_encoder.h. */
#include "models/text_encoder.h"

#include <string.h>

#include "base/structure.h"

#define AT(member) offsetof(struct sumi_text_encoder, member)

static const struct option options[] = {
    {PRECISION_OPTION, AT(precision)},
    {WHOLE_OPTION("skip", "0", 0, CLIP_LAYERS, "number of last layers that are left out"),
     AT(skip)},
    {FLAG_OPTION("norm", "true", "the states are those after the final norm"), AT(norm)},
    {.name = NULL},
};

/* ---- The part ---- */

/* The smallest text with which all weights are read. */
static sumi_status build_once(void *user, sumi_graph *graph)
{
    const struct text_encoder_part *part = user;
    const int64_t one = 1, shape[2] = {1, 1};
    struct clip_output output;
    sumi_node ids = sumi_graph_typed_input(graph, "ids", SUMI_INT32, 2, shape);
    sumi_node ends = sumi_graph_typed_input(graph, "ends", SUMI_INT32, 1, &one);
    clip_text_build(&part->net, graph, ids, ends, &output);
    return sumi_graph_status(graph);
}

/* Files of transformers 5 lack the prefix in a class without projection, and old ones list the
   numbers of the places. */
static struct weight_builder builder_of(struct text_encoder_part *part)
{
    return (struct weight_builder){.context = part->context,
                                   .prefix = "text_model.",
                                   .needless = "embeddings.position_ids",
                                   .user = part,
                                   .build = build_once};
}

void text_encoder_part_free(struct text_encoder_part *part)
{
    if (!part) return;
    sumi_weights_free(part->weights);
    context_release(part->context, part->config);
    context_release(part->context, part->class_name);
    context_release(part->context, part);
}

/* Reads the text of a config.json, which the part then owns. */
static sumi_status read_config(struct text_encoder_part *part, const char *config,
                               const char *source)
{
    TRY(clip_text_parse(part->context, config, source, &part->net));
    part->config = context_copy_text(part->context, config);
    part->class_name = context_copy_text(
        part->context, part->net.clip.projection ? "CLIPTextModelWithProjection" : "CLIPTextModel");
    return part->config && part->class_name ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static sumi_status read_part(struct text_encoder_part *part, const char *folder)
{
    struct network_files files;
    TRY(network_find(part->context, folder, TRANSFORMERS_STEM, &files));
    sumi_status status = read_config(part, files.text, files.config);
    context_release(part->context, files.text);
    TRY(status);
    const struct weight_builder builder = builder_of(part);
    return weights_load(&builder, files.weights, &part->weights);
}

sumi_status text_encoder_part_open(sumi_context *context, const char *folder,
                                   struct text_encoder_part **part)
{
    *part = NULL;
    struct text_encoder_part *fresh = context_allocate_zeroed(context, 1, sizeof *fresh);
    if (!fresh) return SUMI_ERROR_MEMORY;
    fresh->context = context;
    sumi_status status = read_part(fresh, folder);
    if (status == SUMI_OK) *part = fresh;
    else text_encoder_part_free(fresh);
    return status;
}

sumi_status text_encoder_part_save(const struct text_encoder_part *part, const char *folder)
{
    return network_write(part->context, folder, TRANSFORMERS_STEM, part->weights, part->config);
}

/* ---- The runner ---- */

sumi_status text_encoder_begin(sumi_context *context, const struct text_encoder_part *part,
                               sumi_text_encoder **runner)
{
    *runner = context_allocate_zeroed(context, 1, sizeof **runner);
    if (!*runner) return SUMI_ERROR_MEMORY;
    (*runner)->context = context;
    (*runner)->part = part;
    (*runner)->options = (struct option_set){.context = context,
                                             .owner = "a text encoder",
                                             .noun = "option",
                                             .tables = {options},
                                             .values = *runner};
    option_set_defaults(&(*runner)->options);
    return SUMI_OK;
}

/* A runner that owns its part; the part is freed after a failure. */
static sumi_status begin_owner(sumi_context *context, struct text_encoder_part *part,
                               sumi_text_encoder **runner)
{
    sumi_status status = text_encoder_begin(context, part, runner);
    if (status == SUMI_OK) (*runner)->own = part;
    else text_encoder_part_free(part);
    return status;
}

sumi_status sumi_text_encoder_open(sumi_context *context, const char *folder,
                                   sumi_text_encoder **text_encoder)
{
    struct text_encoder_part *part = NULL;
    *text_encoder = NULL;
    TRY(text_encoder_part_open(context, folder, &part));
    return begin_owner(context, part, text_encoder);
}

sumi_status sumi_text_encoder_create(sumi_context *context, const char *config_json, uint64_t seed,
                                     sumi_text_encoder **text_encoder)
{
    *text_encoder = NULL;
    struct text_encoder_part *part = context_allocate_zeroed(context, 1, sizeof *part);
    if (!part) return SUMI_ERROR_MEMORY;
    part->context = context;
    sumi_status status = read_config(part, config_json, "config.json");
    if (status == SUMI_OK) {
        const struct weight_builder builder = builder_of(part);
        status = weights_make(&builder, seed, NULL, &part->weights);
    }
    if (status == SUMI_OK) return begin_owner(context, part, text_encoder);
    text_encoder_part_free(part);
    return status;
}

static void forget_plan(struct text_plan *plan)
{
    sumi_plan_free(plan->plan);
    sumi_graph_free(plan->graph);
    *plan = (struct text_plan){.graph = NULL};
}

void sumi_text_encoder_free(sumi_text_encoder *text_encoder)
{
    if (!text_encoder) return;
    forget_plan(&text_encoder->plan);
    text_encoder_part_free(text_encoder->own);
    context_release(text_encoder->context, text_encoder);
}

sumi_status sumi_text_encoder_set(sumi_text_encoder *text_encoder, const char *option,
                                  const char *value)
{
    return option_set_text(&text_encoder->options, option, value);
}

bool sumi_text_encoder_describe(const sumi_text_encoder *text_encoder, sumi_text_encoder_info *info)
{
    const struct text_encoder_part *part = text_encoder->part;
    const sumi_text_encoder_info all = {.class_name = part->class_name,
                                        .config = part->config,
                                        .tokens = part->net.vocabulary,
                                        .length = part->net.positions,
                                        .width = part->net.clip.width,
                                        .layers = part->net.clip.layers,
                                        .projection = part->net.clip.projection};
    return structure_fill(info, &all, sizeof all);
}

bool sumi_text_encoder_weight(sumi_text_encoder *text_encoder, int64_t number, sumi_weight *weight)
{
    sumi_weights *weights = text_encoder->part->weights;
    bool there = number >= 0 && number < weights->count;
    if (there && weights_own(weights, number) != SUMI_OK) return false;
    weights_changed(weights); /* because the caller may write to them */
    return sumi_weights_get(weights, number, weight);
}

sumi_status sumi_text_encoder_save(const sumi_text_encoder *text_encoder, const char *folder)
{
    return text_encoder_part_save(text_encoder->part, folder);
}

/* ---- Plans ---- */

/* The states that the options choose: those of a layer, before or after the final norm. */
static sumi_node choose_states(sumi_text_encoder *runner, sumi_graph *graph,
                               const struct clip_output *output)
{
    const struct clip *clip = &runner->part->net.clip;
    sumi_node state = output->states[clip->layers - runner->skip];
    if (!runner->norm) return state;
    return runner->skip ? clip_text_norm(&runner->part->net, graph, state) : output->last;
}

static sumi_status build_plan(sumi_text_encoder *runner, struct text_plan *plan)
{
    const struct text_encoder_part *part = runner->part;
    const int64_t shape[2] = {plan->items, plan->tokens};
    struct clip_output output;
    TRY(sumi_graph_create(runner->context, part->weights, false, &plan->graph));
    plan->graph->bfloat16 = plan->precision == PRECISION_BF16;
    plan->ids = sumi_graph_typed_input(plan->graph, "ids", SUMI_INT32, 2, shape);
    plan->ends = sumi_graph_typed_input(plan->graph, "ends", SUMI_INT32, 1, shape);
    clip_text_build(&part->net, plan->graph, plan->ids, plan->ends, &output);
    plan->states = choose_states(runner, plan->graph, &output);
    plan->pooled = part->net.clip.projection ? output.vector : output.pooled;
    TRY(sumi_graph_status(plan->graph));
    const sumi_node outputs[2] = {plan->states, plan->pooled};
    return sumi_plan_create(plan->graph, 2, outputs, &plan->plan);
}

/* The plan of a call, made anew where it is not that of the last one. */
static sumi_status get_plan(sumi_text_encoder *runner, int64_t items, int64_t tokens)
{
    struct text_plan *plan = &runner->plan;
    const struct text_plan wanted = {.items = items,
                                     .tokens = tokens,
                                     .skip = runner->skip,
                                     .precision = runner->precision,
                                     .threads = runner->context->threads,
                                     .norm = runner->norm};
    if (plan->plan && !plan_is_stale(plan->plan) && plan->items == items && plan->tokens == tokens
        && plan->skip == wanted.skip && plan->precision == wanted.precision
        && plan->threads == wanted.threads && plan->norm == wanted.norm)
        return SUMI_OK;
    forget_plan(plan);
    *plan = wanted;
    sumi_status status = build_plan(runner, plan);
    if (status != SUMI_OK) forget_plan(plan);
    return status;
}

/* ---- Encoding ---- */

static sumi_status check_ids(const sumi_text_encoder *runner, int64_t items, int64_t tokens,
                             const int32_t *ids)
{
    const struct clip_text *net = &runner->part->net;
    if (items < 1 || tokens < 1 || tokens > net->positions) {
        return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                            "a text encoder takes 1 or more texts of 1 to %lld tokens, not %lld of "
                            "%lld",
                            (long long)net->positions, (long long)items, (long long)tokens);
    }
    if (runner->skip > net->clip.layers) {
        return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                            "this text encoder has %lld layers, of which %lld cannot be left out",
                            (long long)net->clip.layers, (long long)runner->skip);
    }
    for (int64_t i = 0; i < items * tokens; i++) {
        if (ids[i] >= 0 && ids[i] < net->vocabulary) continue;
        return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                            "token %lld of text %lld is %d, but the text encoder has %lld tokens: "
                            "it is not of this tokenizer",
                            (long long)(i % tokens), (long long)(i / tokens), ids[i],
                            (long long)net->vocabulary);
    }
    return SUMI_OK;
}

/* Copies a result of the plan to a new array. */
static sumi_status copy_result(sumi_text_encoder *runner, sumi_node node, int rank,
                               const int64_t *shape, sumi_array *result)
{
    if (!result) return SUMI_OK;
    TRY(sumi_array_create(runner->context, rank, shape, result));
    memcpy(result->data, sumi_plan_data(runner->plan.plan, node),
           (size_t)sumi_array_count(result) * sizeof *result->data);
    return SUMI_OK;
}

sumi_status sumi_text_encoder_encode(sumi_text_encoder *text_encoder, int64_t items, int64_t tokens,
                                     const int32_t *ids, sumi_array *states, sumi_array *pooled)
{
    const struct clip_text *net = &text_encoder->part->net;
    struct text_plan *plan = &text_encoder->plan;
    const int64_t width = net->clip.projection ? net->clip.projection : net->clip.width;
    if (states) *states = (sumi_array){.rank = 0};
    if (pooled) *pooled = (sumi_array){.rank = 0};
    TRY(check_ids(text_encoder, items, tokens, ids));
    TRY(get_plan(text_encoder, items, tokens));
    memcpy(sumi_plan_typed_data(plan->plan, plan->ids, SUMI_INT32), ids,
           (size_t)(items * tokens) * sizeof *ids);
    clip_text_ends(net, items, tokens, ids,
                   sumi_plan_typed_data(plan->plan, plan->ends, SUMI_INT32));
    TRY(sumi_plan_run(plan->plan, 0, 0));
    TRY(copy_result(text_encoder, plan->states, 3, (int64_t[]){items, tokens, net->clip.width},
                    states));
    sumi_status status =
        copy_result(text_encoder, plan->pooled, 2, (int64_t[]){items, width}, pooled);
    if (status != SUMI_OK && states) sumi_array_release(text_encoder->context, states);
    return status;
}

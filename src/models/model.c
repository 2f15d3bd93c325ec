/* SPDX-License-Identifier: Apache-2.0 */
/* Creating a model, accessing its parts, and building its network in a graph. */
#include "models/auto_encoder.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/structure.h"

enum { TEXT_LIMIT = 16 << 20 };

sumi_status model_read_text(sumi_context *context, const char *path, char **text)
{
    size_t size = 0;
    TRY(file_read(context, path, TEXT_LIMIT, (void **)text, &size));
    if (!memchr(*text, '\0', size)) return SUMI_OK;
    context_release(context, *text);
    *text = NULL;
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: contains a zero byte, so it is not a text",
                        path);
}

sumi_status model_read_network(sumi_model *model, const char *config, const char *source)
{
    TRY(net_parse(model->context, config, source, &model->net));
    if (!model->net->values) return SUMI_OK;
    return context_fail(
        model->context, SUMI_ERROR_UNSUPPORTED,
        "%s: the network gives one number for an item, its value, so nothing can be "
        "sampled by it",
        source);
}

sumi_status model_begin(sumi_context *context, const char *config, const char *source,
                        sumi_model **model)
{
    *model = NULL;
    sumi_model *fresh = context_allocate_zeroed(context, 1, sizeof *fresh);
    if (!fresh) return SUMI_ERROR_MEMORY;
    fresh->context = context;
    sumi_status status = model_read_network(fresh, config, source);
    if (status == SUMI_OK) *model = fresh;
    else sumi_model_free(fresh);
    return status;
}

void sumi_model_free(sumi_model *model)
{
    if (!model) return;
    auto_encoder_part_free(model->auto_encoder);
    text_parts_free(model);
    context_release(model->context, model->index);
    sumi_weights_free(model->weights);
    net_free(model->net);
    context_release(model->context, model->scheduler);
    names_release(model->context, &model->class_names);
    context_release(model->context, model);
}

/* ---- Weights ---- */

/* Where the config has no sample_size, chooses one that the network can halve as often as it
   does. */
static sumi_status open_size(const sumi_model *model, int64_t *size)
{
    json_object *config = NULL, *channels = NULL;
    const char *text = model->net->config;
    TRY(json_parse(model->context, text, strlen(text), "config.json", &config));
    json_object_object_get_ex(config, "block_out_channels", &channels);
    size_t levels =
        json_object_is_type(channels, json_type_array) ? json_object_array_length(channels) : 0;
    json_object_put(config);
    *size = (int64_t)1 << (levels < 30 ? levels : 30);
    return SUMI_OK;
}

static sumi_status build_once(void *user, sumi_graph *graph)
{
    const sumi_model *model = user;
    struct net_nodes inputs;
    struct shape shapes[NET_INPUTS] = {{0}};
    struct net sized = *model->net;
    for (int i = 0; i < sized.item_rank; i++) {
        if (sized.item_shape[i] == 0) TRY(open_size(model, &sized.item_shape[i]));
    }
    for (int i = 0; i < sized.input_count; i++) { /* optional inputs too, because they may have
                                                     weights */
        shapes[i] = net_input_shape(&sized, i, 1);
        for (int axis = 1; axis < shapes[i].rank; axis++)
            if (shapes[i].size[axis] == 0)
                shapes[i].size[axis] = sized.possible[i] ? sized.possible[i] : 1;
    }
    net_add_inputs(&sized, graph, 1, shapes, &inputs);
    net_build(&sized, graph, &inputs);
    return sumi_graph_status(graph);
}

struct weight_builder model_weight_builder(sumi_model *model)
{
    return (struct weight_builder){.context = model->context,
                                   .old_names = model->net->type == &net_type_unet_2d,
                                   .user = model,
                                   .build = build_once};
}

sumi_status model_make_weights(sumi_model *model, uint64_t seed)
{
    const struct weight_builder builder = model_weight_builder(model);
    return weights_make(&builder, seed, NULL, &model->weights);
}

sumi_status sumi_model_create(sumi_context *context, const char *config_json, uint64_t seed,
                              sumi_model **model)
{
    *model = NULL;
    sumi_model *fresh = NULL;
    if (!config_json) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a model's config.json must be a text, not NULL");
    }
    TRY(model_begin(context, config_json, "config.json", &fresh));
    sumi_status status = model_make_weights(fresh, seed);
    if (status == SUMI_OK) status = scheduler_default(context, &fresh->scheduler);
    if (status == SUMI_OK) *model = fresh;
    else sumi_model_free(fresh);
    return status;
}

bool sumi_model_weight(const sumi_model *model, int64_t number, sumi_weight *weight)
{
    bool there = number >= 0 && number < model->weights->count;
    if (there && weights_own(model->weights, number) != SUMI_OK) return false;
    weights_changed(model->weights); /* because the caller may write to them */
    return sumi_weights_get(model->weights, number, weight);
}

/* ---- Parts ---- */

const char *sumi_model_class(const sumi_model *model)
{
    return model->net->type->class_name;
}

const char *model_part_name(const sumi_model *model)
{
    const char *name = model->net->type->part;
    return name ? name : "unet";
}

const char *sumi_model_config(const sumi_model *model)
{
    return model->net->config;
}

const char *sumi_model_scheduler(const sumi_model *model)
{
    return model->scheduler;
}

sumi_status sumi_model_set_scheduler(sumi_model *model, const char *json)
{
    char *text = NULL;
    TRY(scheduler_read(model->context, json, "the scheduler's configuration", &text));
    context_release(model->context, model->scheduler);
    model->scheduler = text;
    return SUMI_OK;
}

int sumi_model_classes(const sumi_model *model)
{
    return (int)net_classes(model->net);
}

int sumi_model_null_class(const sumi_model *model)
{
    return (int)net_null_class(model->net);
}

sumi_item_kind sumi_model_kind(const sumi_model *model)
{
    return model->net->kind;
}

bool sumi_model_input(const sumi_model *model, int number, sumi_input *input)
{
    if (number < 0 || number >= model->net->input_count) return false;
    return structure_fill(input, &model->net->inputs[number], sizeof *model->net->inputs);
}

int sumi_model_shape(const sumi_model *model, int64_t shape[SUMI_MAX_RANK])
{
    const struct net *net = model->net;
    for (int i = 0; i < net->item_rank; i++) shape[i] = net->item_shape[i];
    return net->item_rank;
}

sumi_status sumi_model_set_size(sumi_model *model, int count, const int64_t *sizes)
{
    return net_set_size(model->net, count, sizes);
}

/* ---- The network in a graph ---- */

int64_t model_item_size(const sumi_model *model)
{
    int64_t size = 1;
    for (int i = 0; i < model->net->item_rank; i++) size *= model->net->item_shape[i];
    return size;
}

int64_t model_output_size(const sumi_model *model)
{
    const struct net *net = model->net;
    return model_item_size(model) / net->item_shape[net->item_rank - 1] * net->out_channels;
}

sumi_status model_check_size(sumi_context *context, const sumi_model *model)
{
    if (model_item_size(model) > 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "the model's config.json has no \"sample_size\"; set it to the size of the "
                        "items, or call sumi_model_set_size");
}

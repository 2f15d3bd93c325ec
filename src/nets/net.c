/* SPDX-License-Identifier: Apache-2.0 */
/* The table of network classes, and what they share: reading a config.json and checking the inputs
   of a forward pass. */
#include "nets/net.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

static const struct net_type *const types[] = {&net_type_unet_2d,      &net_type_unet_2d_condition,
                                               &net_type_unet_1d,      &net_type_mlp,
                                               &net_type_dit,          &net_type_pixart,
                                               &net_type_sd3,          &net_type_prior,
                                               &net_type_latte,        &net_type_cogvideox,
                                               &net_type_unet_1d_model};
enum { TYPE_COUNT = sizeof types / sizeof *types };

/* diffusers before 0.28 had one class for several transformers, distinguished by their norm. */
static const char OLD_NAME[] = "Transformer2DModel";
static const struct {
    const char *norm_type;
    const struct net_type *type;
} old_types[] = {{"ada_norm_zero", &net_type_dit}, {"ada_norm_single", &net_type_pixart}};

static sumi_status find_old_type(sumi_context *context, json_object *given, const char *source,
                                 const struct net_type **type)
{
    const char *norm = "layer_norm";
    TRY(json_get_text(context, given, source, "norm_type", &norm));
    for (size_t i = 0; i < sizeof old_types / sizeof *old_types; i++) {
        if (strcmp(norm, old_types[i].norm_type) != 0) continue;
        *type = old_types[i].type;
        return SUMI_OK;
    }
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s: of the class %s, networks with \"norm_type\" \"ada_norm_zero\" (DiT) "
                        "and \"ada_norm_single\" (PixArt) are supported, not \"%.80s\"",
                        source, OLD_NAME, norm);
}

static sumi_status find_type(sumi_context *context, json_object *given, const char *source,
                             const struct net_type **type)
{
    const char *name = net_type_unet_2d.class_name;
    if (!json_object_is_type(given, json_type_object)) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: a network's config should be a JSON object, {...}", source);
    }
    TRY(json_get_text(context, given, source, "_class_name", &name));
    if (strcmp(name, OLD_NAME) == 0) return find_old_type(context, given, source, type);
    const char *known[TYPE_COUNT + 1] = {NULL};
    for (int i = 0; i < TYPE_COUNT; i++) {
        known[i] = types[i]->class_name;
        if (strcmp(name, known[i]) != 0) continue;
        *type = types[i];
        return SUMI_OK;
    }
    return context_fail(
        context, SUMI_ERROR_UNSUPPORTED,
        "%s: networks of class \"%.80s\" are not supported; the nearest supported class is \"%s\"",
        source, name, text_nearest(name, known));
}

/* Fills a new network from `given`, an object that may lack any key. */
static sumi_status read_config(struct net *net, json_object *given, const char *source)
{
    const struct net_type *type = net->type;
    struct config config;
    net->settings = context_allocate_zeroed(net->context, 1, type->settings_size);
    if (!net->settings) return SUMI_ERROR_MEMORY;
    TRY(config_open(&config, net->context, given, source, type->class_name, type->keys));
    type->read(&config, net);
    memcpy(net->own_shape, net->item_shape, sizeof net->own_shape);
    if (config.status == SUMI_OK) config.status = config_write(&config, &net->config);
    config_close(&config);
    return config.status;
}

/* Of that type, or of any in the table where it is NULL. */
static sumi_status parse_object(sumi_context *context, json_object *given, const char *source,
                                const struct net_type *type, struct net **net)
{
    if (type) TRY(config_check_class(context, given, source, type->class_name));
    else TRY(find_type(context, given, source, &type));
    struct net *fresh = context_allocate_zeroed(context, 1, sizeof *fresh);
    if (!fresh) return SUMI_ERROR_MEMORY;
    fresh->context = context;
    fresh->type = type;
    sumi_status status = read_config(fresh, given, source);
    if (status == SUMI_OK) *net = fresh;
    else net_free(fresh);
    return status;
}

sumi_status net_parse_type(sumi_context *context, const char *json, const char *source,
                           const struct net_type *type, struct net **net)
{
    *net = NULL;
    json_object *given = NULL;
    TRY(json_parse(context, json, strlen(json), source, &given));
    sumi_status status = parse_object(context, given, source, type, net);
    json_object_put(given);
    return status;
}

sumi_status net_parse(sumi_context *context, const char *json, const char *source, struct net **net)
{
    return net_parse_type(context, json, source, NULL, net);
}

void net_free(struct net *net)
{
    if (!net) return;
    context_release(net->context, net->config);
    context_release(net->context, net->settings);
    context_release(net->context, net);
}

/* ---- Size ---- */

static sumi_status check_size(const struct net *net, int axis, int64_t size)
{
    int64_t own = net->item_shape[axis], multiple = net->size_multiple ? net->size_multiple : 1;
    if (own && own != size && !net->any_size) {
        return context_fail(net->context, SUMI_ERROR_ARGUMENT,
                            "this model's items have the size %lld in dimension %d, which cannot "
                            "become %lld",
                            (long long)own, axis, (long long)size);
    }
    if (size < 1 || size > NET_SIZE || size % multiple) {
        return context_fail(net->context, SUMI_ERROR_ARGUMENT,
                            "this model takes items whose sizes are multiples of %lld up to %d, "
                            "not %lld",
                            (long long)multiple, NET_SIZE, (long long)size);
    }
    return SUMI_OK;
}

sumi_status net_set_size(struct net *net, int count, const int64_t *sizes)
{
    if (count != net->item_rank - 1) {
        return context_fail(net->context, SUMI_ERROR_ARGUMENT,
                            "an item of this model has %d sizes besides its channels, not %d",
                            net->item_rank - 1, count);
    }
    for (int i = 0; i < count; i++) TRY(check_size(net, i, sizes[i]));
    for (int i = 0; i < count; i++) net->item_shape[i] = sizes[i];
    return SUMI_OK;
}

double net_resolution(const struct net *net)
{
    double ratio = 1;
    for (int i = 0; i + 1 < net->item_rank; i++)
        if (net->own_shape[i] > 0) ratio *= (double)net->item_shape[i] / (double)net->own_shape[i];
    return ratio > 0 ? ratio : 1;
}

/* ---- Building ---- */

/* Checks one input: the declared rank and sizes, and as many items as x. */
static bool check_input(const struct net *net, sumi_graph *graph, int number,
                        const struct net_nodes *nodes)
{
    const sumi_input *input = &net->inputs[number];
    const char *class_name = net->type->class_name;
    if (nodes->at[number] < 0) {
        if (input->optional) return true;
        graph_fail(graph, "%s: this network needs its input \"%s\" for each item", class_name,
                   input->name);
        return false;
    }
    const struct shape *given = graph_shape(graph, nodes->at[number]);
    struct shape wanted = {.rank = input->rank};
    bool fits = given->rank == input->rank;
    for (int i = 0; i < input->rank; i++) {
        wanted.size[i] = i ? input->shape[i] : graph_shape(graph, nodes->at[NET_X])->size[0];
        fits &= i < given->rank && (wanted.size[i] == 0 || wanted.size[i] == given->size[i]);
    }
    if (fits) return true;
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    graph_fail(graph, "%s: the input \"%s\" should be of shape %s (0: any size), not %s",
               class_name, input->name, shape_text(&wanted, want), shape_text(given, have));
    return false;
}

/* Refuses inputs beyond the declared ones. */
static bool check_others(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    for (int i = net->input_count; i < NET_INPUTS; i++) {
        if (nodes->at[i] < 0) continue;
        graph_fail(graph, "%s: this network takes %d inputs, but more are given",
                   net->type->class_name, net->input_count);
        return false;
    }
    return true;
}

bool net_check_nodes(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    if (nodes->at[NET_X] < 0 || sumi_graph_status(graph) != SUMI_OK) return false;
    for (int i = 0; i < net->input_count; i++) {
        if (!check_input(net, graph, i, nodes)) return false;
    }
    return check_others(net, graph, nodes);
}

sumi_node net_build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    return net_check_nodes(net, graph, nodes) ? net->type->build(net, graph, nodes) : -1;
}

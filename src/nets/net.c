/* SPDX-License-Identifier: Apache-2.0 */
/* The table of network classes, and what they share: reading a config.json, checking the inputs of
   a forward pass. */
#include "nets/net.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

static const struct net_type *const types[] = {&net_type_unet_2d, &net_type_unet_1d, &net_type_mlp};
enum { TYPE_COUNT = sizeof types / sizeof *types };

static sumi_status find_type(sumi_context *context, json_object *given, const char *source,
                             const struct net_type **type)
{
    const char *name = net_type_unet_2d.class_name;
    TRY(json_get_text(context, given, source, "_class_name", &name));
    const char *known[TYPE_COUNT + 1] = {NULL};
    for (int i = 0; i < TYPE_COUNT; i++) {
        known[i] = types[i]->class_name;
        if (strcmp(name, known[i]) != 0) continue;
        *type = types[i];
        return SUMI_OK;
    }
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s: networks of class \"%.80s\" are not known here; the nearest that is "
                        "known is \"%s\"",
                        source, name, text_nearest(name, known));
}

static sumi_status parse_object(sumi_context *context, json_object *given, const char *source,
                                struct net **net)
{
    if (!json_object_is_type(given, json_type_object)) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: a network's config should be a JSON object, {...}", source);
    }
    const struct net_type *type = NULL;
    TRY(find_type(context, given, source, &type));
    struct net *fresh = context_allocate_zeroed(context, 1, sizeof *fresh);
    if (!fresh) return SUMI_ERROR_MEMORY;
    fresh->context = context;
    fresh->type = type;
    sumi_status status = type->parse(fresh, given, source);
    if (status == SUMI_OK) *net = fresh;
    else net_free(fresh);
    return status;
}

sumi_status net_parse(sumi_context *context, const char *json, const char *source, struct net **net)
{
    *net = NULL;
    json_object *given = NULL;
    TRY(json_parse(context, json, strlen(json), source, &given));
    sumi_status status = parse_object(context, given, source, net);
    json_object_put(given);
    return status;
}

void net_free(struct net *net)
{
    if (!net) return;
    context_release(net->context, net->config);
    context_release(net->context, net->settings);
    context_release(net->context, net);
}

/* x[n, item] with the config's channels, times[n]. */
static bool check_data(const struct net *net, sumi_graph *graph, const struct net_inputs *inputs)
{
    int64_t channels = net->item_shape[net->item_rank - 1];
    const struct shape *x = graph_shape(graph, inputs->x);
    const struct shape *times = graph_shape(graph, inputs->times);
    char text[SHAPE_TEXT];
    if (x->rank != net->item_rank + 1 || x->size[x->rank - 1] != channels) {
        graph_fail(graph, "%s: the input should have %d dimensions, the last of size %lld, not %s",
                   net->type->class_name, net->item_rank + 1, (long long)channels,
                   shape_text(x, text));
        return false;
    }
    if (times->rank != 1 || times->size[0] != x->size[0]) {
        graph_fail(graph, "%s: the times should be of shape [%lld], one for each item, not %s",
                   net->type->class_name, (long long)x->size[0], shape_text(times, text));
        return false;
    }
    return true;
}

static bool check_labels(const struct net *net, sumi_graph *graph, const struct net_inputs *inputs)
{
    const char *name = net->type->class_name;
    int64_t items = graph_shape(graph, inputs->x)->size[0];
    if (net->labels == NET_LABELS_NONE) {
        if (inputs->labels < 0) return true;
        graph_fail(graph, "%s: this network takes no labels; its config has no class embedding",
                   name);
        return false;
    }
    if (inputs->labels < 0) {
        graph_fail(graph, "%s: this network needs a label for each item", name);
        return false;
    }
    struct shape expected = {.rank = 1, .size = {items, net->label_size}};
    if (net->labels == NET_LABELS_VECTOR) expected.rank = 2;
    const struct shape *labels = graph_shape(graph, inputs->labels);
    if (shape_equal(labels, &expected)) return true;
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    graph_fail(graph, "%s: the labels should be of shape %s, not %s", name,
               shape_text(&expected, want), shape_text(labels, have));
    return false;
}

sumi_node net_build(const struct net *net, sumi_graph *graph, const struct net_inputs *inputs)
{
    if (inputs->x < 0 || inputs->times < 0 || sumi_graph_status(graph) != SUMI_OK) return -1;
    if (!check_data(net, graph, inputs) || !check_labels(net, graph, inputs)) return -1;
    return net->type->build(net, graph, inputs->x, inputs->times, inputs->labels);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The distance of pictures by the features of a network; see perceptual.h. */
#include "learn/perceptual.h"

#include <string.h>

#include "learn/reconstruction.h"
#include "nets/layers.h"

static const double TINY = 1e-10; /* added to a squared length before it divides */

/* ---- Opening ---- */

static sumi_status check_model(const sumi_model *model, const char *folder, const int64_t *picture)
{
    const struct net *net = model->net;
    char names[160];
    bool fits = net->kind == SUMI_PICTURE && net->item_shape[2] == picture[2];
    for (int axis = 0; axis < 2 && fits && !net->any_size; axis++)
        fits = net->item_shape[axis] == picture[axis];
    if (!fits) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "%s: train.perceptual should be a network of pictures of "
                            "%lldx%lldx%lld",
                            folder, (long long)picture[0], (long long)picture[1],
                            (long long)picture[2]);
    }
    for (int i = NET_TIMES + 1; i < net->input_count; i++) {
        if (net->inputs[i].optional) continue;
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "%s: train.perceptual should be a network that needs nothing but "
                            "pictures, and this one needs \"%s\"",
                            folder, net_input_names(net, names, sizeof names));
    }
    return SUMI_OK;
}

sumi_status perceptual_open(sumi_context *context, const char *folder, const int64_t *picture,
                            sumi_model **model)
{
    *model = NULL;
    if (!folder[0]) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "train.perceptual_weight needs the folder of a network: set "
                            "train.perceptual = FOLDER");
    }
    TRY(sumi_model_open(context, folder, model));
    sumi_status status = check_model(*model, folder, picture);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_model_free(*model);
    *model = NULL;
    return status;
}

/* ---- The network in the graph ---- */

/* The network on x[2n,h,w,c] at time 0, without dropout. */
static void add_network(const sumi_model *model, sumi_graph *graph, sumi_node x)
{
    bool training = graph->training;
    int64_t items = layer_size(graph, x, 0);
    sumi_node times = sumi_op_broadcast(graph, sumi_graph_number(graph, 0), 1, &items);
    const struct net_nodes nodes = net_nodes_of(x, times);
    graph->training = false;
    graph->prefix = PERCEPTUAL_PREFIX;
    net_build(model->net, graph, &nodes);
    graph->prefix = NULL;
    graph->training = training;
}

/* Copies the model's values to the weights of the graph. */
static sumi_status copy_weights(const sumi_model *model, sumi_weights *weights)
{
    size_t length = strlen(PERCEPTUAL_PREFIX);
    for (int64_t i = 0; i < weights->count; i++) {
        struct weight *weight = &weights->items[i];
        if (strncmp(weight->name, PERCEPTUAL_PREFIX, length) != 0) continue;
        int64_t number = weights_find(model->weights, weight->name + length);
        if (number < 0) continue;
        weight->trainable = false;
        TRY(weight_read(model->weights, &model->weights->items[number], weight->data));
    }
    weights_changed(weights);
    return SUMI_OK;
}

/* ---- The distance ---- */

/* The features of each place divided by their length. */
static sumi_node normalise(sumi_graph *graph, sumi_node x)
{
    sumi_node square = sumi_op_sum(graph, sumi_op_multiply(graph, x, x), 1u << 3);
    sumi_node length = sumi_op_sqrt(graph, sumi_op_affine(graph, square, 1, TINY));
    return sumi_op_divide(graph, x, length);
}

/* The distance in features[2n,h,w,c], of which the first half is that of the pictures: [1]. */
static sumi_node distance(sumi_graph *graph, sumi_node features)
{
    struct shape shape = *graph_shape(graph, features);
    int64_t half = shape.size[0] / 2;
    sumi_node unit = normalise(graph, features);
    sumi_node apart = sumi_op_subtract(graph, sumi_op_slice(graph, unit, 0, 0, half),
                                       sumi_op_slice(graph, unit, 0, half, half));
    sumi_node sum = reconstruction_sum(graph, sumi_op_multiply(graph, apart, apart));
    double places = (double)(half * shape.size[1] * shape.size[2]);
    return sumi_op_affine(graph, sum, 1 / places, 0);
}

/* Whether node n has features of each place of all pictures. */
static bool has_features(const sumi_graph *graph, sumi_node n, int64_t items)
{
    const struct shape *shape = graph_shape(graph, n);
    return shape->rank == 4 && shape->size[0] == items;
}

/* The mean distance over the layers that were marked from mark `first` to before `end`. */
static sumi_node add_distances(sumi_graph *graph, int32_t first, int32_t end, int64_t items)
{
    sumi_node sum = -1;
    int layers = 0;
    for (int32_t i = first; i < end; i++) {
        sumi_node features = graph->marks[i] - 1;
        if (!has_features(graph, features, items)) continue;
        sumi_node one = distance(graph, features);
        sum = layers++ ? sumi_op_add(graph, sum, one) : one;
    }
    if (layers) return sumi_op_affine(graph, sum, 1.0 / layers, 0);
    graph_fail(graph, "train.perceptual: the network has no layers with features of places");
    return -1;
}

sumi_node perceptual_build(const sumi_model *model, sumi_graph *graph, sumi_node pictures,
                           sumi_node reconstructions)
{
    int32_t first = graph->mark_count;
    sumi_node both = sumi_op_concat(graph, pictures, reconstructions, 0);
    if (both < 0) return -1;
    add_network(model, graph, both);
    if (graph->status != SUMI_OK) return -1;
    sumi_status status = copy_weights(model, graph->weights);
    if (status != SUMI_OK) {
        graph_fail_with(graph, status);
        return -1;
    }
    return add_distances(graph, first, graph->mark_count, layer_size(graph, both, 0));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A classifier that Sumi has trained (train.objective = classification), at time 0 of its path: the
   logits are those of models/classifier.h, and the features the means over places of the last layer
   that the network marks before its output. */
#include <string.h>

#include "features/features.h"
#include "files/resize.h"
#include "models/classifier.h"
#include "models/model.h"
#include "nets/layers.h"

static const struct option no_options[] = {{.name = NULL}};

sumi_status feature_open_classifier(sumi_features *features, const char *folder)
{
    TRY(sumi_model_open(features->context, folder, &features->model));
    features->weights = features->model->weights;
    return weights_own_all(features->weights);
}

/* The network on x at time 0; *last becomes the last layer that it marked with places of all items,
   -1 where there is none. */
static sumi_node add_network(const sumi_features *features, sumi_graph *graph, sumi_node x,
                             sumi_node *last)
{
    int64_t items = layer_size(graph, x, 0);
    sumi_node times = sumi_op_broadcast(graph, sumi_graph_number(graph, 0), 1, &items);
    const struct net_nodes nodes = net_nodes_of(x, times);
    int32_t first = graph->mark_count;
    sumi_node output = net_build(features->model->net, graph, &nodes);
    *last = -1;
    for (int32_t i = first; i < graph->mark_count; i++) {
        const struct shape *shape = graph_shape(graph, graph->marks[i] - 1);
        if (shape->rank == 4 && shape->size[0] == items) *last = graph->marks[i] - 1;
    }
    return output;
}

/* The mean over places: [n, h, w, c] to [n, c]. */
static sumi_node mean_of_places(sumi_graph *graph, sumi_node x)
{
    int64_t shape[] = {layer_size(graph, x, 0), layer_size(graph, x, 3)};
    return sumi_op_reshape(graph, sumi_op_mean(graph, x, 1u << 1 | 1u << 2), 2, shape);
}

static sumi_node build(const sumi_features *features, sumi_graph *graph, sumi_node x)
{
    sumi_node last = -1, output = add_network(features, graph, x, &last);
    if (output < 0) return -1;
    if (features->options.output == FEATURE_VECTOR)
        return mean_of_places(graph, last >= 0 ? last : output);
    sumi_node mean = sumi_op_affine(graph, mean_of_places(graph, output), 1 / CLASSIFIER_LIMIT, 0);
    return sumi_op_affine(graph, sumi_op_tanh(graph, mean), CLASSIFIER_LIMIT, 0);
}

/* Builds the network once to find the width of its features. */
static sumi_status count_features(sumi_features *features)
{
    const int64_t *item = features->shape;
    int64_t shape[] = {1, item[0], item[1], item[2]};
    sumi_graph *graph = NULL;
    TRY(sumi_graph_create(features->context, features->weights, false, &graph));
    sumi_node result = build(features, graph, sumi_graph_input(graph, "pictures", 4, shape));
    sumi_status status = sumi_graph_status(graph);
    if (status == SUMI_OK) features->count = layer_size(graph, result, 1);
    sumi_graph_free(graph);
    return status;
}

static sumi_status read_all(sumi_features *features, const char *config, const char *source)
{
    const struct net *net = features->model->net;
    sumi_classifier *classifier = NULL;
    (void)config, (void)source;
    TRY(sumi_classifier_create(features->context, features->model, &classifier));
    features->classes = sumi_classifier_classes(classifier);
    sumi_classifier_free(classifier);
    bool pictures = net->kind == SUMI_PICTURE && net->item_rank == 3;
    int64_t channels = pictures ? net->item_shape[2] : 0;
    if (channels != 1 && channels != 3)
        return context_fail(features->context, SUMI_ERROR_ARGUMENT,
                            "%s: features need a classifier of grey or coloured pictures",
                            features->path);
    memcpy(features->shape, net->item_shape, sizeof features->shape);
    return count_features(features);
}

/* Bytes of three channels as one, the luminance of ITU-R BT.601, which leaves greys as they are. */
static void to_grey(int64_t places, const uint8_t *bytes, float *values)
{
    for (int64_t i = 0; i < places; i++)
        values[i] = 0.299f * bytes[3 * i] + 0.587f * bytes[3 * i + 1] + 0.114f * bytes[3 * i + 2];
}

static sumi_status prepare(const sumi_features *features, int height, int width,
                           const uint8_t *bytes, float *input)
{
    const struct resize how = {.filter = RESIZE_BILINEAR, .antialias = true};
    struct resize_size given = {height, width}, wanted = {features->shape[0], features->shape[1]};
    int64_t channels = features->shape[2], places = (int64_t)height * width;
    int64_t count = wanted.height * wanted.width * channels;
    float *values =
        context_allocate(features->context, (size_t)(places * channels), sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    if (channels == 1) to_grey(places, bytes, values);
    for (int64_t i = 0; channels == 3 && i < 3 * places; i++) values[i] = bytes[i];
    sumi_status status = SUMI_OK;
    if (given.height == wanted.height && given.width == wanted.width)
        memcpy(input, values, (size_t)count * sizeof *input);
    else status = resize_floats(features->context, &how, given, channels, values, wanted, input);
    for (int64_t i = 0; i < count; i++) input[i] = input[i] * (2 / 255.0f) - 1;
    context_release(features->context, values);
    return status;
}

const struct feature_kind feature_classifier = {.name = "classifier",
                                                .options = no_options,
                                                .read = read_all,
                                                .build = build,
                                                .prepare = prepare};

/* SPDX-License-Identifier: Apache-2.0 */
/* SumiMLPModel: a residual network of linear layers for points [n, d]. Each layer is
   x + linear_2(activation(linear_1(x) + time_emb_proj(activation(embedding)))). */
#include "nets/layers.h"
#include "nets/net.h"
#include "nets/time_embedding.h"

enum { CHANNEL_LIMIT = 1 << 16, WIDTH_LIMIT = 1 << 14, DEPTH_LIMIT = 256 };

struct mlp {
    int64_t in_channels, out_channels, width, depth;
    double dropout;
    enum layer_activation activation;
    struct time_settings time;
};

static const struct config_key keys[] = {
    TIME_KEYS,        {"in_channels", "2"}, {"out_channels", "null"}, /* null: in_channels */
    {"width", "128"}, {"depth", "4"},       {"dropout", "0.0"},       {"act_fn", "\"silu\""},
    {NULL, NULL}};

static void read_all(struct config *config, struct net *net)
{
    struct mlp *mlp = net->settings;
    mlp->in_channels = config_whole(config, "in_channels", 1, CHANNEL_LIMIT);
    mlp->out_channels = config_whole_or(config, "out_channels", 1, CHANNEL_LIMIT, mlp->in_channels);
    mlp->width = config_whole(config, "width", 1, WIDTH_LIMIT);
    mlp->depth = config_whole(config, "depth", 1, DEPTH_LIMIT);
    mlp->dropout = config_number(config, "dropout", 0, 0.999);
    mlp->activation = layer_activation_read(config, "act_fn");
    net_declare_item(net, SUMI_POINTS, &mlp->in_channels);
    time_read(config, mlp->width, &mlp->time, net);
    net->out_channels = mlp->out_channels;
}

/* x[n, width] through layer `number`; time[n, time width] is activated. */
static sumi_node build_layer(sumi_graph *graph, const struct mlp *mlp, int64_t number, sumi_node x,
                             sumi_node time)
{
    char name[NAME_SIZE], part[NAME_SIZE];
    layer_name(name, "", "layers.%lld", (long long)number);
    sumi_node shift =
        layer_linear(graph, layer_name(part, name, "time_emb_proj"), time, mlp->width);
    sumi_node h = layer_linear(graph, layer_name(part, name, "linear_1"), x, mlp->width);
    h = layer_activate(graph, mlp->activation, sumi_op_add(graph, h, shift));
    if (mlp->dropout > 0) h = sumi_op_dropout(graph, h, mlp->dropout);
    h = layer_linear(graph, layer_name(part, name, "linear_2"), h, mlp->width);
    return sumi_op_add(graph, x, h);
}

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const struct mlp *mlp = net->settings;
    sumi_node embedding = time_embedding(graph, &mlp->time, net, nodes);
    sumi_node time = layer_activate(graph, mlp->activation, embedding);
    sumi_node x = layer_linear(graph, "linear_in", nodes->at[NET_X], mlp->width);
    sumi_graph_mark(graph);
    for (int64_t i = 0; i < mlp->depth; i++) {
        x = build_layer(graph, mlp, i, x, time);
        sumi_graph_mark(graph);
    }
    x = layer_linear(graph, "linear_out", layer_activate(graph, mlp->activation, x),
                     mlp->out_channels);
    return time_scale_output(graph, &mlp->time, nodes->at[NET_TIMES], x);
}

const struct net_type net_type_mlp = {.class_name = "SumiMLPModel",
                                      .pipeline = "SumiPipeline",
                                      .keys = keys,
                                      .settings_size = sizeof(struct mlp),
                                      .read = read_all,
                                      .build = build};

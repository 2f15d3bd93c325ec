/* SPDX-License-Identifier: Apache-2.0 */
/* Denoising networks, and networks with the same inputs, on a record's inputs: what a peer calls
   each of them. */
#include <stdio.h>
#include <string.h>

#include "nets/controlnet.h"
#include "nets/latte.h"
#include "vectors/network.h"

/* A peer's name of an input, and Sumi's: the first of them that the network declares. */
static const struct {
    const char *name, *own[4];
} names[] = {
    {"sample", {"x"}},
    {"hidden_states", {"x"}},
    {"timestep", {"times"}},
    {"class_labels", {"class", "class_time", "embedding"}},
    {"encoder_hidden_states", {"states"}},
    {"encoder_attention_mask", {"states_mask"}},
    {"attention_mask", {"states_mask"}},
    {"pooled_projections", {"pooled"}},
    {"text_embeds", {"pooled"}},
    {"proj_embedding", {"pooled"}},
    {"timestep_cond", {"guidance"}},
    {"controlnet_cond", {"control"}},
};
enum { NAMES = sizeof names / sizeof *names };

/* The number of the network's input for the record's; -1 for none. */
static int find_input(const struct net *net, const char *name)
{
    for (int i = 0; i < NAMES; i++) {
        if (strcmp(names[i].name, name) != 0) continue;
        for (int k = 0; k < 4 && names[i].own[k]; k++) {
            int number = net_find_input(net, names[i].own[k]);
            if (number >= 0) return number;
        }
    }
    return net_find_input(net, name);
}

/* Items of images, signals and fields have their channels first at the peer, those of sequences
   last, and those of CogVideoX behind the frames. */
static int channel_axis(const struct net *net, int number)
{
    int rank = net->inputs[number].rank;
    if (number != NET_X) return rank >= 4 ? 1 : -1;
    if (net->kind == SUMI_SEQUENCE) return -1;
    if (net->type == &net_type_cogvideox) return 2;
    return rank >= 3 ? 1 : -1;
}

/* Whether the record's input is an array that a network takes: not a plain value, at which those
   who build look, nor figures of what a network computes itself. */
static bool is_array(json_object *input)
{
    return vectors_get(input, "formula") || vectors_get(input, "values");
}

/* Channels of the record's x that the network takes by an input of their own. */
static void part_channels(struct network *network, const struct net *net, struct net_nodes *nodes)
{
    int64_t own = net->item_shape[net->item_rank - 1];
    int axis = net->item_rank;
    sumi_node whole = nodes->at[NET_X];
    if (!net->like_x || nodes->at[net->like_x] >= 0) return;
    int64_t all = graph_shape(network->graph, whole)->size[axis];
    nodes->at[NET_X] = sumi_op_slice(network->graph, whole, axis, 0, own);
    nodes->at[net->like_x] = sumi_op_slice(network->graph, whole, axis, own, all - own);
}

static bool add_inputs(struct network *network, const struct net *net, struct net_nodes *nodes)
{
    for (int i = 0; i < NET_INPUTS; i++) nodes->at[i] = -1;
    json_object *inputs = vectors_get(network->row->record, "inputs");
    if (!json_object_is_type(inputs, json_type_object))
        return vectors_fail(network->row, "the record has no inputs");
    json_object_object_foreach(inputs, name, input)
    {
        if (!is_array(input)) continue;
        int number = find_input(net, name);
        if (number < 0)
            return vectors_fail(network->row, "the network has no input for \"%s\"", name);
        nodes->at[number] =
            network_input(network, name, net->inputs[number].element, channel_axis(net, number));
        if (nodes->at[number] < 0) return false;
    }
    if (nodes->at[NET_X] >= 0) part_channels(network, net, nodes);
    return true;
}

bool network_build_denoiser(struct network *network)
{
    struct net *net = NULL;
    struct net_nodes nodes;
    if (net_parse(network->context, network->config, "config", &net) != SUMI_OK)
        return network_fail(network);
    bool built = add_inputs(network, net, &nodes);
    json_object *temporal = network_record_input(network, "enable_temporal_attentions");
    if (net->type == &net_type_latte && temporal)
        latte_set_temporal(net, json_object_get_boolean(temporal));
    if (built) {
        sumi_node output = net_build(net, network->graph, &nodes);
        if (output < 0) built = network_fail(network);
        else network_output(network, "sample", output, net->values ? -1 : channel_axis(net, NET_X));
    }
    net_free(net);
    return built;
}

/* The residuals by the record's "conditioning_scale" and, where it is said, without a text. */
static bool add_residuals(struct network *network, const struct net *net,
                          const struct net_nodes *nodes)
{
    json_object *inputs = vectors_get(network->row->record, "inputs");
    struct controlnet_output output;
    float factors[UNET_RESIDUALS + 1];
    int64_t count = controlnet_count(net) + 1;
    json_object *given = vectors_get(inputs, "conditioning_scale");
    controlnet_scales(net, given ? json_object_get_double(given) : 1,
                      json_object_get_boolean(vectors_get(inputs, "guess_mode")), factors);
    sumi_node scales = sumi_graph_constant(network->graph, 1, &count, factors);
    if (!controlnet_build(net, network->graph, nodes, scales, &output))
        return network_fail(network);
    for (int i = 0; i < output.count; i++) {
        char name[32];
        snprintf(name, sizeof name, "down.%d", i);
        network_output(network, name, output.down[i], 1);
    }
    network_output(network, "mid", output.mid, 1);
    return true;
}

bool network_build_controlnet(struct network *network)
{
    struct net *net = NULL;
    struct net_nodes nodes;
    if (controlnet_parse(network->context, network->config, "config", &net) != SUMI_OK)
        return network_fail(network);
    bool built = add_inputs(network, net, &nodes) && add_residuals(network, net, &nodes);
    net_free(net);
    return built;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Denoising networks on a record's inputs: what a peer calls each of their inputs. */
#include <string.h>

#include "nets/net.h"
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
    {"timestep_cond", {"guidance"}},
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

/* Items of images, signals and fields have their channels first at the peer. */
static int channel_axis(const struct net *net, int number)
{
    int rank = net->inputs[number].rank;
    if (number != NET_X) return rank >= 4 ? 1 : -1;
    return rank >= 3 ? 1 : -1;
}

static bool add_inputs(struct network *network, const struct net *net, struct net_nodes *nodes)
{
    for (int i = 0; i < NET_INPUTS; i++) nodes->at[i] = -1;
    json_object *inputs = vectors_get(network->row->record, "inputs");
    if (!json_object_is_type(inputs, json_type_object))
        return vectors_fail(network->row, "the record has no inputs");
    json_object_object_foreach(inputs, name, input)
    {
        (void)input;
        int number = find_input(net, name);
        if (number < 0)
            return vectors_fail(network->row, "the network has no input for \"%s\"", name);
        nodes->at[number] =
            network_input(network, name, net->inputs[number].element, channel_axis(net, number));
        if (nodes->at[number] < 0) return false;
    }
    return true;
}

bool network_build_denoiser(struct network *network)
{
    struct net *net = NULL;
    struct net_nodes nodes;
    if (net_parse(network->context, network->config, "config", &net) != SUMI_OK)
        return network_fail(network);
    bool built = add_inputs(network, net, &nodes);
    if (built) {
        sumi_node output = net_build(net, network->graph, &nodes);
        if (output < 0) built = network_fail(network);
        else network_output(network, "sample", output, channel_axis(net, NET_X));
    }
    net_free(net);
    return built;
}

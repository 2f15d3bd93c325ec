/* SPDX-License-Identifier: Apache-2.0 */
/* A caller's own network as a model: a class of networks whose forward pass is the caller's. It has
   no config.json and cannot be saved as a folder; checkpoints save its weights. */
#include "base/structure.h"
#include "models/model.h"

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const sumi_network *network = net->settings;
    struct shape wanted = *graph_shape(graph, nodes->at[NET_X]);
    sumi_node output = network->build(network->user, graph, nodes->at);
    if (graph->status != SUMI_OK) return -1;
    if (output < 0 || output >= graph->count) {
        graph_fail(graph,
                   "composed network: its build function did not return a node of the graph");
        return -1;
    }
    const struct shape *given = graph_shape(graph, output);
    if (shape_equal(given, &wanted)) return output;
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    graph_fail(graph, "composed network: the prediction should be of x's shape %s, not %s",
               shape_text(&wanted, want), shape_text(given, have));
    return -1;
}

static const struct net_type type_composed = {.class_name = "composed", .build = build};

bool model_is_composed(const sumi_model *model)
{
    return model->net->type == &type_composed;
}

static sumi_status check_network(sumi_context *context, const sumi_network *network)
{
    int64_t size = 1;
    if (!network->build) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "a network needs its build function");
    }
    if (network->rank < 1 || network->rank >= SUMI_MAX_RANK) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "an item of a network has 1 to %d dimensions, not %d",
                            SUMI_MAX_RANK - 1, network->rank);
    }
    for (int i = 0; i < network->rank; i++) {
        if (network->shape[i] < 1 || network->shape[i] > ELEMENT_LIMIT / size) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "dimension %d of a network's item cannot be %lld", i,
                                (long long)network->shape[i]);
        }
        size *= network->shape[i];
    }
    if (!item_type_of_rank(network->rank)) {
        return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                            "there is no kind of items with %d dimensions", network->rank);
    }
    return SUMI_OK;
}

/* Checks one input of the caller's network. */
static sumi_status check_input(sumi_context *context, const struct net *net,
                               const sumi_input *input)
{
    if (!input->name || !input->name[0]) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "an input of a network needs a name");
    }
    if (net_find_input(net, input->name) >= 0) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a network has two inputs named \"%.60s\"", input->name);
    }
    bool fits = input->rank >= 1 && input->rank <= SUMI_MAX_RANK && input->limit >= 0;
    for (int i = 1; i < input->rank && fits; i++) {
        fits = input->shape[i] >= 0 && input->shape[i] < ELEMENT_LIMIT;
    }
    if (fits) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "input \"%.60s\" of a network: it must have 1 to %d dimensions, the first "
                        "for the items, sizes of 0 (any) or more, and a limit of 0 (none) or more",
                        input->name, SUMI_MAX_RANK);
}

static sumi_status declare_inputs(const sumi_network *network, struct net *net)
{
    const int most = NET_INPUTS - NET_TIMES - 1;
    net_declare_item(net, item_type_of_rank(network->rank)->kind, network->shape);
    for (int i = 0; i < network->rank; i++) net->inputs[NET_X].shape[1 + i] = network->shape[i];
    if (network->input_count < 0 || network->input_count > most) {
        return context_fail(net->context, SUMI_ERROR_ARGUMENT,
                            "a network has at most %d inputs beside x and times, not %d", most,
                            network->input_count);
    }
    for (int i = 0; i < network->input_count; i++) {
        const char *given = (const char *)network->inputs + (size_t)i * network->inputs->size;
        sumi_input input;
        TRY(structure_read(net->context, "sumi_input", given, &input, sizeof input));
        TRY(check_input(net->context, net, &input));
        net_declare(net, &input);
    }
    return SUMI_OK;
}

/* Creates the network with a copy of its description. */
static sumi_status make_net(sumi_context *context, const sumi_network *network, struct net **net)
{
    struct net *made = context_allocate_zeroed(context, 1, sizeof *made);
    sumi_network *copy = context_allocate(context, 1, sizeof *copy);
    if (!made || !copy) {
        context_release(context, made);
        context_release(context, copy);
        return SUMI_ERROR_MEMORY;
    }
    *copy = *network;
    *made = (struct net){.context = context,
                         .type = &type_composed,
                         .out_channels = network->shape[network->rank - 1],
                         .settings = copy};
    *net = made;
    return declare_inputs(network, made);
}

sumi_status sumi_model_compose(sumi_context *context, const sumi_network *network, uint64_t seed,
                               sumi_model **model)
{
    sumi_network own;
    *model = NULL;
    TRY(structure_read(context, "sumi_network", network, &own, sizeof own));
    TRY(check_network(context, &own));
    sumi_model *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    sumi_status status = make_net(context, &own, &made->net);
    if (status == SUMI_OK) status = model_make_weights(made, seed);
    if (status == SUMI_OK) status = scheduler_default(context, &made->scheduler);
    if (status == SUMI_OK) *model = made;
    else sumi_model_free(made);
    return status;
}

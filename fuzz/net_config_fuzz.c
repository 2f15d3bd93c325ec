/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes config.json of networks: any bytes as the text of a config; an accepted config must be
   accepted again in its saved form, and is built on the smallest input within a few megabytes. */
#include <string.h>

#include "budget.h"
#include "nets/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MEMORY_LIMIT = 8 << 20, SIZE_LIMIT = 32 };

/* The output for one item of `size` along each spatial axis, or -1. */
static sumi_node build_at(const struct net *net, sumi_graph *graph, int64_t size)
{
    struct net_nodes nodes;
    struct shape shapes[NET_INPUTS] = {{0}};
    shapes[NET_X] = net_input_shape(net, NET_X, 1);
    for (int i = 1; i < net->item_rank; i++) shapes[NET_X].size[i] = size;
    net_add_inputs(net, graph, 1, shapes, &nodes);
    return net_build(net, graph, &nodes);
}

static void build(sumi_context *context, const struct net *net)
{
    sumi_node output = -1;
    for (int64_t size = 1; size <= SIZE_LIMIT && output < 0; size *= 2) {
        sumi_weights *weights = NULL;
        sumi_graph *graph = NULL;
        if (sumi_weights_create(context, 0, &weights) == SUMI_OK
            && sumi_graph_create(context, weights, true, &graph) == SUMI_OK) {
            output = build_at(net, graph, size);
        }
        sumi_graph_free(graph);
        sumi_weights_free(weights);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct budget budget = {MEMORY_LIMIT};
    sumi_allocator allocator = {&budget, budget_allocate, budget_release};
    sumi_context *context = NULL;
    struct net *net = NULL, *again = NULL;
    char *text = calloc(size + 1, 1);
    if (!text || sumi_context_create(&allocator, &context) != SUMI_OK) abort();
    memcpy(text, bytes, size);
    if (net_parse(context, text, "config", &net) == SUMI_OK) {
        sumi_status status = net_parse(context, net->config, "saved", &again);
        if (status != SUMI_OK && status != SUMI_ERROR_MEMORY) abort();
        if (status == SUMI_OK && strcmp(net->config, again->config) != 0) abort();
        build(context, net);
    } else if (!*sumi_context_message(context)) {
        abort();
    }
    net_free(again);
    net_free(net);
    sumi_context_free(context);
    free(text);
    return 0;
}

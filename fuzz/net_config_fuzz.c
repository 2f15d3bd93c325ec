/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes config.json of networks: any bytes as the text of a config; an accepted config must be
   accepted again in its saved form, and is built on the smallest input within a few megabytes. */
#include "config.h"
#include "nets/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SIZE_LIMIT = 32 };

struct sized {
    const struct net *net;
    int64_t size; /* of an item along each spatial axis */
};

/* The output for one item. */
static sumi_status build(void *user, sumi_graph *graph)
{
    const struct sized *sized = user;
    struct net_nodes nodes;
    struct shape shapes[NET_INPUTS] = {{0}};
    shapes[NET_X] = net_input_shape(sized->net, NET_X, 1);
    for (int i = 1; i < sized->net->item_rank; i++) shapes[NET_X].size[i] = sized->size;
    net_add_inputs(sized->net, graph, 1, shapes, &nodes);
    return net_build(sized->net, graph, &nodes) < 0 ? SUMI_ERROR_ARGUMENT : SUMI_OK;
}

static void build_smallest(sumi_context *context, const struct net *net)
{
    struct sized sized = {net, 1};
    while (sized.size <= SIZE_LIMIT && config_build(context, &sized, build) != SUMI_OK)
        sized.size *= 2;
}

static void read_config(sumi_context *context, const char *text)
{
    struct net *net = NULL, *again = NULL;
    if (net_parse(context, text, "config", &net) == SUMI_OK) {
        sumi_status status = net_parse(context, net->config, "saved", &again);
        config_check_again(status, net->config, again ? again->config : NULL);
        build_smallest(context, net);
    } else {
        config_check_refused(context);
    }
    net_free(again);
    net_free(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    config_run(bytes, size, read_config);
    return 0;
}

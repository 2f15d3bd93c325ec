/* SPDX-License-Identifier: Apache-2.0 */
/* The inputs that a network declares by name, and as leaves of a graph. */
#include <stdio.h>
#include <string.h>

#include "nets/net.h"

void net_declare(struct net *net, const sumi_input *input)
{
    net->inputs[net->input_count++] = *input;
}

void net_declare_item(struct net *net, enum sumi_item_kind kind, const int64_t *shape)
{
    int rank = item_type_of(kind)->rank;
    sumi_input x = {.name = "x", .rank = 1 + rank};
    net->kind = kind;
    net->item_rank = rank;
    for (int i = 0; i < rank; i++) net->item_shape[i] = shape[i];
    x.shape[rank] = shape[rank - 1]; /* any spatial size */
    net->input_count = 0;
    net_declare(net, &x);
    net_declare(net, &(sumi_input){.name = "times", .rank = 1});
}

int net_find_input(const struct net *net, const char *name)
{
    for (int i = 0; i < net->input_count; i++) {
        if (strcmp(net->inputs[i].name, name) == 0) return i;
    }
    return -1;
}

const char *net_input_names(const struct net *net, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = NET_TIMES + 1; i < net->input_count && length < size; i++) {
        length += (size_t)snprintf(text + length, size - length, "%s\"%s\"",
                                   i > NET_TIMES + 1 ? ", " : "", net->inputs[i].name);
    }
    return text;
}

int64_t net_classes(const struct net *net)
{
    int number = net_find_input(net, "class");
    return number < 0 ? 0 : net->inputs[number].limit - net->null_class;
}

int64_t net_null_class(const struct net *net)
{
    return net->null_class ? net_classes(net) : -1;
}

struct shape net_input_shape(const struct net *net, int number, int64_t items)
{
    const sumi_input *input = &net->inputs[number];
    struct shape shape = {.rank = input->rank, .size = {items}};
    for (int i = 1; i < input->rank; i++) {
        bool open = input->shape[i] == 0 && (number == NET_X || number == net->like_x);
        shape.size[i] = open ? net->item_shape[i - 1] : input->shape[i];
    }
    return shape;
}

void net_add_inputs(const struct net *net, sumi_graph *graph, int64_t items,
                    const struct shape *shapes, struct net_nodes *nodes)
{
    for (int i = 0; i < NET_INPUTS; i++) nodes->at[i] = -1;
    for (int i = 0; i < net->input_count; i++) {
        bool given = shapes && shapes[i].rank;
        if (!given && net->inputs[i].optional) continue;
        struct shape shape = given ? shapes[i] : net_input_shape(net, i, items);
        nodes->at[i] = sumi_graph_typed_input(graph, net->inputs[i].name, net->inputs[i].element,
                                              shape.rank, shape.size);
    }
}

void net_put_integers(sumi_plan *plan, sumi_node node, int64_t first, int64_t count,
                      const int32_t *values)
{
    int32_t *data = sumi_plan_typed_data(plan, node, SUMI_INT32);
    memcpy(data + first, values, (size_t)count * sizeof *values);
}

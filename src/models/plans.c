/* SPDX-License-Identifier: Apache-2.0 */
/* The plans of a session: the signature of a call, and the graph of the network for it, with
   vector-Jacobian products where they are asked for. */
#include "models/session.h"

struct signature session_signature(const sumi_session *session, enum plan_purpose purpose,
                                   int64_t items)
{
    const struct net *net = session->model->net;
    struct signature signature = {.purpose = purpose,
                                  .items = items,
                                  .threads = session->context->threads,
                                  .bfloat16 = session->precision == PRECISION_BF16
                                              && purpose == PLAN_PREDICTION};
    for (int i = 0; i < net->input_count; i++) {
        struct shape *shape = &signature.shapes[i];
        const struct condition_entry *entry =
            i > NET_TIMES ? condition_find(session->current, net->inputs[i].name) : NULL;
        if (i > NET_TIMES && !entry) continue;
        *shape = net_input_shape(net, i, items);
        for (int axis = 1; entry && axis < entry->rank; axis++)
            shape->size[axis] = entry->shape[axis];
    }
    return signature;
}

/* ---- Creating one ---- */

/* Adds vector-Jacobian products to a graph: v^T d output / d x of each item, by differentiation. */
static sumi_status add_products(struct kept_plan *kept)
{
    sumi_graph *graph = kept->graph;
    struct shape shape = *graph_shape(graph, kept->output);
    kept->vectors = sumi_graph_input(graph, "vectors", shape.rank, shape.size);
    sumi_node along = sumi_op_multiply(graph, kept->output, kept->vectors);
    sumi_node sum = sumi_op_sum(graph, along, (1u << shape.rank) - 1);
    return sumi_graph_gradients(graph, sum, 1, &kept->inputs.at[NET_X], &kept->products);
}

sumi_status session_build_plan(void *user, struct kept_plan *kept)
{
    const sumi_session *session = user;
    const struct signature *signature = &kept->signature;
    const sumi_model *model = session->model;
    bool product = signature->purpose == PLAN_PRODUCT;
    TRY(sumi_graph_create(session->context, model->weights, false, &kept->graph));
    kept->graph->keep_most = product ? 0 : session->cache.memory;
    kept->graph->bfloat16 = signature->bfloat16;
    net_add_inputs(model->net, kept->graph, signature->items, signature->shapes, &kept->inputs);
    kept->output = net_build(model->net, kept->graph, &kept->inputs);
    TRY(sumi_graph_status(kept->graph));
    if (product) TRY(add_products(kept));
    const sumi_node outputs[] = {kept->output, product ? kept->products : -1};
    return sumi_plan_create(kept->graph, product ? 2 : 1, outputs, &kept->plan);
}

void session_forget_plans(sumi_session *session)
{
    plan_cache_forget(&session->cache);
    session->item_memory = 0;
}

sumi_status session_plan(sumi_session *session, const struct signature *signature,
                         struct kept_plan **found)
{
    return plan_cache_get(&session->cache, signature, session->item_memory * signature->items,
                          found);
}

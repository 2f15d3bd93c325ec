/* SPDX-License-Identifier: Apache-2.0 */
/* Reverse-mode differentiation that adds nodes: the gradient of a graph consists of further nodes
   of it, so it can be planned, fused and differentiated again like any other.

   Where the graph asks for it (sumi_graph_set_recompute), the sweep copies each segment when it
   enters it, and propagates adjoints through the copies. Only the forward pass then reads the
   original values, so that a plan can reuse their memory. Values that are read outside their
   segment are not copied. */
#include "ops/ops.h"

/* One differentiation: differentiates through the nodes from `floor` on; those before it are
   constants. */
struct sweep {
    sumi_graph *graph;
    sumi_node loss, floor;
    bool *dependent;         /* [loss + 1] whether the node depends on what is differentiated by */
    sumi_node *adjoints;     /* [loss + 1] d(loss)/d(node) so far, or -1 */
    sumi_node *last_readers; /* [loss + 1] the last node that reads it, or -1 */
    sumi_node *copies;       /* [loss + 1] the node whose value the rules read instead, or -1 while
                                undecided */
};

/* gradients[i] becomes -1 where the loss does not depend on wrt[i]. */
static sumi_status gradients_above(sumi_graph *graph, sumi_node floor, sumi_node loss, int count,
                                   const sumi_node *wrt, sumi_node *gradients);

static void mark_dependent(struct sweep *sweep, int count, const sumi_node *wrt)
{
    for (int i = 0; i < count; i++) {
        if (wrt[i] <= sweep->loss) sweep->dependent[wrt[i]] = true;
    }
    for (sumi_node n = sweep->floor; n <= sweep->loss; n++) {
        const struct node *node = graph_node(sweep->graph, n);
        for (int i = 0; i < node->input_count; i++) {
            if (sweep->dependent[node->inputs[i]]) sweep->dependent[n] = true;
            sweep->last_readers[node->inputs[i]] = n;
        }
    }
}

/* A node like n that reads the copies of its inputs. */
static sumi_node copy_node(struct sweep *sweep, sumi_node n)
{
    const struct node *node = graph_node(sweep->graph, n);
    struct attributes attributes = node->attributes;
    sumi_node inputs[MAX_INPUTS];
    for (int i = 0; i < node->input_count; i++) {
        sumi_node copy = sweep->copies[node->inputs[i]];
        inputs[i] = copy < 0 ? node->inputs[i] : copy;
    }
    return graph_append(sweep->graph, node->op, node->input_count, inputs, &attributes);
}

/* Chooses what the rules read instead of node n and the other nodes of its segment. Leaves are
   never copied. */
static void find_copies(struct sweep *sweep, sumi_node n)
{
    sumi_graph *graph = sweep->graph;
    sumi_node first = n, end = n + 1;
    bool inside = graph->recompute && graph_find_segment(graph, n, &first, &end)
                  && first >= sweep->floor && end <= sweep->loss;
    for (sumi_node i = inside ? first : n; i < (inside ? end : n + 1); i++) {
        bool stays =
            !inside || !graph_node(graph, i)->op->reference || sweep->last_readers[i] >= end;
        sweep->copies[i] = stays ? i : copy_node(sweep, i);
        if (sweep->copies[i] < 0) sweep->copies[i] = i; /* the graph has recorded the failure */
    }
}

static void accumulate(sumi_graph *graph, sumi_node *slot, sumi_node contribution)
{
    if (contribution < 0) return;
    *slot = *slot < 0 ? contribution : sumi_op_add(graph, *slot, contribution);
}

/* Propagates the adjoint of node n to its inputs by the op's rule. */
static void propagate(struct sweep *sweep, sumi_node n)
{
    sumi_graph *graph = sweep->graph;
    sumi_node gradients[MAX_INPUTS];
    for (int i = 0; i < MAX_INPUTS; i++) gradients[i] = -1;
    const struct op *op = graph_node(graph, n)->op;
    if (!op->gradient) {
        graph_fail(graph, "%s: its derivative is not defined", op->name);
        return;
    }
    op->gradient(graph, sweep->copies[n], sweep->adjoints[n], gradients);
    for (int i = 0; i < graph_node(graph, n)->input_count; i++) {
        sumi_node input = graph_node(graph, n)->inputs[i];
        if (sweep->dependent[input]) accumulate(graph, &sweep->adjoints[input], gradients[i]);
    }
}

/* The same for an op with an expansion: builds it and differentiates it by the op's inputs, with
   these and the adjoint as constants. */
static void propagate_expanded(struct sweep *sweep, sumi_node n)
{
    sumi_graph *graph = sweep->graph;
    sumi_node inputs[MAX_INPUTS], copies[MAX_INPUTS], gradients[MAX_INPUTS];
    sumi_node copy = sweep->copies[n];
    int count = 0;
    for (int i = 0; i < graph_node(graph, n)->input_count; i++) {
        sumi_node input = graph_node(graph, n)->inputs[i];
        bool repeated = false;
        for (int j = 0; j < count; j++) repeated |= inputs[j] == input;
        if (!sweep->dependent[input] || repeated) continue;
        copies[count] = graph_node(graph, copy)->inputs[i];
        inputs[count++] = input;
    }
    sumi_node floor = graph->count;
    sumi_node expanded = graph_node(graph, copy)->op->expand(graph, copy);
    sumi_node product = sumi_op_multiply(graph, expanded, sweep->adjoints[n]);
    if (product < 0) return;
    unsigned all = (1u << graph_shape(graph, product)->rank) - 1;
    sumi_node scalar = sumi_op_sum(graph, product, all);
    if (gradients_above(graph, floor, scalar, count, copies, gradients) != SUMI_OK) return;
    for (int i = 0; i < count; i++) accumulate(graph, &sweep->adjoints[inputs[i]], gradients[i]);
}

static sumi_status run_sweep(struct sweep *sweep)
{
    sumi_graph *graph = sweep->graph;
    sweep->adjoints[sweep->loss] = ops_filled(graph, graph_shape(graph, sweep->loss), 1);
    for (sumi_node n = sweep->loss; n >= sweep->floor && graph->status == SUMI_OK; n--) {
        bool used = sweep->adjoints[n] >= 0 && sweep->dependent[n];
        if (!used || !graph_node(graph, n)->input_count) continue;
        if (sweep->copies[n] < 0) find_copies(sweep, n);
        if (graph_node(graph, n)->op->expand) propagate_expanded(sweep, n);
        else propagate(sweep, n);
    }
    return graph->status;
}

static sumi_status gradients_above(sumi_graph *graph, sumi_node floor, sumi_node loss, int count,
                                   const sumi_node *wrt, sumi_node *gradients)
{
    TRY(graph->status);
    size_t size = (size_t)loss + 1;
    struct sweep sweep = {.graph = graph, .loss = loss, .floor = floor};
    sweep.dependent = context_allocate_zeroed(graph->context, size, sizeof *sweep.dependent);
    sumi_node *numbers = context_allocate(graph->context, size, 3 * sizeof *numbers);
    if (sweep.dependent && numbers) {
        sweep.adjoints = numbers;
        sweep.last_readers = numbers + size;
        sweep.copies = numbers + 2 * size;
        for (size_t i = 0; i < 3 * size; i++) numbers[i] = -1;
        mark_dependent(&sweep, count, wrt);
        run_sweep(&sweep);
    } else {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
    }
    for (int i = 0; i < count && graph->status == SUMI_OK; i++) {
        gradients[i] = wrt[i] <= loss ? sweep.adjoints[wrt[i]] : -1;
    }
    context_release(graph->context, sweep.dependent);
    context_release(graph->context, numbers);
    return graph->status;
}

sumi_status sumi_graph_gradients(sumi_graph *graph, sumi_node loss, int count, const sumi_node *wrt,
                                 sumi_node *gradients)
{
    TRY(graph->status);
    if (loss < 0 || loss >= graph->count || shape_count(graph_shape(graph, loss)) != 1) {
        return graph_fail(graph, "gradients: the loss must be a node with one element");
    }
    for (int i = 0; i < count; i++) {
        if (wrt[i] < 0 || wrt[i] >= graph->count) {
            return graph_fail(graph, "gradients: number %d is not a node of this graph", i);
        }
    }
    TRY(gradients_above(graph, 0, loss, count, wrt, gradients));
    for (int i = 0; i < count; i++) {
        if (gradients[i] < 0) gradients[i] = ops_filled(graph, graph_shape(graph, wrt[i]), 0);
    }
    return graph->status;
}

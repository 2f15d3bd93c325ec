/* Reverse-mode differentiation that emits graph: the gradient of a graph is more graph, so it can
   be planned, fused and differentiated again like any other. */
#include "graph/graph.h"

/* One differentiation: the nodes from `floor` on are differentiated through, those before it are
   taken as given. */
struct sweep {
    sumi_graph *graph;
    sumi_node loss, floor;
    bool *dependent;     /* [loss + 1] whether the node depends on what is differentiated by */
    sumi_node *adjoints; /* [loss + 1] d(loss)/d(node) so far, or -1 */
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
        }
    }
}

static void accumulate(sumi_graph *graph, sumi_node *slot, sumi_node contribution)
{
    if (contribution < 0) return;
    *slot = *slot < 0 ? contribution : sumi_op_add(graph, *slot, contribution);
}

/* Passes the adjoint of node n on to its inputs by the op's own rule. */
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
    op->gradient(graph, n, sweep->adjoints[n], gradients);
    for (int i = 0; i < graph_node(graph, n)->input_count; i++) {
        sumi_node input = graph_node(graph, n)->inputs[i];
        if (sweep->dependent[input]) accumulate(graph, &sweep->adjoints[input], gradients[i]);
    }
}

/* The same for an op that is defined by an expansion: builds it and differentiates it by the op's
   inputs, taking these and the adjoint as given. */
static void propagate_expanded(struct sweep *sweep, sumi_node n)
{
    sumi_graph *graph = sweep->graph;
    sumi_node inputs[MAX_INPUTS], gradients[MAX_INPUTS];
    int count = 0;
    for (int i = 0; i < graph_node(graph, n)->input_count; i++) {
        sumi_node input = graph_node(graph, n)->inputs[i];
        bool repeated = false;
        for (int j = 0; j < count; j++) repeated |= inputs[j] == input;
        if (sweep->dependent[input] && !repeated) inputs[count++] = input;
    }
    sumi_node floor = graph->count;
    sumi_node expanded = graph_node(graph, n)->op->expand(graph, n);
    sumi_node product = sumi_op_multiply(graph, expanded, sweep->adjoints[n]);
    if (product < 0) return;
    unsigned all = (1u << graph_shape(graph, product)->rank) - 1;
    sumi_node scalar = sumi_op_sum(graph, product, all);
    if (gradients_above(graph, floor, scalar, count, inputs, gradients) != SUMI_OK) return;
    for (int i = 0; i < count; i++) accumulate(graph, &sweep->adjoints[inputs[i]], gradients[i]);
}

static sumi_status run_sweep(struct sweep *sweep)
{
    sumi_graph *graph = sweep->graph;
    sweep->adjoints[sweep->loss] = graph_filled(graph, graph_shape(graph, sweep->loss), 1);
    for (sumi_node n = sweep->loss; n >= sweep->floor && graph->status == SUMI_OK; n--) {
        bool used = sweep->adjoints[n] >= 0 && sweep->dependent[n];
        if (!used || !graph_node(graph, n)->input_count) continue;
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
    sweep.adjoints = context_allocate(graph->context, size, sizeof *sweep.adjoints);
    if (sweep.dependent && sweep.adjoints) {
        for (size_t i = 0; i < size; i++) sweep.adjoints[i] = -1;
        mark_dependent(&sweep, count, wrt);
        run_sweep(&sweep);
    } else {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
    }
    for (int i = 0; i < count && graph->status == SUMI_OK; i++) {
        gradients[i] = wrt[i] <= loss ? sweep.adjoints[wrt[i]] : -1;
    }
    context_release(graph->context, sweep.dependent);
    context_release(graph->context, sweep.adjoints);
    return graph->status;
}

sumi_status sumi_graph_gradients(sumi_graph *graph, sumi_node loss, int count,
                                 const sumi_node *wrt, sumi_node *gradients)
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
        if (gradients[i] < 0) gradients[i] = graph_filled(graph, graph_shape(graph, wrt[i]), 0);
    }
    return graph->status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Creating plans; see plan.h. */
#include <string.h>

#include "base/machine.h"
#include "base/team.h"
#include "graph/plan_inside.h"

/* What kernels keep of constant weights may take one part in KEPT_SHARE of the free memory. */
enum { KEPT_SHARE = 4 };

/* The state of a node while planning. */
struct placement {
    bool needed, output;
    int32_t storage; /* number of the storage of its value; -1 for leaves stored elsewhere */
};

/* The state of plan_create. */
struct planner {
    sumi_plan *plan;
    struct placement *places; /* [node_count] */
    struct span *spans;       /* storages, then scratch spans: [2 * node_count] */
    int32_t span_count;
    int32_t *uses;      /* [node_count] number of computed nodes that read it */
    int32_t *open_uses; /* [2 * node_count] reads of a storage still to come */
    int64_t keep_most;  /* bytes that kernels may keep of constant weights */
};

static bool is_leaf_kept_elsewhere(const sumi_plan *plan, const struct node *node)
{
    return node->op == &op_weight || (node->op == &op_constant && plan->backend->host_memory);
}

/* Whether a value exists before the first step, so that its memory is not shared. */
static bool is_given(const struct node *node)
{
    return node->op == &op_input || node->op == &op_constant;
}

static void mark_needed(struct planner *planner, int count, const sumi_node *outputs)
{
    const sumi_plan *plan = planner->plan;
    for (int i = 0; i < count; i++) {
        planner->places[outputs[i]].needed = true;
        planner->places[outputs[i]].output = true;
    }
    for (sumi_node n = plan->node_count - 1; n >= 0; n--) {
        const struct node *node = &plan->nodes[n];
        if (node->op == &op_input) planner->places[n].needed = true; /* the caller may fill it */
        if (!planner->places[n].needed) continue;
        for (int i = 0; i < node->input_count; i++) {
            planner->places[node->inputs[i]].needed = true;
            planner->uses[node->inputs[i]]++;
        }
    }
}

static void choose_storage(const struct planner *planner, int count, const sumi_node *outputs)
{
    const sumi_plan *plan = planner->plan;
    for (sumi_node n = 0; n < plan->node_count; n++) plan->elements[n] = plan->nodes[n].element;
    if (!plan->graph->bfloat16) return;
    storage_choose(plan->nodes, plan->node_count, planner->uses, count, outputs, plan->elements);
}

/* Whether node n may write over its first input: it reads every element once, is the last reader,
   has the whole storage for itself, and the input is not the caller's. */
static bool may_reuse_input(const struct planner *planner, sumi_node n)
{
    const sumi_plan *plan = planner->plan;
    const struct node *node = &plan->nodes[n];
    if (!node->op->in_place || !node->input_count) return false;
    sumi_node input = node->inputs[0];
    const struct placement *place = &planner->places[input];
    if (place->storage < 0 || plan->nodes[input].op == &op_input) return false;
    for (int i = 1; i < node->input_count; i++) {
        if (node->inputs[i] == input) return false;
    }
    const struct span *span = &planner->spans[place->storage];
    int64_t count = shape_count(&node->shape);
    bool once = shape_count(&plan->nodes[input].shape) == count; /* not repeated by broadcasting */
    bool whole = span->bytes == plan_value_bytes(plan, n);
    return once && whole && planner->open_uses[place->storage] == 1 && span->last != INT32_MAX;
}

static int32_t add_span(struct planner *planner, int64_t bytes, int32_t first, int32_t last)
{
    planner->spans[planner->span_count] = (struct span){bytes, 0, first, last};
    return planner->span_count++;
}

/* Assigns storage to the side outputs that node n is the first to read. */
static void place_side_outputs(struct planner *planner, sumi_node n)
{
    const struct node *node = &planner->plan->nodes[n];
    for (int i = 0; i < node->input_count; i++) {
        const struct node *side_output = &planner->plan->nodes[node->inputs[i]];
        struct placement *place = &planner->places[node->inputs[i]];
        if (side_output->op != &op_side_output || place->storage >= 0) continue;
        int64_t bytes = plan_value_bytes(planner->plan, node->inputs[i]);
        place->storage = add_span(planner, bytes, n, place->output ? INT32_MAX : n);
        planner->open_uses[place->storage] = planner->uses[node->inputs[i]];
    }
}

/* Chooses the storage of node n, and extends the lifetimes of the storages it reads. */
static void place_node(struct planner *planner, sumi_node n)
{
    const sumi_plan *plan = planner->plan;
    const struct node *node = &plan->nodes[n];
    struct placement *place = &planner->places[n];
    if (node->op == &op_side_output) return; /* placed with the op that fills it */
    place_side_outputs(planner, n);
    bool reuse = may_reuse_input(planner, n);
    for (int i = 0; i < node->input_count; i++) {
        int32_t storage = planner->places[node->inputs[i]].storage;
        if (storage < 0) continue;
        if (planner->spans[storage].last < n) planner->spans[storage].last = n;
        planner->open_uses[storage]--;
    }
    if (is_leaf_kept_elsewhere(plan, node)) {
        place->storage = -1;
        return;
    }
    if (node->op->view || reuse) place->storage = planner->places[node->inputs[0]].storage;
    else place->storage = add_span(planner, plan_value_bytes(plan, n), n, n);
    if (place->storage < 0) return; /* a view of a weight or constant */
    planner->open_uses[place->storage] += planner->uses[n];
    struct span *span = &planner->spans[place->storage];
    if (span->last < n) span->last = n;
    if (is_given(node)) span->first = 0;
    if (place->output || is_given(node)) span->last = INT32_MAX;
}

static void place_nodes(struct planner *planner)
{
    const int32_t count = planner->plan->node_count;
    for (sumi_node n = 0; n < count; n++) planner->places[n].storage = -1;
    for (sumi_node n = 0; n < count; n++) {
        if (planner->places[n].needed) place_node(planner, n);
    }
}

/* Whether a node is a weight, or a view of one. */
static bool is_weight(const sumi_plan *plan, sumi_node n)
{
    while (plan->nodes[n].op->view) n = plan->nodes[n].inputs[0];
    return plan->nodes[n].op == &op_weight;
}

/* Makes a step for node n that may keep so many bytes. */
static sumi_status prepare_step(sumi_plan *plan, sumi_node n, int64_t keep_most)
{
    const struct node *node = &plan->nodes[n];
    struct step *step = &plan->steps[plan->step_count];
    *step = (struct step){.kernel = plan->backend->find(node->op)};
    step->problem = (struct problem){.context = plan->context,
                                     .graph = &plan->view,
                                     .node = node,
                                     .shared = plan->shared,
                                     .threads = plan->threads,
                                     .keep_most = keep_most,
                                     .output_element = plan->elements[n]};
    for (int i = 0; i < node->input_count; i++) {
        step->problem.inputs[i] = &plan->nodes[node->inputs[i]].shape;
        step->problem.constant_weights[i] = keep_most > 0 && is_weight(plan, node->inputs[i]);
        step->problem.input_elements[i] = plan->elements[node->inputs[i]];
        step->problem.side_outputs[i] = plan->nodes[node->inputs[i]].op == &op_side_output;
    }
    conversion_choose(step->kernel, &step->problem, &step->conversion);
    plan->step_count++;
    step->call.problem = &step->problem;
    if (step->kernel->prepare) {
        TRY(step->kernel->prepare(&step->problem, &step->call.state, &step->scratch));
    }
    if (step->kernel->kept) plan->kept += step->kernel->kept(step->call.state);
    step->scratch = conversion_place(&step->problem, &step->conversion, step->scratch);
    return SUMI_OK;
}

/* Creates the steps, each with a span for its scratch memory. scratch_spans[step] is its number. */
static sumi_status prepare_steps(struct planner *planner, int32_t *scratch_spans)
{
    sumi_plan *plan = planner->plan;
    for (sumi_node n = 0; n < plan->node_count; n++) {
        const struct node *node = &plan->nodes[n];
        if (!planner->places[n].needed || !node->op->reference || node->op->view) continue;
        TRY(prepare_step(plan, n, planner->keep_most - (int64_t)plan->kept));
        int32_t number = plan->step_count - 1;
        size_t bytes = plan->steps[number].scratch;
        scratch_spans[number] = bytes ? add_span(planner, (int64_t)bytes, n, n) : -1;
    }
    return SUMI_OK;
}

static float *leaf_data(const sumi_plan *plan, const struct node *node)
{
    if (node->op == &op_constant) return node->constant;
    return (float *)weight_values(&plan->graph->weights->items[node->weight]); /* not written */
}

static void resolve_pointers(struct planner *planner, const int32_t *scratch_spans)
{
    sumi_plan *plan = planner->plan;
    for (sumi_node n = 0; n < plan->node_count; n++) {
        const struct node *node = &plan->nodes[n];
        const struct placement *place = &planner->places[n];
        if (!place->needed) continue;
        if (is_leaf_kept_elsewhere(plan, node)) plan->data[n] = leaf_data(plan, node);
        else if (node->op->view) {
            plan->data[n] = (float *)(void *)((char *)plan->data[node->inputs[0]]
                                              + (size_t)node->attributes.view.first
                                                    * element_size(plan->elements[n]));
        } else {
            plan->data[n] = (float *)(void *)(plan->memory + planner->spans[place->storage].offset);
        }
    }
    for (int32_t i = 0; i < plan->step_count; i++) {
        struct step *step = &plan->steps[i];
        const struct node *node = step->problem.node;
        for (int k = 0; k < node->input_count; k++) {
            step->call.inputs[k] = plan->data[node->inputs[k]];
        }
        step->call.output = plan->data[node - plan->nodes];
        if (scratch_spans[i] >= 0) {
            step->call.scratch = plan->memory + planner->spans[scratch_spans[i]].offset;
        }
        conversion_resolve(&step->conversion, &step->call);
    }
}

/* ---- Backends with memory of their own ---- */

/* Allocates host memory for each input and output, and uploads constants. */
static sumi_status make_mirrors(const struct planner *planner)
{
    sumi_plan *plan = planner->plan;
    sumi_context *context = plan->context;
    plan->mirrors = context_allocate_zeroed(context, (size_t)plan->node_count, sizeof(void *));
    if (!plan->mirrors) return SUMI_ERROR_MEMORY;
    for (sumi_node n = 0; n < plan->node_count; n++) {
        const struct node *node = &plan->nodes[n];
        const struct placement *place = &planner->places[n];
        size_t bytes = (size_t)plan_value_bytes(plan, n);
        if (place->needed && node->op == &op_constant) {
            TRY(plan->backend->upload(context, node->constant, bytes, plan->data[n]));
        }
        if (!place->output && node->op != &op_input) continue;
        plan->mirrors[n] = context_allocate_zeroed(context, bytes, 1);
        if (!plan->mirrors[n]) return SUMI_ERROR_MEMORY;
    }
    return SUMI_OK;
}

/* Determines how the weights are stored, and their views; checks that they are finite. */
static sumi_status look_at_weights(struct planner *planner)
{
    sumi_plan *plan = planner->plan;
    sumi_weights *weights = plan->graph->weights;
    for (sumi_node n = 0; n < plan->node_count; n++) {
        struct node *node = &plan->nodes[n];
        if (node->op == &op_weight) {
            node->element = weights->items[node->weight].element;
            if (!planner->places[n].needed) continue;
            TRY(weights_check_finite(plan->context, weights, node->weight));
        } else if (node->op->view) {
            node->element = plan->nodes[node->inputs[0]].element;
        }
    }
    return SUMI_OK;
}

static int64_t memory_to_keep(int64_t asked)
{
    int64_t share = asked > 0 ? machine_free_memory() / KEPT_SHARE : 0;
    return asked < share ? asked : share;
}

/* Takes the lender's memory if it suffices; a backend with memory of its own has constants in
   it. */
static sumi_status take_memory(sumi_plan *plan, size_t bytes)
{
    const sumi_plan *lender = plan->graph->lender;
    plan->borrowed = lender && plan->backend->host_memory && lender->memory_bytes >= bytes;
    plan->memory_bytes = bytes;
    plan->memory = plan->borrowed ? lender->memory : plan->backend->allocate(plan->context, bytes);
    return plan->memory ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static sumi_status build(struct planner *planner, int count, const sumi_node *outputs,
                         int32_t *scratch_spans)
{
    sumi_plan *plan = planner->plan;
    if (plan->backend->rules) {
        TRY(fuse(plan->context, plan->nodes, plan->node_count, count, outputs,
                 plan->backend->rules));
    }
    mark_needed(planner, count, outputs);
    TRY(look_at_weights(planner));
    planner->keep_most = memory_to_keep(plan->graph->keep_most);
    choose_storage(planner, count, outputs);
    place_nodes(planner);
    TRY(prepare_steps(planner, scratch_spans));
    int64_t total = 0;
    TRY(memory_layout(plan->context, planner->spans, planner->span_count, &total));
    TRY(take_memory(plan, (size_t)total));
    resolve_pointers(planner, scratch_spans);
    return plan->backend->host_memory ? SUMI_OK : make_mirrors(planner);
}

static sumi_status allocate(sumi_plan *plan, struct planner *planner, int32_t **scratch_spans)
{
    size_t count = (size_t)plan->node_count;
    sumi_context *context = plan->context;
    plan->nodes = context_allocate(context, count, sizeof *plan->nodes);
    plan->elements = context_allocate_zeroed(context, count, sizeof *plan->elements);
    plan->data = context_allocate_zeroed(context, count, sizeof *plan->data);
    plan->steps = context_allocate_zeroed(context, count, sizeof *plan->steps);
    planner->places = context_allocate_zeroed(context, count, sizeof *planner->places);
    planner->spans = context_allocate(context, 2 * count, sizeof *planner->spans);
    planner->uses = context_allocate_zeroed(context, count, sizeof *planner->uses);
    planner->open_uses = context_allocate_zeroed(context, 2 * count, sizeof *planner->open_uses);
    *scratch_spans = context_allocate(context, count, sizeof **scratch_spans);
    bool complete = plan->nodes && plan->elements && plan->data && plan->steps && planner->places
                    && planner->spans && planner->uses && planner->open_uses && *scratch_spans;
    if (!complete) return SUMI_ERROR_MEMORY;
    memcpy(plan->nodes, plan->graph->nodes, count * sizeof *plan->nodes);
    plan->view = *plan->graph;
    plan->view.nodes = plan->nodes;
    if (plan->graph->weights) plan->layout = plan->graph->weights->layout;
    return SUMI_OK;
}

sumi_status plan_create(sumi_graph *graph, const struct backend *backend, int count,
                        const sumi_node *outputs, sumi_plan **plan)
{
    *plan = NULL;
    TRY(graph->status);
    if (count < 1) return graph_fail(graph, "plan: there is no output to compute");
    for (int i = 0; i < count; i++) {
        if (outputs[i] < 0 || outputs[i] >= graph->count) {
            return graph_fail(graph, "plan: output %d is not a node of this graph", i);
        }
    }
    sumi_context *context = graph->context;
    sumi_plan *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    int most = omp_get_thread_limit(); /* the OpenMP library starts no more */
    *made = (sumi_plan){.context = context,
                        .graph = graph,
                        .backend = backend,
                        .threads = context->threads < most ? context->threads : most,
                        .node_count = graph->count};
    struct planner planner = {.plan = made};
    int32_t *scratch_spans = NULL;
    sumi_status status = backend->open(context, &made->shared);
    if (status == SUMI_OK) status = allocate(made, &planner, &scratch_spans);
    struct team_settings before = team_begin(made->threads);
    if (status == SUMI_OK) status = build(&planner, count, outputs, scratch_spans);
    team_end(before);
    context_release(context, planner.places);
    context_release(context, planner.spans);
    context_release(context, planner.uses);
    context_release(context, planner.open_uses);
    context_release(context, scratch_spans);
    if (status == SUMI_OK) *plan = made;
    else sumi_plan_free(made);
    return status;
}

sumi_status sumi_plan_create(sumi_graph *graph, int count, const sumi_node *outputs,
                             sumi_plan **plan)
{
    return plan_create(graph, graph->context->backend, count, outputs, plan);
}

sumi_status plan_measure(sumi_graph *graph, int count, const sumi_node *outputs, int64_t *bytes)
{
    sumi_context *context = graph->context;
    size_t nodes = (size_t)graph->count;
    sumi_plan plan = {.context = context,
                      .graph = graph,
                      .backend = context->backend,
                      .nodes = graph->nodes,
                      .node_count = graph->count,
                      .elements = context_allocate_zeroed(context, nodes, sizeof *plan.elements)};
    struct planner planner = {
        .plan = &plan,
        .places = context_allocate_zeroed(context, nodes, sizeof *planner.places),
        .spans = context_allocate(context, 2 * nodes, sizeof *planner.spans),
        .uses = context_allocate_zeroed(context, nodes, sizeof *planner.uses),
        .open_uses = context_allocate_zeroed(context, 2 * nodes, sizeof *planner.open_uses)};
    sumi_status status = SUMI_ERROR_MEMORY;
    if (plan.elements && planner.places && planner.spans && planner.uses && planner.open_uses) {
        mark_needed(&planner, count, outputs);
        choose_storage(&planner, count, outputs);
        place_nodes(&planner);
        status = memory_layout(context, planner.spans, planner.span_count, bytes);
    }
    context_release(context, planner.places);
    context_release(context, planner.spans);
    context_release(context, planner.uses);
    context_release(context, planner.open_uses);
    context_release(context, plan.elements);
    return status;
}

void sumi_plan_free(sumi_plan *plan)
{
    if (!plan) return;
    for (int32_t i = 0; i < plan->step_count; i++) {
        struct step *step = &plan->steps[i];
        if (step->kernel->release) step->kernel->release(plan->context, step->call.state);
    }
    plan->backend->close(plan->context, plan->shared);
    context_release(plan->context, plan->nodes);
    context_release(plan->context, plan->elements);
    context_release(plan->context, plan->data);
    context_release(plan->context, plan->steps);
    for (sumi_node n = 0; plan->mirrors && n < plan->node_count; n++) {
        context_release(plan->context, plan->mirrors[n]);
    }
    context_release(plan->context, plan->mirrors);
    if (!plan->borrowed) plan->backend->release(plan->context, plan->memory);
    context_release(plan->context, plan);
}

/* Which values of a plan are stored as bfloat16: in a graph planned so, the results of convolutions
   and what is computed of them, down to the last product before an output. All else is float32:
   what comes from outside, what leaves, statistics, and vectors computed from inputs alone. */
#include "graph/plan.h"

sumi_status precision_read(sumi_context *context, const char *precision, bool *narrow)
{
    *narrow = strcmp(precision, "bf16") == 0;
    if (*narrow || strcmp(precision, "float32") == 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "the precision is \"float32\" or \"bf16\", not \"%s\"", precision);
}

sumi_status sumi_graph_set_precision(sumi_graph *graph, const char *precision)
{
    return precision_read(graph->context, precision, &graph->bfloat16);
}

/* Whether operand `input` of a node has a say in how its result is stored. */
static bool counts(const struct node *nodes, const struct node *node, int input)
{
    const struct node *operand = &nodes[node->inputs[input]];
    while (operand->op->view) operand = &nodes[operand->inputs[0]];
    if (operand->op == &op_weight || operand->op == &op_constant) return false;
    if (operand->op == &op_room) return false; /* a result rather than an operand */
    return operand->op->storage != STORAGE_FLOAT32
           && shape_count(&nodes[node->inputs[input]].shape) == shape_count(&node->shape);
}

static enum element as_operands(const struct node *nodes, const struct node *node,
                                const enum element *elements)
{
    bool any = false;
    for (int i = 0; i < node->input_count; i++) {
        bool narrow = elements[node->inputs[i]] == ELEMENT_BFLOAT16;
        if (!narrow && counts(nodes, node, i)) return ELEMENT_FLOAT32;
        any |= narrow;
    }
    return any ? ELEMENT_BFLOAT16 : ELEMENT_FLOAT32;
}

/* What leads to an output element by element, and to nothing else, is worth float32 as well. The
   marks are made in elements[]: ELEMENT_FLOAT32 where that is settled. */
static void keep_ends(const struct node *nodes, int32_t node_count, const int32_t *uses, int count,
                      const sumi_node *outputs, enum element *elements)
{
    for (int32_t n = 0; n < node_count; n++) elements[n] = ELEMENT_BFLOAT16;
    for (int i = 0; i < count; i++) elements[outputs[i]] = ELEMENT_FLOAT32;
    for (sumi_node n = node_count - 1; n >= 0; n--) {
        const struct node *node = &nodes[n];
        if (elements[n] != ELEMENT_FLOAT32) continue;
        if (node->op->view) elements[node->inputs[0]] = ELEMENT_FLOAT32;
        for (int i = 0; i < node->input_count && node->op->in_place; i++) {
            if (uses[node->inputs[i]] == 1) elements[node->inputs[i]] = ELEMENT_FLOAT32;
        }
    }
}

void storage_choose(const struct node *nodes, int32_t node_count, const int32_t *uses, int count,
                    const sumi_node *outputs, enum element *elements)
{
    keep_ends(nodes, node_count, uses, count, outputs, elements);
    for (sumi_node n = 0; n < node_count; n++) {
        const struct node *node = &nodes[n];
        if (node->op->view) {
            elements[n] = elements[node->inputs[0]];
        } else if (elements[n] == ELEMENT_BFLOAT16) {
            switch (node->op->storage) {
            case STORAGE_AS_OPERANDS: elements[n] = as_operands(nodes, node, elements); break;
            case STORAGE_BFLOAT16: break;
            case STORAGE_FLOAT32: elements[n] = ELEMENT_FLOAT32; break;
            }
        }
    }
}

/* ---- conversions around kernels ---- */

/* Whether the kernel takes the operands of a problem whose elements differ from float32 in
   `narrow`, a mask, just as they are. */
static bool takes(const struct kernel *kernel, const struct problem *problem, unsigned narrow)
{
    unsigned all = NARROW_OUTPUT | (NARROW_INPUT(problem->node->input_count) - 1);
    return (narrow & ~kernel->narrow) == 0 && (!kernel->uniform || narrow == 0 || narrow == all);
}

void conversion_choose(const struct kernel *kernel, struct problem *problem,
                       struct conversion *conversion)
{
    unsigned narrow = problem->output_element == ELEMENT_BFLOAT16 ? NARROW_OUTPUT : 0;
    for (int i = 0; i < problem->node->input_count; i++) {
        if (problem->input_elements[i] == ELEMENT_BFLOAT16) narrow |= NARROW_INPUT(i);
    }
    if (takes(kernel, problem, narrow)) return;
    unsigned converted = kernel->uniform ? narrow : narrow & ~kernel->narrow;
    for (int i = 0; i < problem->node->input_count; i++) {
        conversion->input[i] = converted & NARROW_INPUT(i);
        if (conversion->input[i]) problem->input_elements[i] = ELEMENT_FLOAT32;
    }
    conversion->any = true;
    conversion->output = converted & NARROW_OUTPUT;
    if (conversion->output) problem->output_element = ELEMENT_FLOAT32;
}

/* Takes `bytes` of scratch memory at *end, on a vector's boundary. */
static size_t take(size_t *end, int64_t count)
{
    size_t start = (*end + 63) / 64 * 64;
    *end = start + (size_t)count * sizeof(float);
    return start;
}

size_t conversion_place(const struct problem *problem, struct conversion *conversion,
                        size_t scratch)
{
    for (int i = 0; i < problem->node->input_count; i++) {
        if (conversion->input[i]) {
            conversion->at[i] = take(&scratch, shape_count(problem->inputs[i]));
        }
    }
    if (conversion->output) {
        conversion->at[MAX_INPUTS] = take(&scratch, shape_count(&problem->node->shape));
    }
    return scratch;
}

void conversion_resolve(struct conversion *conversion, struct call *call)
{
    char *scratch = call->scratch;
    for (int i = 0; i < call->problem->node->input_count; i++) {
        if (!conversion->input[i]) continue;
        conversion->narrow_inputs[i] = (const bfloat16 *)(const void *)call->inputs[i];
        call->inputs[i] = (const float *)(void *)(scratch + conversion->at[i]);
    }
    if (!conversion->output) return;
    conversion->narrow_output = (bfloat16 *)(void *)call->output;
    call->output = (float *)(void *)(scratch + conversion->at[MAX_INPUTS]);
}

sumi_status conversion_run(const struct conversion *conversion, const struct backend *backend,
                           const struct kernel *kernel, const struct call *call)
{
    const struct problem *problem = call->problem;
    for (int i = 0; i < problem->node->input_count; i++) {
        if (!conversion->input[i]) continue;
        backend->widen(problem->threads, shape_count(problem->inputs[i]),
                       conversion->narrow_inputs[i], (float *)call->inputs[i]);
    }
    TRY(kernel->run(call));
    if (conversion->output) {
        backend->narrow(problem->threads, shape_count(&problem->node->shape), call->output,
                        conversion->narrow_output);
    }
    return SUMI_OK;
}

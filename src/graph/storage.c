/* SPDX-License-Identifier: Apache-2.0 */
/* Which values of a plan are stored as bfloat16: in a bf16 graph, the results of convolutions and
   of linear layers over positions (tokens or pixels), and what is computed from them, up to the
   last product before an output. Everything else is float32: inputs, outputs, statistics, and
   vectors that are computed only from inputs. */
#include "graph/plan.h"

sumi_status sumi_graph_set_precision(sumi_graph *graph, const char *precision)
{
    bool bf16 = strcmp(precision, "bf16") == 0;
    if (!bf16 && strcmp(precision, "float32") != 0) {
        return context_fail(graph->context, SUMI_ERROR_ARGUMENT,
                            "the precision is \"float32\" or \"bf16\", not \"%s\"", precision);
    }
    graph->bfloat16 = bf16;
    return SUMI_OK;
}

/* Whether a node is a weight or constant, or a view of one. */
static bool is_kept(const struct node *nodes, const struct node *node)
{
    while (node->op->view) node = &nodes[node->inputs[0]];
    return node->op == &op_weight || node->op == &op_constant;
}

/* Whether operand `input` of a node influences how its result is stored. */
static bool counts(const struct node *nodes, const struct node *node, int input)
{
    const struct node *operand = &nodes[node->inputs[input]];
    if (is_kept(nodes, operand)) return false;
    while (operand->op->view) operand = &nodes[operand->inputs[0]];
    if (operand->op == &op_side_output) return false; /* a result rather than an operand */
    if (operand->element == SUMI_INT32) return false;
    return operand->op->storage != STORAGE_FLOAT32
           && shape_count(&nodes[node->inputs[input]].shape) == shape_count(&node->shape);
}

static enum op_storage storage_of(const struct node *node)
{
    return node->attributes.matmul.activations ? STORAGE_BFLOAT16 : node->op->storage;
}

static sumi_element as_operands(const struct node *nodes, const struct node *node,
                                const sumi_element *elements)
{
    bool any = false;
    for (int i = 0; i < node->input_count; i++) {
        bool bf16 =
            elements[node->inputs[i]] == SUMI_BFLOAT16 && !is_kept(nodes, &nodes[node->inputs[i]]);
        if (!bf16 && counts(nodes, node, i)) return SUMI_FLOAT32;
        any |= bf16;
    }
    return any ? SUMI_BFLOAT16 : SUMI_FLOAT32;
}

/* Nodes that only lead to an output, through element-wise ops, are float32 too: marks them in
   elements[] as SUMI_FLOAT32. */
static void keep_ends(const struct node *nodes, int32_t node_count, const int32_t *uses, int count,
                      const sumi_node *outputs, sumi_element *elements)
{
    for (int32_t n = 0; n < node_count; n++) elements[n] = SUMI_BFLOAT16;
    for (int i = 0; i < count; i++) elements[outputs[i]] = SUMI_FLOAT32;
    for (sumi_node n = node_count - 1; n >= 0; n--) {
        const struct node *node = &nodes[n];
        if (elements[n] != SUMI_FLOAT32) continue;
        if (node->op->view) elements[node->inputs[0]] = SUMI_FLOAT32;
        for (int i = 0; i < node->input_count && node->op->in_place; i++) {
            if (uses[node->inputs[i]] == 1) elements[node->inputs[i]] = SUMI_FLOAT32;
        }
    }
}

/* Whether a side output has a value for each pixel of the result of the op that fills it. */
static bool goes_with(const struct shape *side_output, const struct shape *result)
{
    return side_output->rank == result->rank && side_output->rank > 0
           && shape_span(side_output, 0, side_output->rank - 1)
                  == shape_span(result, 0, result->rank - 1);
}

/* Chooses for the side outputs that node n fills, which are those that it is the first to read. */
static void choose_side_outputs(const struct node *nodes, sumi_node n, const int32_t *uses,
                                sumi_element *elements)
{
    const struct node *filler = &nodes[n];
    for (int i = 0; i < filler->input_count; i++) {
        sumi_node side_output = filler->inputs[i];
        if (nodes[side_output].op != &op_side_output
            || !goes_with(&nodes[side_output].shape, &filler->shape))
            continue;
        bool first = true;
        for (sumi_node m = side_output + 1; m < n && first; m++) {
            for (int k = 0; k < nodes[m].input_count && uses[m]; k++) {
                if (nodes[m].inputs[k] == side_output) first = false;
            }
        }
        if (first) elements[side_output] = elements[n];
    }
}

void storage_choose(const struct node *nodes, int32_t node_count, const int32_t *uses, int count,
                    const sumi_node *outputs, sumi_element *elements)
{
    keep_ends(nodes, node_count, uses, count, outputs, elements);
    for (sumi_node n = 0; n < node_count; n++) {
        const struct node *node = &nodes[n];
        if (node->element != SUMI_FLOAT32) {
            elements[n] = node->element;
        } else if (node->op->view) {
            elements[n] = elements[node->inputs[0]];
        } else if (elements[n] == SUMI_BFLOAT16) {
            switch (storage_of(node)) {
            case STORAGE_AS_OPERANDS: elements[n] = as_operands(nodes, node, elements); break;
            case STORAGE_BFLOAT16: break;
            case STORAGE_FLOAT32: elements[n] = SUMI_FLOAT32; break;
            }
        }
        choose_side_outputs(nodes, n, uses, elements);
    }
}

/* ---- conversions around kernels ---- */

/* The operands of a problem that are bfloat16. */
static unsigned bf16_operands(const struct problem *problem)
{
    unsigned bf16 = problem->output_element == SUMI_BFLOAT16 ? BF16_OUTPUT : 0;
    for (int i = 0; i < problem->node->input_count; i++) {
        if (problem->input_elements[i] == SUMI_BFLOAT16) bf16 |= BF16_INPUT(i);
    }
    return bf16;
}

unsigned bf16_together(const struct problem *problem, unsigned operands)
{
    return operands & ~bf16_operands(problem) ? 0 : operands;
}

static unsigned f16_operands(const struct problem *problem)
{
    unsigned f16 = 0;
    for (int i = 0; i < problem->node->input_count; i++) {
        if (problem->input_elements[i] == SUMI_FLOAT16) f16 |= BF16_INPUT(i);
    }
    return f16;
}

void conversion_choose(const struct kernel *kernel, struct problem *problem,
                       struct conversion *conversion)
{
    unsigned bf16 = bf16_operands(problem), f16 = f16_operands(problem);
    if (bf16 && kernel->bf16) bf16 &= ~kernel->bf16(problem);
    unsigned converted = bf16 | (f16 & ~kernel->f16);
    if (!converted) return;
    for (int i = 0; i < problem->node->input_count; i++) {
        conversion->input[i] = converted & BF16_INPUT(i);
        conversion->side_output[i] = conversion->input[i] && problem->side_outputs[i];
        if (!conversion->input[i]) continue;
        conversion->elements[i] = problem->input_elements[i];
        problem->input_elements[i] = SUMI_FLOAT32;
    }
    conversion->any = true;
    conversion->output = converted & BF16_OUTPUT;
    if (conversion->output) problem->output_element = SUMI_FLOAT32;
}

/* Takes `count` floats of scratch memory at *end, aligned for vectors. */
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
        conversion->stored[i] = call->inputs[i];
        call->inputs[i] = (const float *)(void *)(scratch + conversion->at[i]);
    }
    if (!conversion->output) return;
    conversion->bf16_output = (bfloat16 *)(void *)call->output;
    call->output = (float *)(void *)(scratch + conversion->at[MAX_INPUTS]);
}

sumi_status conversion_run(const struct conversion *conversion, const struct backend *backend,
                           const struct kernel *kernel, const struct call *call)
{
    const struct problem *problem = call->problem;
    for (int i = 0; i < problem->node->input_count; i++) {
        if (!conversion->input[i]) continue;
        backend->widen(problem->threads, conversion->elements[i], shape_count(problem->inputs[i]),
                       conversion->stored[i], (float *)call->inputs[i]);
    }
    TRY(kernel->run(call));
    for (int i = 0; i < problem->node->input_count; i++) {
        if (!conversion->side_output[i])
            continue; /* also where it was only read, which writes the same values back */
        backend->to_bf16(problem->threads, shape_count(problem->inputs[i]), call->inputs[i],
                         (bfloat16 *)conversion->stored[i]);
    }
    if (conversion->output) {
        backend->to_bf16(problem->threads, shape_count(&problem->node->shape), call->output,
                         conversion->bf16_output);
    }
    return SUMI_OK;
}

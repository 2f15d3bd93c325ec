/* SPDX-License-Identifier: Apache-2.0 */
/* Fusions into epilogues: what is added to the result of a convolution, of its data gradient or of
   a matrix product, and a factor on it, move into the op (ops/epilogue.h). In a U-Net these are the
   time embedding, the residual paths, and in its gradient the sums over several readers. */
#include "ops/fusion.h"
#include "ops/linear.h"

/* Converts a node, viewed with a shape, to an op with an epilogue: a convolution stays one, a
   product of rows with a matrix becomes a linear layer. */
static bool with_epilogue(const struct node *node, const struct shape *shape, struct node *result)
{
    *result = *node;
    if (node->op == &op_matmul && node->shape.rank == 2 && !node->attributes.matmul.transpose_a) {
        result->op = &op_linear_whole;
        result->attributes.epilogue.parts = 0;
        result->attributes.epilogue.scale = 1;
    }
    if (result->op == &op_linear_whole) {
        int64_t channels = node->shape.size[node->shape.rank - 1];
        if (shape->rank < 1 || shape->size[shape->rank - 1] != channels) return false;
        result->shape = result->attributes.shape = *shape;
        return true;
    }
    bool convolution = node->op == &op_convolution || node->op == &op_convolution_data_gradient;
    return convolution && shape_equal(&node->shape, shape);
}

/* The unused part of the epilogue (of `free`) that adds `operand` to a result of shape `result` by
   broadcasting; 0 if none does. */
static unsigned part_of(const struct shape *operand, const struct shape *result, unsigned free)
{
    int last = result->rank - 1;
    int64_t count = shape_count(operand), channels = result->size[last];
    if (shape_equal(operand, result)) return free & EPILOGUE_RESIDUAL;
    if (operand->rank < 1 || operand->size[operand->rank - 1] != channels) return 0;
    if (count == channels && free & EPILOGUE_BIAS) return EPILOGUE_BIAS;
    bool by_item = operand->rank == result->rank && operand->size[0] == result->size[0];
    return by_item && count == operand->size[0] * channels ? free & EPILOGUE_ITEM : 0;
}

/* Inserts the input for a part among the others. */
static void insert_input(struct node *node, unsigned part, sumi_node operand)
{
    node->attributes.epilogue.parts |= part;
    int place = epilogue_input(node, part);
    for (int i = node->input_count++; i > place; i--) node->inputs[i] = node->inputs[i - 1];
    node->inputs[place] = operand;
}

/* Replaces a sum by the product that computes one of its terms, with the other operand in its
   epilogue. The product is then computed in place of the sum, so it must have no other reader. An
   operand that is computed later must be small, because waiting for a large one would keep the
   product's inputs in memory. */
static bool absorb(struct fusion *fusion, sumi_node sum, sumi_node term, sumi_node operand)
{
    const struct node *node = &fusion->nodes[sum];
    sumi_node product = fusion_source(fusion, term);
    struct node fused;
    if (fusion->uses[product] != 1) return false;
    if (shape_count(&fusion->nodes[product].shape) != shape_count(&node->shape)) return false;
    if (!with_epilogue(&fusion->nodes[product], &node->shape, &fused)) return false;
    if (fused.attributes.epilogue.scale != 1) return false;
    unsigned free = ~fused.attributes.epilogue.parts;
    bool later = operand > product && fusion->nodes[operand].input_count;
    if (later) free &= ~(unsigned)EPILOGUE_RESIDUAL;
    if (fused.op == &op_linear_whole) free &= ~(unsigned)EPILOGUE_ITEM; /* rows are not items */
    unsigned part = part_of(&fusion->nodes[operand].shape, &node->shape, free);
    if (!part) return false;
    insert_input(&fused, part, operand);
    fusion_replace(fusion, sum, &fused);
    return true;
}

static bool apply_added(struct fusion *fusion, sumi_node n)
{
    const struct node *sum = &fusion->nodes[n];
    if (sum->op != &op_add || sum->inputs[0] == sum->inputs[1]) return false;
    sumi_node operands[2] = {sum->inputs[0], sum->inputs[1]};
    return absorb(fusion, n, operands[0], operands[1])
           || absorb(fusion, n, operands[1], operands[0]);
}

const struct fusion_rule fuse_added = {"added", apply_added};

static bool apply_scaled(struct fusion *fusion, sumi_node n)
{
    const struct node *node = &fusion->nodes[n];
    if (node->op != &op_affine || node->attributes.affine.shift != 0) return false;
    sumi_node product = fusion_source(fusion, node->inputs[0]);
    struct node fused;
    if (fusion->uses[product] != 1) return false;
    if (!with_epilogue(&fusion->nodes[product], &node->shape, &fused)) return false;
    fused.attributes.epilogue.scale *= node->attributes.affine.scale;
    fusion_replace(fusion, n, &fused);
    return true;
}

const struct fusion_rule fuse_scaled = {"scaled", apply_scaled};

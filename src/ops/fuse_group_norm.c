/* SPDX-License-Identifier: Apache-2.0 */
/* Fusions of group normalisation: with its moments forward, with its sums backward, so that an item
   is in cache when it is read again; with the residual that is added to its gradient; and with the
   sums over pixels of that gradient, which become the gradients of a bias and of a
   time embedding. */
#include "ops/fusion.h"
#include "ops/group_norm.h"

/* Whether no node between `node` and the fused op that would fill it reads it. */
static bool is_read_after(const struct fusion *fusion, sumi_node node, sumi_node filler)
{
    for (sumi_node n = node + 1; n < filler; n++) {
        const struct node *reader = &fusion->nodes[n];
        for (int i = 0; i < reader->input_count && fusion->uses[n]; i++) {
            if (reader->inputs[i] == node) return false;
        }
    }
    return true;
}

static bool same_norm(const struct node *left, const struct node *right)
{
    const struct attributes *a = &left->attributes, *b = &right->attributes;
    return a->norm.groups == b->norm.groups && a->norm.epsilon == b->norm.epsilon
           && a->norm.silu == b->norm.silu;
}

static bool apply_moments(struct fusion *fusion, sumi_node n)
{
    struct node *norm = &fusion->nodes[n];
    if (norm->op != &op_group_norm) return false;
    sumi_node moments = norm->inputs[1];
    const struct node *made = &fusion->nodes[moments];
    if (made->op != &op_group_moments || made->inputs[0] != norm->inputs[0]) return false;
    if (!same_norm(made, norm) || !is_read_after(fusion, moments, n)) return false;
    fusion_make_side_output(fusion, moments, &made->shape);
    norm->op = &op_group_norm_whole;
    return true;
}

const struct fusion_rule fuse_moments = {"moments", apply_moments};

static bool apply_sums(struct fusion *fusion, sumi_node n)
{
    struct node *node = &fusion->nodes[n];
    if (node->op != &op_group_norm_data_gradient) return false;
    sumi_node sums = node->inputs[5], upstream = node->inputs[4];
    const struct node *made = &fusion->nodes[sums];
    if (made->op != &op_group_norm_sums || !same_norm(made, node)) return false;
    for (int i = 0; i < 5; i++) {
        if (made->inputs[i] != node->inputs[i]) return false;
    }
    if (!is_read_after(fusion, sums, n)) return false;
    fusion_make_side_output(fusion, sums, &made->shape);
    for (int i = 4; i > 0; i--) node->inputs[i] = node->inputs[i - 1];
    node->inputs[BACKWARD_UPSTREAM] = upstream;
    node->op = &op_group_norm_backward;
    node->attributes.epilogue.parts = 0;
    return true;
}

const struct fusion_rule fuse_sums = {"sums", apply_sums};

/* Adds an input to the gradient. */
static void insert_input(struct node *node, unsigned part, sumi_node operand)
{
    node->attributes.epilogue.parts |= part;
    int place = group_norm_backward_input(node, part);
    for (int i = node->input_count++; i > place; i--) node->inputs[i] = node->inputs[i - 1];
    node->inputs[place] = operand;
}

/* Adds the operand to the gradient, which stays in place because its sums are read soon after; the
   sum becomes a view of it. */
static bool absorb(struct fusion *fusion, sumi_node sum, sumi_node gradient, sumi_node operand)
{
    struct node *node = &fusion->nodes[gradient];
    if (node->op != &op_group_norm_backward || fusion->uses[gradient] != 1) return false;
    if (node->attributes.epilogue.parts & (BACKWARD_RESIDUAL | BACKWARD_SECOND)) return false;
    if (!shape_equal(&fusion->nodes[operand].shape, &node->shape)) return false;
    if (operand > gradient) return false;
    insert_input(node, BACKWARD_RESIDUAL, operand);
    fusion_take(fusion, operand);
    fusion_make_view(fusion, sum, gradient, 0);
    return true;
}

static bool apply_residual(struct fusion *fusion, sumi_node n)
{
    const struct node *sum = &fusion->nodes[n];
    if (sum->op != &op_add || !shape_equal(&fusion->nodes[sum->inputs[0]].shape, &sum->shape)) {
        return false;
    }
    sumi_node operands[2] = {sum->inputs[0], sum->inputs[1]};
    return absorb(fusion, n, operands[0], operands[1])
           || absorb(fusion, n, operands[1], operands[0]);
}

const struct fusion_rule fuse_residual = {"residual", apply_residual};

/* The side output for the sums of a gradient's channels, [n, 1, ..., c] of that rank; adds it if
   there is none, -1 where that is impossible. */
static sumi_node columns_of(struct fusion *fusion, sumi_node gradient, int rank)
{
    struct node *node = &fusion->nodes[gradient];
    int input = group_norm_backward_input(node, BACKWARD_COLUMNS);
    if (input) {
        return fusion->nodes[node->inputs[input]].shape.rank == rank ? node->inputs[input] : -1;
    }
    sumi_node side_output = fusion_spare(fusion, gradient);
    if (side_output < 0 || rank < 2) return -1;
    struct shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++) shape.size[i] = 1;
    shape.size[0] = node->shape.size[0];
    shape.size[rank - 1] = node->shape.size[node->shape.rank - 1];
    fusion_make_side_output(fusion, side_output, &shape);
    insert_input(node, BACKWARD_COLUMNS, side_output);
    fusion_take(fusion, side_output);
    return side_output;
}

/* A sum over the pixels of a gradient, of each item or of all. */
static bool apply_columns(struct fusion *fusion, sumi_node n)
{
    struct node *sum = &fusion->nodes[n];
    if (sum->op != &op_sum) return false;
    sumi_node gradient = sum->inputs[0];
    while (fusion_is_view(fusion, gradient)) gradient = fusion->nodes[gradient].inputs[0];
    const struct node *node = &fusion->nodes[gradient];
    if (node->op != &op_group_norm_backward) return false;
    int last = sum->shape.rank - 1;
    int64_t c = node->shape.size[node->shape.rank - 1], count = shape_count(&sum->shape);
    bool by_item = count == node->shape.size[0] * c && sum->shape.size[0] == node->shape.size[0];
    if (sum->shape.size[last] != c || !(by_item || count == c)) return false;
    sumi_node side_output = columns_of(fusion, gradient, sum->shape.rank);
    if (side_output < 0) return false;
    if (by_item) {
        fusion_make_view(fusion, n, side_output, 0);
        return true;
    }
    fusion_take(fusion, side_output);
    fusion_drop(fusion, sum->inputs[0]);
    sum->inputs[0] = side_output;
    sum->attributes.sum.axes = 1;
    return true;
}

const struct fusion_rule fuse_columns = {"columns", apply_columns};

/* SPDX-License-Identifier: Apache-2.0 */
/* Removes a concatenation of channels if all its readers accept the two arrays separately: group
   normalisation and 1x1 convolutions, forward and backward, where the gradients of the two arrays
   are computed separately too. This applies to the skip connections of a U-Net. */
#include "ops/fusion.h"
#include "ops/group_norm.h"
#include "ops/linear.h"

/* The two slices that split a gradient by channels like the two arrays; -1 where there is none. */
struct parting {
    sumi_node gradient; /* what they read: the op's result or a view of it */
    sumi_node first, second;
};

/* Writes the first `capacity` readers of a node to readers; returns their number. */
static int find_readers(const struct fusion *fusion, sumi_node node, int capacity,
                        sumi_node *readers)
{
    int count = 0;
    for (sumi_node n = node + 1; n < fusion->count; n++) {
        bool reads = false;
        for (int i = 0; i < fusion->nodes[n].input_count && fusion->uses[n]; i++) {
            reads |= fusion->nodes[n].inputs[i] == node;
        }
        if (!reads) continue;
        if (count < capacity) readers[count] = n;
        count++;
    }
    return count;
}

static bool is_slice(const struct fusion *fusion, sumi_node n, int64_t first, int64_t channels)
{
    const struct node *slice = &fusion->nodes[n];
    return slice->op == &op_slice && slice->attributes.slice.axis == slice->shape.rank - 1
           && slice->attributes.slice.first == first
           && slice->shape.size[slice->shape.rank - 1] == channels;
}

/* Whether the gradient of node n is read only by two such slices. */
static bool find_parting(const struct fusion *fusion, sumi_node n, int64_t first, int64_t second,
                         struct parting *parting)
{
    sumi_node readers[2];
    *parting = (struct parting){.gradient = n};
    while (fusion->uses[parting->gradient] == 1) {
        if (find_readers(fusion, parting->gradient, 1, readers) != 1) return false;
        if (!fusion_is_view(fusion, readers[0])) return false;
        parting->gradient = readers[0];
    }
    if (fusion->uses[parting->gradient] != 2) return false;
    if (find_readers(fusion, parting->gradient, 2, readers) != 2) return false;
    int order = is_slice(fusion, readers[0], 0, first) ? 0 : 1;
    parting->first = readers[order];
    parting->second = readers[!order];
    return is_slice(fusion, parting->first, 0, first)
           && is_slice(fusion, parting->second, first, second);
}

static bool is_point(const struct fusion *fusion, const struct node *node, int weight)
{
    const sumi_convolution *g = &node->attributes.convolution;
    const struct shape *w = weight ? &fusion->nodes[node->inputs[weight]].shape : &node->shape;
    bool point = w->size[2] == 1 && w->size[3] == 1;
    for (int i = 0; i < 2; i++) {
        point = point && g->stride[i] == 1 && !g->before[i] && !g->after[i];
    }
    return point;
}

/* Whether the node can read a[..., first] and b[..., second] instead of the concatenation. */
static bool can_part(const struct fusion *fusion, sumi_node n, sumi_node concat)
{
    const struct node *node = &fusion->nodes[n], *joined = &fusion->nodes[concat];
    int last = joined->shape.rank - 1, reads = 0;
    for (int i = 0; i < node->input_count; i++) reads += node->inputs[i] == concat;
    if (reads != 1) return false;
    if (node->op == &op_group_norm_whole)
        return node->inputs[0] == concat && node->input_count == 4;
    if (node->op == &op_group_norm_backward) {
        struct parting parting;
        return node->inputs[BACKWARD_X] == concat
               && !(node->attributes.epilogue.parts & (BACKWARD_SECOND | BACKWARD_COLUMNS))
               && fusion_spare(fusion, n) >= 0
               && find_parting(fusion, n, fusion->nodes[joined->inputs[0]].shape.size[last],
                               fusion->nodes[joined->inputs[1]].shape.size[last], &parting);
    }
    if (node->inputs[0] != concat) return false;
    if (node->op == &op_convolution) return is_point(fusion, node, 1);
    return node->op == &op_convolution_weight_gradient && is_point(fusion, node, 0);
}

/* Makes the gradient's result that by the first array, and adds a side output for the second. */
static void part_backward(struct fusion *fusion, sumi_node n, sumi_node a, sumi_node b)
{
    struct node node = fusion->nodes[n];
    int last = node.shape.rank - 1;
    struct shape first = fusion->nodes[a].shape, second = fusion->nodes[b].shape;
    struct parting parting;
    find_parting(fusion, n, first.size[last], second.size[last], &parting);
    sumi_node side_output = fusion_spare(fusion, n);
    fusion_make_side_output(fusion, side_output, &second);
    node.shape = first;
    node.inputs[BACKWARD_X] = a;
    node.attributes.epilogue.parts |= BACKWARD_SECOND;
    int place = group_norm_backward_input(&node, BACKWARD_SECOND);
    for (int i = node.input_count + 1; i > place + 1; i--) node.inputs[i] = node.inputs[i - 2];
    node.inputs[place] = b;
    node.inputs[place + 1] = side_output;
    node.input_count += 2;
    fusion_replace(fusion, n, &node);
    fusion_make_view(fusion, parting.second, side_output, 0);
    fusion_make_view(fusion, parting.first, n, 0);
}

static void part(struct fusion *fusion, sumi_node n, sumi_node a, sumi_node b)
{
    struct node node = fusion->nodes[n];
    if (node.op == &op_group_norm_backward) {
        part_backward(fusion, n, a, b);
        return;
    }
    node.inputs[0] = a;
    if (node.op == &op_group_norm_whole) {
        node.inputs[node.input_count++] = b;
    } else if (node.op == &op_convolution) {
        node.op = &op_linear_whole;
        node.attributes.epilogue.parts |= LINEAR_SECOND;
        node.attributes.matmul.transpose_b = true;
        node.inputs[node.input_count++] = b;
    } else {
        node.op = &op_linear_weight_gradient;
        node.inputs[0] = node.inputs[1];
        node.inputs[1] = a;
        node.inputs[node.input_count++] = b;
    }
    fusion_replace(fusion, n, &node);
}

static bool apply_concat(struct fusion *fusion, sumi_node n)
{
    enum { MANY = 8 };
    const struct node *concat = &fusion->nodes[n];
    if (concat->op != &op_concat || concat->attributes.concat.axis != concat->shape.rank - 1)
        return false;
    sumi_node readers[MANY], a = concat->inputs[0], b = concat->inputs[1];
    int count = find_readers(fusion, n, MANY, readers);
    if (count > MANY || fusion->uses[n] != count) return false;
    for (int i = 0; i < count; i++) {
        if (!can_part(fusion, readers[i], n)) return false;
    }
    for (int i = 0; i < count; i++) part(fusion, readers[i], a, b);
    return true;
}

const struct fusion_rule fuse_concat = {"concat", apply_concat};

/* SPDX-License-Identifier: Apache-2.0 */
/* Group normalisation together with its moments, which it writes to input 1 (a side output): fusion
   combines group_moments and group_norm into it. x may consist of two arrays, the second being
   input 4, where fusion removes a concatenation. */
#include <math.h>

#include "ops/check.h"
#include "ops/group_norm.h"

struct group_norm_pair group_norm_pair_of(const sumi_graph *graph, const struct node *node, int x,
                                          int second)
{
    const struct shape *first = input_shape(graph, node, x);
    int last = first->rank - 1;
    struct group_norm_pair pair = {.n = first->size[0],
                                   .space = shape_span(first, 1, last),
                                   .first = first->size[last],
                                   .groups = node->attributes.norm.groups};
    pair.channels = pair.first + (second ? input_shape(graph, node, second)->size[last] : 0);
    pair.width = pair.channels / pair.groups;
    return pair;
}

static int second_input(const struct node *node)
{
    return node->input_count == 5 ? 4 : 0;
}

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    node->shape = *input_shape(graph, node, 0);
    if (!second_input(node)) return group_norm_check_all(graph, node, 0);
    struct shape like_first = *input_shape(graph, node, 4);
    int64_t *last = &like_first.size[node->shape.rank - 1];
    int64_t more = *last;
    *last = node->shape.size[node->shape.rank - 1];
    if (!shape_equal(&like_first, &node->shape)) {
        return ops_pair_refuse(graph, "group_norm", &node->shape, &like_first,
                               "the two arrays differ in more than their channels");
    }
    node->shape.size[node->shape.rank - 1] += more;
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct group_norm_pair pair = group_norm_pair_of(graph, node, 0, second_input(node));
    const double *second = second_input(node) ? inputs[4] : NULL;
    double *moments = (double *)inputs[1], count = (double)(pair.space * pair.width);
    bool by_item = input_shape(graph, node, 2)->rank == 2;
    for (int64_t item = 0; item < pair.n; item++) {
        for (int64_t g = 0; g < pair.groups; g++) {
            double mean = 0, square = 0;
            for (int64_t i = 0; i < pair.space * pair.width; i++) {
                int64_t pixel = item * pair.space + i / pair.width;
                double x = group_norm_pair_at(&pair, inputs[0], second, pixel,
                                              g * pair.width + i % pair.width);
                mean += x / count;
                square += x * x / count;
            }
            moments[(item * pair.groups + g) * 2] = mean;
            moments[(item * pair.groups + g) * 2 + 1] =
                1 / sqrt(square - mean * mean + node->attributes.norm.epsilon);
        }
    }
    for (int64_t pixel = 0; pixel < pair.n * pair.space; pixel++) {
        for (int64_t c = 0; c < pair.channels; c++) {
            int64_t item = pixel / pair.space, parameter = by_item ? item * pair.channels + c : c;
            const double *moment = moments + (item * pair.groups + c / pair.width) * 2;
            double xhat =
                (group_norm_pair_at(&pair, inputs[0], second, pixel, c) - moment[0]) * moment[1];
            double z = xhat * inputs[2][parameter] + inputs[3][parameter];
            output[pixel * pair.channels + c] = node->attributes.norm.silu ? z / (1 + exp(-z)) : z;
        }
    }
}

/* three operations of the moments, then slope, offset and SiLU */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    double each = node->attributes.norm.silu ? 6.0 : 5.0;
    least->operations = each * (double)shape_count(&node->shape);
}

const struct op op_group_norm_whole = {.name = "group_norm_whole",
                                       .min_inputs = 4,
                                       .max_inputs = 5,
                                       .infer = infer,
                                       .reference = reference,
                                       .cost = cost,
                                       .in_place = true};

/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over blocks of factor[0] by factor[1] pixels of x[n,h,w,c]. Its transpose is upsample. */
#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const int64_t *factor = node->attributes.upsample.factor;
    TRY(ops_rank_expect(graph, node, 0, "the input [n, h, w, c]", 4));
    node->shape = *input_shape(graph, node, 0);
    for (int i = 0; i < 2; i++) {
        int64_t size = node->shape.size[1 + i];
        if (factor[i] < 1 || size % factor[i] != 0) {
            return graph_fail(graph, "block_sum: %lld pixels do not divide into blocks of %lld",
                              (long long)size, (long long)factor[i]);
        }
        node->shape.size[1 + i] = size / factor[i];
    }
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    const struct shape *x = input_shape(graph, node, 0), *y = &node->shape;
    const int64_t *factor = node->attributes.upsample.factor;
    int64_t rows = x->size[0] * x->size[1], channels = x->size[3], count = shape_count(y);
    const double *from = inputs[0];
    for (int64_t i = 0; i < count; i++) output[i] = 0;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t column = 0; column < x->size[2]; column++) {
            int64_t to = (row / factor[0] * y->size[2] + column / factor[1]) * channels;
            for (int64_t c = 0; c < channels; c++) output[to + c] += *from++;
        }
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct attributes attributes = graph_node(graph, node)->attributes;
    gradients[0] = sumi_op_upsample(graph, upstream, attributes.upsample.factor[0],
                                    attributes.upsample.factor[1]);
}

const struct op op_block_sum = {.name = "block_sum",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .infer = infer,
                                .gradient = gradient,
                                .reference = reference,
                                .cost = cost_of_summing};

sumi_node sumi_op_block_sum(sumi_graph *graph, sumi_node x, int64_t down, int64_t across)
{
    struct attributes attributes = {.upsample = {{down, across}}};
    return graph_append(graph, &op_block_sum, 1, &x, &attributes);
}

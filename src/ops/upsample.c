/* SPDX-License-Identifier: Apache-2.0 */
/* Each pixel of x[n,h,w,c] repeated factor[0] times down and factor[1] times across (nearest
   neighbour). Its transpose is block_sum. */
#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    static const int64_t LIMIT = 1 << 20;
    const int64_t *factor = node->attributes.upsample.factor;
    TRY(ops_rank_expect(graph, node, 0, "the input [n, h, w, c]", 4));
    for (int i = 0; i < 2; i++) {
        if (factor[i] < 1 || factor[i] > LIMIT) {
            return graph_fail(graph, "upsample: a factor of %lld is not possible",
                              (long long)factor[i]);
        }
    }
    node->shape = *input_shape(graph, node, 0);
    node->shape.size[1] *= factor[0];
    node->shape.size[2] *= factor[1];
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    const struct shape *x = input_shape(graph, node, 0), *y = &node->shape;
    const int64_t *factor = node->attributes.upsample.factor;
    int64_t rows = y->size[0] * y->size[1], channels = y->size[3];
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t column = 0; column < y->size[2]; column++) {
            int64_t from = (row / factor[0] * x->size[2] + column / factor[1]) * channels;
            for (int64_t c = 0; c < channels; c++) *output++ = inputs[0][from + c];
        }
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct attributes attributes = graph_node(graph, node)->attributes;
    gradients[0] = sumi_op_block_sum(graph, upstream, attributes.upsample.factor[0],
                                     attributes.upsample.factor[1]);
}

const struct op op_upsample = {.name = "upsample",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = reference,
                               .cost = cost_of_moving};

sumi_node sumi_op_upsample(sumi_graph *graph, sumi_node x, int64_t down, int64_t across)
{
    struct attributes attributes = {.upsample = {{down, across}}};
    return graph_append(graph, &op_upsample, 1, &x, &attributes);
}

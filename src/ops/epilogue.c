/* SPDX-License-Identifier: Apache-2.0 */
/* Epilogues of convolutions and matrix products; see epilogue.h. */
#include "ops/epilogue.h"

#include "ops/check.h"

enum { OWN_INPUTS = 2 };

int epilogue_input(const struct node *node, unsigned part)
{
    unsigned mask = node->attributes.epilogue.parts;
    if (!(mask & part)) return -1;
    return OWN_INPUTS + __builtin_popcount(mask & (part - 1));
}

sumi_status epilogue_check(sumi_graph *graph, const struct node *node, const struct shape *result)
{
    int64_t channels = result->size[result->rank - 1], count = shape_count(result);
    const struct {
        unsigned part;
        int64_t count;
        const char *what;
    } parts[] = {{EPILOGUE_BIAS, channels, "the bias is [channels]"},
                 {EPILOGUE_ITEM, result->size[0] * channels, "there is one row for each item"},
                 {EPILOGUE_RESIDUAL, count, "the residual has the shape of the result"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int input = epilogue_input(node, parts[i].part);
        if (input < 0) continue;
        if (input < node->input_count
            && shape_count(input_shape(graph, node, input)) == parts[i].count) {
            continue;
        }
        return ops_pair_refuse(graph, node->op->name, result,
                               input_shape(graph, node, node->input_count - 1), parts[i].what);
    }
    return SUMI_OK;
}

void epilogue_reference(const struct node *node, const double *const *inputs, double *output)
{
    const struct shape *result = &node->shape;
    int64_t channels = result->size[result->rank - 1], count = shape_count(result);
    int64_t item_size = count / result->size[0];
    int bias = epilogue_input(node, EPILOGUE_BIAS), item = epilogue_input(node, EPILOGUE_ITEM);
    int residual = epilogue_input(node, EPILOGUE_RESIDUAL);
    for (int64_t i = 0; i < count; i++) {
        double sum = output[i];
        if (bias >= 0) sum += inputs[bias][i % channels];
        if (item >= 0) sum += inputs[item][i / item_size * channels + i % channels];
        if (residual >= 0) sum += inputs[residual][i];
        output[i] = node->attributes.epilogue.scale * sum;
    }
}

double epilogue_operations(const struct node *node)
{
    int each = __builtin_popcount(node->attributes.epilogue.parts)
               + (node->attributes.epilogue.scale != 1);
    return (double)each * (double)shape_count(&node->shape);
}

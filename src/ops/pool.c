/* SPDX-License-Identifier: Apache-2.0 */
/* The largest or the mean number of each window of x[n,h,w,c]: y[n,oh,ow,c] over the places (ky,
   kx) of a window at (oh stride - before + ky, ow stride - before + kx) that are inside of x;
   places on the padding do not count. It has no derivative. */
#include <math.h>

#include "ops/check.h"
#include "ops/ops.h"
#include "ops/pool.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const sumi_convolution *geometry = &node->attributes.pool.geometry;
    const int64_t *window = node->attributes.pool.window;
    TRY(ops_rank_expect(graph, node, 0, "the input [n, h, w, c]", 4));
    node->shape = *input_shape(graph, node, 0);
    for (int i = 0; i < 2; i++) {
        int64_t size = node->shape.size[1 + i], before = geometry->before[i];
        int64_t after = geometry->after[i], stride = geometry->stride[i];
        bool right = stride > 0 && before >= 0 && after >= 0 && window[i] > before
                     && window[i] > after && window[i] <= size + before + after;
        if (!right)
            return graph_fail(graph, "pool: a window of %lld x %lld does not fit",
                              (long long)window[0], (long long)window[1]);
        node->shape.size[1 + i] = (size + before + after - window[i]) / stride + 1;
    }
    return SUMI_OK;
}

/* Pools all channels of one window. */
static void pool_window(const struct pool_sizes *sizes, const struct pool_window *window,
                        const double *x, double *y)
{
    double places =
        (double)((window->end[0] - window->first[0]) * (window->end[1] - window->first[1]));
    for (int64_t c = 0; c < sizes->channels; c++) {
        double most = -INFINITY, sum = 0;
        for (int64_t row = window->first[0]; row < window->end[0]; row++) {
            for (int64_t column = window->first[1]; column < window->end[1]; column++) {
                double value = x[(row * sizes->width + column) * sizes->channels + c];
                most = fmax(most, value);
                sum += value;
            }
        }
        y[c] = sizes->largest ? most : sum / places;
    }
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct pool_sizes sizes = pool_sizes_of(node, input_shape(graph, node, 0));
    int64_t count = shape_count(&node->shape) / sizes.channels;
    for (int64_t i = 0; i < count; i++) {
        struct pool_window window = pool_window_at(&sizes, i);
        pool_window(&sizes, &window, inputs[0] + window.item * sizes.item_size,
                    output + i * sizes.channels);
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    (void)node, (void)upstream, (void)gradients;
    graph_fail(graph, "pool: networks that pool are evaluated only, they have no derivatives");
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    const int64_t *window = node->attributes.pool.window;
    least->operations = (double)(shape_count(&node->shape) * window[0] * window[1]);
}

const struct op op_pool = {.name = "pool",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .infer = infer,
                           .gradient = gradient,
                           .reference = reference,
                           .cost = cost};

sumi_node ops_pool(sumi_graph *graph, sumi_node x, enum pool_kind kind, const int64_t window[2],
                   const sumi_convolution *geometry)
{
    const struct attributes attributes = {
        .pool = {kind == POOL_LARGEST, {window[0], window[1]}, *geometry}};
    return graph_append(graph, &op_pool, 1, &x, &attributes);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The list of problems; see problems.h. */
#include "problems.h"

#include <math.h>

#include "ops/ops.h"

static sumi_node add_input(sumi_graph *graph, struct parts *parts, const char *name, int rank,
                           const int64_t *shape)
{
    sumi_node node = sumi_graph_input(graph, name, rank, shape);
    parts->inputs[parts->input_count++] = node;
    return node;
}

/* ---- Convolutions ---- */

enum direction { FORWARD, DATA_GRADIENT, WEIGHT_GRADIENT };

static void build_convolution(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                              struct parts *parts, int64_t kernel, enum direction direction)
{
    const int64_t margin = kernel / 2, c = type->channels, size = type->size;
    const sumi_convolution geometry = {{1, 1}, {margin, margin}, {margin, margin}};
    const int64_t image[] = {batch, size, size, c}, taps[] = {c, c, kernel, kernel};
    sumi_node x = add_input(graph, parts, "x", 4, image), result = -1;
    if (direction == WEIGHT_GRADIENT) {
        sumi_node dy = add_input(graph, parts, "dy", 4, image);
        result = ops_convolution_weight_gradient(graph, x, dy, &geometry, kernel, kernel);
    } else {
        sumi_node weight = add_input(graph, parts, "weight", 4, taps);
        result = direction == FORWARD
                     ? sumi_op_convolution(graph, x, weight, -1, &geometry)
                     : sumi_op_convolution_transposed(graph, x, weight, &geometry, size, size);
    }
    parts->outputs[parts->output_count++] = result;
}

static void build_3x3(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                      struct parts *parts)
{
    build_convolution(type, batch, graph, parts, 3, FORWARD);
}

static void build_3x3_data(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                           struct parts *parts)
{
    build_convolution(type, batch, graph, parts, 3, DATA_GRADIENT);
}

static void build_3x3_weight(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                             struct parts *parts)
{
    build_convolution(type, batch, graph, parts, 3, WEIGHT_GRADIENT);
}

static void build_1x1(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                      struct parts *parts)
{
    build_convolution(type, batch, graph, parts, 1, FORWARD);
}

static void build_1x1_data(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                           struct parts *parts)
{
    build_convolution(type, batch, graph, parts, 1, DATA_GRADIENT);
}

static void build_1x1_weight(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                             struct parts *parts)
{
    build_convolution(type, batch, graph, parts, 1, WEIGHT_GRADIENT);
}

/* ---- Gradients ---- */

/* Makes the gradients of sum(y upstream) by inputs[count] the outputs; upstream, of y's shape, is a
   further input. */
static void differentiate(sumi_graph *graph, struct parts *parts, sumi_node y, int count)
{
    if (y < 0) return;
    struct shape shape = *graph_shape(graph, y);
    sumi_node upstream = add_input(graph, parts, "upstream", shape.rank, shape.size);
    sumi_node loss =
        sumi_op_sum(graph, sumi_op_multiply(graph, y, upstream), (1u << shape.rank) - 1);
    sumi_graph_gradients(graph, loss, count, parts->inputs, parts->outputs);
    parts->output_count = count;
}

static sumi_node group_norm(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                            struct parts *parts)
{
    enum { GROUPS = 32 };
    const int64_t image[] = {batch, type->size, type->size, type->channels};
    sumi_node x = add_input(graph, parts, "x", 4, image);
    sumi_node scale = add_input(graph, parts, "scale", 1, &type->channels);
    sumi_node shift = add_input(graph, parts, "shift", 1, &type->channels);
    return sumi_op_group_norm(graph, x, scale, shift, GROUPS, 1e-6, true);
}

static void build_norm(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                       struct parts *parts)
{
    parts->outputs[parts->output_count++] = group_norm(type, batch, graph, parts);
}

static void build_norm_gradient(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                                struct parts *parts)
{
    differentiate(graph, parts, group_norm(type, batch, graph, parts), 3);
}

static sumi_node attention(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                           struct parts *parts)
{
    const int64_t rows[] = {batch, type->size * type->size, type->channels};
    sumi_node q = add_input(graph, parts, "q", 3, rows);
    sumi_node k = add_input(graph, parts, "k", 3, rows);
    sumi_node v = add_input(graph, parts, "v", 3, rows);
    return sumi_op_attention(graph, q, k, v, 1, 1 / sqrt((double)type->channels));
}

static void build_attention(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                            struct parts *parts)
{
    parts->outputs[parts->output_count++] = attention(type, batch, graph, parts);
}

static void build_attention_gradient(const struct problem_type *type, int64_t batch,
                                     sumi_graph *graph, struct parts *parts)
{
    differentiate(graph, parts, attention(type, batch, graph, parts), 3);
}

static sumi_node linear(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                        struct parts *parts)
{
    const int64_t c = type->channels, rows[] = {batch, type->size * type->size, c};
    const int64_t matrix[] = {c, c};
    sumi_node x = add_input(graph, parts, "x", 3, rows);
    sumi_node weight = add_input(graph, parts, "weight", 2, matrix);
    sumi_node bias = add_input(graph, parts, "bias", 1, &c);
    return sumi_op_linear(graph, x, weight, bias);
}

static void build_linear(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                         struct parts *parts)
{
    parts->outputs[parts->output_count++] = linear(type, batch, graph, parts);
}

static void build_linear_gradient(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                                  struct parts *parts)
{
    differentiate(graph, parts, linear(type, batch, graph, parts), 3);
}

/* Winograd's transforms lose a little more than one digit, which the tolerance of 3x3 convolutions
   includes. */
#define EXACT 1e-5
#define WINOGRAD 1e-4

#define CONVOLUTION(size, channels, batch)                                                         \
    {"3x3 convolution", size, channels, batch, WINOGRAD, build_3x3},                               \
        {"3x3 data gradient", size, channels, batch, WINOGRAD, build_3x3_data},                    \
    {                                                                                              \
        "3x3 weight gradient", size, channels, batch, WINOGRAD, build_3x3_weight                   \
    }

const struct problem_type problems[] = {
    CONVOLUTION(28, 64, 128),
    CONVOLUTION(32, 128, 16),
    CONVOLUTION(16, 256, 16),
    CONVOLUTION(8, 256, 16),
    {"1x1 convolution", 16, 256, 16, EXACT, build_1x1},
    {"1x1 data gradient", 16, 256, 16, EXACT, build_1x1_data},
    {"1x1 weight gradient", 16, 256, 16, EXACT, build_1x1_weight},
    {"group norm and SiLU", 32, 128, 16, EXACT, build_norm},
    {"group norm and SiLU, gradient", 32, 128, 16, EXACT, build_norm_gradient},
    {"group norm and SiLU", 16, 256, 16, EXACT, build_norm},
    {"group norm and SiLU, gradient", 16, 256, 16, EXACT, build_norm_gradient},
    {"attention, 1 head", 16, 256, 16, EXACT, build_attention},
    {"attention, 1 head, gradient", 16, 256, 16, EXACT, build_attention_gradient},
    {"linear", 16, 256, 16, EXACT, build_linear},
    {"linear, gradient", 16, 256, 16, EXACT, build_linear_gradient},
    {"linear", 16, 1152, 2, EXACT, build_linear},
    {"linear", 16, 384, 16, EXACT, build_linear},
    {"linear, gradient", 16, 384, 16, EXACT, build_linear_gradient},
};
const int problem_count = (int)(sizeof problems / sizeof *problems);

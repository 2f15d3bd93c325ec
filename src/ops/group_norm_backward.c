/* SPDX-License-Identifier: Apache-2.0 */
/* The whole gradient of group normalisation in one op, into which fusion combines group_norm_sums,
   group_norm_data_gradient and their neighbours. Its result is the gradient by x, plus a residual.
   Its side outputs are the sums, the gradient by a second array of x's channels, and the sums of
   its result over pixels, for the bias of the convolution that computed x. */
#include "ops/check.h"
#include "ops/group_norm.h"

int group_norm_backward_input(const struct node *node, unsigned part)
{
    unsigned mask = node->attributes.epilogue.parts, before = mask & (part - 1);
    if (!(mask & part)) return 0;
    return BACKWARD_INPUTS + __builtin_popcount(before) + (before & BACKWARD_SECOND ? 1 : 0);
}

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *upstream = input_shape(graph, node, BACKWARD_UPSTREAM);
    node->shape = *input_shape(graph, node, BACKWARD_X);
    int second = group_norm_backward_input(node, BACKWARD_SECOND), last = node->shape.rank - 1;
    int64_t channels = node->shape.size[last];
    if (second) channels += input_shape(graph, node, second)->size[last];
    if (upstream->rank == last + 1 && upstream->size[last] == channels) return SUMI_OK;
    return ops_pair_refuse(graph, "group_norm", &node->shape, upstream,
                           "the input and the upstream gradient have one shape");
}

/* The values that the loops below need at each element. */
struct element {
    double xhat, d, scale, inverse;
};

static struct element element_at(const sumi_graph *graph, const struct node *node,
                                 const struct group_norm_pair *pair, const double *const *inputs,
                                 int64_t pixel, int64_t c)
{
    int second = group_norm_backward_input(node, BACKWARD_SECOND);
    bool by_item = input_shape(graph, node, BACKWARD_MOMENTS + 1)->rank == 2;
    int64_t item = pixel / pair->space, parameter = by_item ? item * pair->channels + c : c;
    const double *moment = inputs[BACKWARD_MOMENTS] + (item * pair->groups + c / pair->width) * 2;
    double x =
        group_norm_pair_at(pair, inputs[BACKWARD_X], second ? inputs[second] : NULL, pixel, c);
    struct element e = {.xhat = (x - moment[0]) * moment[1],
                        .scale = inputs[BACKWARD_MOMENTS + 1][parameter],
                        .inverse = moment[1]};
    double z = e.xhat * e.scale + inputs[BACKWARD_MOMENTS + 2][parameter];
    e.d = inputs[BACKWARD_UPSTREAM][pixel * pair->channels + c]
          * group_norm_slope(z, node->attributes.norm.silu);
    return e;
}

/* The sums first, then the gradient that needs them. */
static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    int second = group_norm_backward_input(node, BACKWARD_SECOND);
    int residual = group_norm_backward_input(node, BACKWARD_RESIDUAL);
    int columns = group_norm_backward_input(node, BACKWARD_COLUMNS);
    struct group_norm_pair pair = group_norm_pair_of(graph, node, BACKWARD_X, second);
    double *sums = (double *)inputs[BACKWARD_SUMS];
    int64_t c = pair.channels, pixels = pair.n * pair.space;
    for (int64_t i = 0; i < 2 * pair.n * c; i++) sums[i] = 0;
    for (int64_t i = 0; columns && i < pair.n * pair.first; i++) ((double *)inputs[columns])[i] = 0;
    for (int64_t i = 0; i < pixels * c; i++) {
        struct element e = element_at(graph, node, &pair, inputs, i / c, i % c);
        int64_t cell = i / c / pair.space * c + i % c;
        sums[cell] += e.d;
        sums[pair.n * c + cell] += e.d * e.xhat;
    }
    for (int64_t i = 0; i < pixels * c; i++) {
        int64_t pixel = i / c, channel = i % c, item = pixel / pair.space;
        struct element e = element_at(graph, node, &pair, inputs, pixel, channel);
        double means[2] = {0, 0}, count = (double)(pair.space * pair.width);
        int64_t group = channel - channel % pair.width;
        for (int64_t k = group; k < group + pair.width; k++) {
            double scale = element_at(graph, node, &pair, inputs, pixel, k).scale;
            means[0] += scale * sums[item * c + k] / count;
            means[1] += scale * sums[(pair.n + item) * c + k] / count;
        }
        double dx = e.inverse * (e.d * e.scale - means[0] - e.xhat * means[1]);
        if (residual) dx += inputs[residual][i];
        if (channel >= pair.first) {
            int64_t more = c - pair.first;
            ((double *)inputs[second + 1])[pixel * more + channel - pair.first] = dx;
            continue;
        }
        output[pixel * pair.first + channel] = dx;
        if (columns) ((double *)inputs[columns])[item * pair.first + channel] += dx;
    }
}

/* the sums' operations and the gradient's, of which both need xhat, z and the slope */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    double each = node->attributes.norm.silu ? 17.0 : 11.0;
    double count = (double)shape_count(input_shape(graph, node, BACKWARD_UPSTREAM));
    int parts = 3 + (group_norm_backward_input(node, BACKWARD_RESIDUAL) ? 1 : 0);
    least->operations = each * count;
    least->bytes = parts * count * (double)sizeof(float);
}

const struct op op_group_norm_backward = {.name = "group_norm_backward",
                                          .min_inputs = BACKWARD_INPUTS,
                                          .max_inputs = BACKWARD_INPUTS + 4,
                                          .infer = infer,
                                          .reference = reference,
                                          .cost = cost,
                                          .in_place = true};

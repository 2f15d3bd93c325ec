/* SPDX-License-Identifier: Apache-2.0 */
/* Layers; see layers.h. Initial values are torch's: weights and biases of linears and
   convolutions uniform within 1/sqrt(fan), norms 1 and 0, embeddings normal. */
#include "nets/layers.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

const char *layer_name(char name[NAME_SIZE], const char *parent, const char *format, ...)
{
    int used = snprintf(name, NAME_SIZE, "%s%s", parent, *parent ? "." : "");
    if (used < 0 || used >= NAME_SIZE) return name;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name + used, (size_t)(NAME_SIZE - used), format, arguments);
    va_end(arguments);
    return name;
}

int64_t layer_size(const sumi_graph *graph, sumi_node x, int axis)
{
    return x < 0 ? 1 : graph_shape(graph, x)->size[axis];
}

static int64_t last_size(const sumi_graph *graph, sumi_node x)
{
    return x < 0 ? 1 : layer_size(graph, x, graph_shape(graph, x)->rank - 1);
}

static sumi_node vector_weight(sumi_graph *graph, const char *layer, const char *member,
                               int64_t size, sumi_start start, double scale)
{
    char name[NAME_SIZE];
    return sumi_graph_weight(graph, layer_name(name, layer, "%s", member), 1, &size, start, scale);
}

static const double NORMAL_DEVIATION = 0.02;

/* How a start is named in the graph, with the scale of a weight [out, in]. */
static sumi_start start_of(enum layer_start start, int64_t in, int64_t out, double *scale)
{
    *scale = start == LAYER_START_XAVIER   ? (double)(in + out) / 6
             : start == LAYER_START_NORMAL ? NORMAL_DEVIATION
                                           : (double)in;
    if (start == LAYER_START_ZERO) return SUMI_START_ZERO;
    return start == LAYER_START_NORMAL ? SUMI_START_NORMAL : SUMI_START_FAN_IN;
}

sumi_node layer_linear_of(sumi_graph *graph, const char *name, sumi_node x, int64_t out,
                          const struct layer_linear *kind)
{
    if (x < 0) return -1;
    char weight_name[NAME_SIZE];
    double scale = 0;
    int64_t in = last_size(graph, x), shape[2] = {out, in};
    sumi_start start = start_of(kind->start, in, out, &scale);
    sumi_start bias_start = kind->start == LAYER_START_TORCH ? SUMI_START_FAN_IN : SUMI_START_ZERO;
    sumi_node weight =
        sumi_graph_weight(graph, layer_name(weight_name, name, "weight"), 2, shape, start, scale);
    sumi_node bias =
        kind->bias ? vector_weight(graph, name, "bias", out, bias_start, (double)in) : -1;
    return sumi_op_linear(graph, x, weight, bias);
}

sumi_node layer_linear(sumi_graph *graph, const char *name, sumi_node x, int64_t out)
{
    return layer_linear_of(graph, name, x, out, &(struct layer_linear){true, LAYER_START_TORCH});
}

struct layer_window layer_same(int rank, int64_t kernel)
{
    return (struct layer_window){rank, kernel, 1, kernel / 2, kernel / 2};
}

/* The kernel in the layout of the convolution, [out, in, kh, kw]. */
static sumi_node kernel_weight(sumi_graph *graph, const char *layer, int64_t out, int64_t in,
                               const struct layer_window *window, sumi_start start, double fan)
{
    char name[NAME_SIZE];
    int64_t k = window->kernel, stored[4] = {out, in, k, k};
    sumi_node weight = sumi_graph_weight(graph, layer_name(name, layer, "weight"), 2 + window->rank,
                                         stored, start, fan);
    if (window->rank == 2) return weight;
    return sumi_op_reshape(graph, weight, 4, (int64_t[]){out, in, 1, k});
}

/* NAME.weight, and NAME.bias if `biased`, both with that start. */
static sumi_node convolve(sumi_graph *graph, const char *name, sumi_node x, bool biased,
                          sumi_start start, int64_t out, const struct layer_window *window)
{
    if (x < 0) return -1;
    int64_t in = last_size(graph, x);
    double fan = (double)(in * window->kernel * (window->rank == 2 ? window->kernel : 1));
    sumi_node weight = kernel_weight(graph, name, out, in, window, start, fan);
    sumi_node bias = biased ? vector_weight(graph, name, "bias", out, start, fan) : -1;
    sumi_convolution geometry = {.stride = {window->stride, window->stride},
                                 .before = {window->before, window->before},
                                 .after = {window->after, window->after}};
    if (window->rank == 1) {
        geometry.stride[0] = 1;
        geometry.before[0] = geometry.after[0] = 0;
    }
    return sumi_op_convolution(graph, x, weight, bias, &geometry);
}

sumi_node layer_convolution(sumi_graph *graph, const char *name, sumi_node x, int64_t out,
                            const struct layer_window *window)
{
    return convolve(graph, name, x, true, SUMI_START_FAN_IN, out, window);
}

sumi_node layer_convolution_plain(sumi_graph *graph, const char *name, sumi_node x, int64_t out,
                                  const struct layer_window *window)
{
    return convolve(graph, name, x, false, SUMI_START_FAN_IN, out, window);
}

sumi_node layer_convolution_zero(sumi_graph *graph, const char *name, sumi_node x, int64_t out,
                                 const struct layer_window *window)
{
    return convolve(graph, name, x, true, SUMI_START_ZERO, out, window);
}

sumi_node layer_group_norm(sumi_graph *graph, const char *name, sumi_node x,
                           const struct layer_norm *norm, bool silu)
{
    if (x < 0) return -1;
    int64_t channels = last_size(graph, x);
    sumi_node scale = vector_weight(graph, name, "weight", channels, SUMI_START_ONE, 0);
    sumi_node shift = vector_weight(graph, name, "bias", channels, SUMI_START_ZERO, 0);
    return sumi_op_group_norm(graph, x, scale, shift, norm->groups, norm->epsilon, silu);
}

sumi_node layer_layer_norm(sumi_graph *graph, const char *name, sumi_node x, double epsilon)
{
    if (x < 0) return -1;
    int64_t channels = last_size(graph, x);
    sumi_node scale = vector_weight(graph, name, "weight", channels, SUMI_START_ONE, 0);
    sumi_node shift = vector_weight(graph, name, "bias", channels, SUMI_START_ZERO, 0);
    return sumi_op_layer_norm(graph, x, scale, shift, epsilon);
}

sumi_node layer_embedding(sumi_graph *graph, const char *name, sumi_node indices, int64_t rows,
                          int64_t width, double deviation)
{
    char weight_name[NAME_SIZE];
    int64_t shape[2] = {rows, width};
    sumi_node table = sumi_graph_weight(graph, layer_name(weight_name, name, "weight"), 2, shape,
                                        SUMI_START_NORMAL, deviation);
    return sumi_op_gather(graph, table, indices);
}

sumi_node layer_mlp(sumi_graph *graph, const char *name, sumi_node x, const struct layer_mlp *mlp)
{
    char part[NAME_SIZE];
    const struct layer_linear kind = {true, mlp->start};
    x = layer_linear_of(graph, layer_name(part, name, "linear_1"), x, mlp->inner, &kind);
    x = layer_activate(graph, mlp->activation, x);
    return layer_linear_of(graph, layer_name(part, name, "linear_2"), x, mlp->width, &kind);
}

sumi_node layer_time_mlp(sumi_graph *graph, const char *name, sumi_node x, int64_t width,
                         enum layer_start start)
{
    return layer_mlp(graph, name, x, &(struct layer_mlp){width, width, LAYER_SILU, start});
}

sumi_node layer_over_pixels(sumi_graph *graph, sumi_node x)
{
    int64_t shape[4] = {layer_size(graph, x, 0), 1, 1, last_size(graph, x)};
    return sumi_op_reshape(graph, x, 4, shape);
}

sumi_node layer_sequence(sumi_graph *graph, sumi_node x)
{
    int64_t shape[3] = {layer_size(graph, x, 0), layer_size(graph, x, 1) * layer_size(graph, x, 2),
                        layer_size(graph, x, 3)};
    return sumi_op_reshape(graph, x, 3, shape);
}

sumi_node layer_mask_bias(sumi_graph *graph, const char *class_name, sumi_node states,
                          sumi_node mask)
{
    const double hidden = 10000; /* subtracted from the score of a padded token, as by diffusers */
    if (mask < 0 || states < 0) return -1;
    int64_t shape[4] = {layer_size(graph, mask, 0), 1, 1, layer_size(graph, mask, 1)};
    if (shape[3] != layer_size(graph, states, 1)) {
        graph_fail(graph, "%s: \"states_mask\" is for %lld tokens, but \"states\" has %lld",
                   class_name, (long long)shape[3], (long long)layer_size(graph, states, 1));
        return -1;
    }
    return sumi_op_reshape(graph, sumi_op_affine(graph, mask, hidden, -hidden), 4, shape);
}

static const struct {
    const char *name;
    enum layer_activation activation;
} activations[] = {{"silu", LAYER_SILU},
                   {"swish", LAYER_SILU},
                   {"mish", LAYER_MISH},
                   {"gelu", LAYER_GELU},
                   {"relu", LAYER_RELU}};
enum { ACTIVATION_COUNT = sizeof activations / sizeof *activations };

enum layer_activation layer_activation_read(struct config *config, const char *key)
{
    const char *names[ACTIVATION_COUNT + 1] = {NULL};
    json_object *value = json_object_object_get(config->object, key);
    const char *text =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
    for (int i = 0; i < ACTIVATION_COUNT; i++) {
        names[i] = activations[i].name;
        if (strcasecmp(text, activations[i].name) == 0) return activations[i].activation;
    }
    return activations[config_choice(config, key, names)].activation;
}

sumi_node layer_activate(sumi_graph *graph, enum layer_activation activation, sumi_node x)
{
    switch (activation) {
    case LAYER_SILU: return sumi_op_silu(graph, x);
    case LAYER_MISH: return sumi_op_mish(graph, x);
    case LAYER_GELU: return sumi_op_gelu(graph, x);
    case LAYER_RELU: return sumi_op_relu(graph, x);
    }
    return -1;
}

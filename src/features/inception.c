/* SPDX-License-Identifier: Apache-2.0 */
/* Inception-v3 (Szegedy et al. 2016) as the FID has it (Heusel et al. 2017): torchvision's network
   and names of tensors with the pooling of the TensorFlow graph of 2015, whose means leave out the
   padding and whose last block takes the largest number in place of the mean. The 2048 features are
   means over the last places. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "features/features.h"
#include "files/resize.h"
#include "nets/layers.h"
#include "ops/ops.h"

enum { SIDE = 299, WIDTH = 2048, CLASSES = 1008 };
static const double EPSILON = 0.001;

static const struct option options[] = {
    {CHOICE_OPTION("resize", "torch-fidelity", "torch-fidelity|pytorch-fid",
                   "how pictures get 299 x 299 pixels: bilinearly, from the corner as TensorFlow 1 "
                   "does, or from the centre as torch does"),
     offsetof(struct feature_options, resize)},
    {.name = NULL},
};

/* In the order of the choices. */
enum { RESIZE_AS_TENSORFLOW, RESIZE_AS_TORCH };

/* ---- Pictures ---- */

/* Between which two places of a side a pixel lies, and how near it is to the second. */
struct place {
    int low, high;
    float share;
};

static struct place place_of(int pixel, int source)
{
    float at = (float)pixel * ((float)source / (float)SIDE);
    int low = (int)at < source ? (int)at : source - 1;
    return (struct place){low, low + 1 < source ? low + 1 : low, at - (float)low};
}

/* TensorFlow 1 takes place i * scale for pixel i. */
static void resize_from_corner(int height, int width, const uint8_t *bytes, float *input)
{
    for (int y = 0; y < SIDE; y++) {
        struct place down = place_of(y, height);
        const uint8_t *upper = bytes + 3 * width * down.low, *lower = bytes + 3 * width * down.high;
        for (int i = 0; i < 3 * SIDE; i++) {
            struct place across = place_of(i / 3, width);
            int left = 3 * across.low + i % 3, right = 3 * across.high + i % 3;
            float top = upper[left] + (float)(upper[right] - upper[left]) * across.share;
            float bottom = lower[left] + (float)(lower[right] - lower[left]) * across.share;
            input[3 * SIDE * y + i] = top + (bottom - top) * down.share;
        }
    }
}

static sumi_status resize_from_centre(sumi_context *context, int height, int width,
                                      const uint8_t *bytes, float *input)
{
    const struct resize bilinear = {.filter = RESIZE_BILINEAR};
    size_t count = 3 * (size_t)height * (size_t)width;
    float *values = context_allocate(context, count, sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) values[i] = bytes[i];
    sumi_status status = resize_floats(context, &bilinear, (struct resize_size){height, width}, 3,
                                       values, (struct resize_size){SIDE, SIDE}, input);
    context_release(context, values);
    return status;
}

/* Bytes b become (b - 128) / 128 for torch-fidelity, 2 b / 255 - 1 for pytorch-fid. */
static sumi_status prepare(const sumi_features *features, int height, int width,
                           const uint8_t *bytes, float *input)
{
    bool corner = features->options.resize == RESIZE_AS_TENSORFLOW;
    float unit = corner ? 1 / 128.0f : 2 / 255.0f;
    if (corner) resize_from_corner(height, width, bytes, input);
    else TRY(resize_from_centre(features->context, height, width, bytes, input));
    for (int i = 0; i < SIDE * SIDE * 3; i++) input[i] = input[i] * unit - 1;
    return SUMI_OK;
}

/* ---- Weights, with each batch norm multiplied into its convolution ---- */

static const safetensors_tensor *find_of(const sumi_features *features, const char *stem,
                                         const char *child)
{
    char name[NAME_SIZE];
    return safetensors_find(features->file, layer_name(name, stem, "%s", child));
}

/* "Mixed_5b.branch1x1" of "Mixed_5b.branch1x1.conv.weight". */
static void stem_of(const char *name, char stem[NAME_SIZE])
{
    const char *end = strstr(name, ".conv.");
    snprintf(stem, NAME_SIZE, "%.*s", end ? (int)(end - name) : 0, name);
}

/* A weight has twice the place of its tensor, and a convolution's bias that and one. */
static sumi_status find(void *user, const char *name, const struct shape *shape, size_t *place)
{
    sumi_features *features = user;
    char stem[NAME_SIZE], part[NAME_SIZE];
    static const char *const parts[] = {"bn.weight", "bn.bias", "bn.running_mean",
                                        "bn.running_var"};
    const struct shape row = {1, {shape->size[0]}};
    size_t unused;
    stem_of(name, stem);
    for (int i = 0; i < 4 && stem[0]; i++) {
        layer_name(part, stem, "%s", parts[i]);
        TRY(feature_find_tensor(features, part, &row, &unused));
    }
    if (!stem[0] || shape->rank != 1) {
        TRY(feature_find_tensor(features, name, shape, place));
        *place *= 2;
        return SUMI_OK;
    }
    const safetensors_tensor *weight = find_of(features, stem, "conv.weight");
    *place = 2 * (size_t)(weight - safetensors_tensor_at(features->file, 0)) + 1;
    return SUMI_OK;
}

/* The numbers of a batch norm of `channels`: scale and shift of what the convolution gives. */
static sumi_status read_norm(sumi_features *features, const char *stem, int64_t channels,
                             float *numbers, double *scale, double *shift)
{
    static const char *const parts[] = {"bn.weight", "bn.bias", "bn.running_mean",
                                        "bn.running_var"};
    for (int i = 0; i < 4; i++) {
        const safetensors_tensor *tensor = find_of(features, stem, parts[i]);
        size_t place = (size_t)(tensor - safetensors_tensor_at(features->file, 0));
        TRY(feature_read_tensor(features, place, numbers + i * channels));
    }
    const float *variance = numbers + 3 * channels;
    for (int64_t i = 0; i < channels; i++) {
        if (!(variance[i] >= 0))
            return context_fail(features->context, SUMI_ERROR_FORMAT,
                                "%s: a variance of \"%s.bn\" is below 0", features->path, stem);
        scale[i] = numbers[i] / sqrt(variance[i] + EPSILON);
        shift[i] = numbers[channels + i] - numbers[2 * channels + i] * scale[i];
    }
    return SUMI_OK;
}

/* The weight[out, in, kh, kw] or the bias[out] of a convolution and its norm. */
static sumi_status read_folded(sumi_features *features, const safetensors_tensor *weight,
                               const char *stem, bool bias, double *norm, float *data)
{
    int64_t out = weight->shape[0], each = weight->count / out;
    double *scale = norm, *shift = norm + out;
    TRY(read_norm(features, stem, out, (float *)(norm + 2 * out), scale, shift));
    if (!bias) {
        size_t place = (size_t)(weight - safetensors_tensor_at(features->file, 0));
        TRY(feature_read_tensor(features, place, data));
    }
    for (int64_t i = 0; i < out; i++) {
        if (bias) data[i] = (float)shift[i];
        for (int64_t k = 0; k < each && !bias; k++)
            data[i * each + k] = (float)(data[i * each + k] * scale[i]);
    }
    return SUMI_OK;
}

static sumi_status read_weight(void *user, size_t place, float *data)
{
    sumi_features *features = user;
    const safetensors_tensor *tensor = safetensors_tensor_at(features->file, place / 2);
    char stem[NAME_SIZE];
    stem_of(tensor->name, stem);
    if (!stem[0]) return feature_read_tensor(features, place / 2, data);
    double *norm = context_allocate(features->context, (size_t)tensor->shape[0], 4 * sizeof *norm);
    if (!norm) return SUMI_ERROR_MEMORY;
    sumi_status status = read_folded(features, tensor, stem, place % 2, norm, data);
    context_release(features->context, norm);
    return status;
}

static sumi_status read_all(sumi_features *features, const char *config, const char *source)
{
    (void)config, (void)source;
    const safetensors_tensor *head = safetensors_find(features->file, "fc.weight");
    features->shape[0] = features->shape[1] = SIDE;
    features->shape[2] = 3;
    features->count = WIDTH;
    if (!head) return SUMI_OK;
    features->classes = CLASSES;
    if (head->rank == 2 && head->shape[0] == CLASSES) return SUMI_OK;
    return context_fail(features->context, SUMI_ERROR_UNSUPPORTED,
                        "%s: fc.weight has %lld rows; the Inception-v3 of the FID has %d, and "
                        "features of another give other distances",
                        features->path, (long long)head->shape[0], CLASSES);
}

/* ---- Layers ---- */

/* A convolution window: height and width of the kernel, steps, padding down and across. */
struct window {
    int64_t height, width, stride, down, across;
};
static const struct window one = {1, 1, 1, 0, 0}, three = {3, 3, 1, 1, 1}, valid = {3, 3, 1, 0, 0},
                           halving = {3, 3, 2, 0, 0}, five = {5, 5, 1, 2, 2},
                           row_of_7 = {1, 7, 1, 0, 3}, column_of_7 = {7, 1, 1, 3, 0},
                           row_of_3 = {1, 3, 1, 0, 1}, column_of_3 = {3, 1, 1, 1, 0};

/* The convolution PARENT.NAME with its norm, and ReLU. */
static sumi_node convolve(sumi_graph *graph, const char *parent, const char *child, sumi_node x,
                          int64_t out, const struct window *window)
{
    char name[NAME_SIZE];
    int64_t shape[] = {out, layer_size(graph, x, 3), window->height, window->width};
    const sumi_convolution geometry = {{window->stride, window->stride},
                                       {window->down, window->across},
                                       {window->down, window->across}};
    double fan = (double)(shape[1] * shape[2] * shape[3]);
    layer_name(name, parent, "%s.conv.weight", child);
    sumi_node weight = sumi_graph_weight(graph, name, 4, shape, SUMI_START_FAN_IN, fan);
    layer_name(name, parent, "%s.conv.bias", child);
    sumi_node bias = sumi_graph_weight(graph, name, 1, &out, SUMI_START_FAN_IN, fan);
    return sumi_op_relu(graph, sumi_op_convolution(graph, x, weight, bias, &geometry));
}

static sumi_node pool(sumi_graph *graph, sumi_node x, enum pool_kind kind, bool half)
{
    static const int64_t window[2] = {3, 3};
    static const sumi_convolution same = {{1, 1}, {1, 1}, {1, 1}},
                                  halved = {{2, 2}, {0, 0}, {0, 0}};
    return ops_pool(graph, x, kind, window, half ? &halved : &same);
}

static sumi_node join(sumi_graph *graph, int count, const sumi_node *parts)
{
    sumi_node all = parts[0];
    for (int i = 1; i < count; i++) all = sumi_op_concat(graph, all, parts[i], 3);
    return all;
}

/* ---- Blocks, by torchvision's names ---- */

static sumi_node block_a(sumi_graph *graph, const char *name, sumi_node x, int64_t pooled)
{
    sumi_node parts[4];
    parts[0] = convolve(graph, name, "branch1x1", x, 64, &one);
    parts[1] = convolve(graph, name, "branch5x5_1", x, 48, &one);
    parts[1] = convolve(graph, name, "branch5x5_2", parts[1], 64, &five);
    parts[2] = convolve(graph, name, "branch3x3dbl_1", x, 64, &one);
    parts[2] = convolve(graph, name, "branch3x3dbl_2", parts[2], 96, &three);
    parts[2] = convolve(graph, name, "branch3x3dbl_3", parts[2], 96, &three);
    parts[3] = pool(graph, x, POOL_MEAN, false);
    parts[3] = convolve(graph, name, "branch_pool", parts[3], pooled, &one);
    return join(graph, 4, parts);
}

static sumi_node block_b(sumi_graph *graph, const char *name, sumi_node x)
{
    sumi_node parts[3];
    parts[0] = convolve(graph, name, "branch3x3", x, 384, &halving);
    parts[1] = convolve(graph, name, "branch3x3dbl_1", x, 64, &one);
    parts[1] = convolve(graph, name, "branch3x3dbl_2", parts[1], 96, &three);
    parts[1] = convolve(graph, name, "branch3x3dbl_3", parts[1], 96, &halving);
    parts[2] = pool(graph, x, POOL_LARGEST, true);
    return join(graph, 3, parts);
}

static sumi_node block_c(sumi_graph *graph, const char *name, sumi_node x, int64_t inner)
{
    sumi_node parts[4];
    parts[0] = convolve(graph, name, "branch1x1", x, 192, &one);
    parts[1] = convolve(graph, name, "branch7x7_1", x, inner, &one);
    parts[1] = convolve(graph, name, "branch7x7_2", parts[1], inner, &row_of_7);
    parts[1] = convolve(graph, name, "branch7x7_3", parts[1], 192, &column_of_7);
    parts[2] = convolve(graph, name, "branch7x7dbl_1", x, inner, &one);
    parts[2] = convolve(graph, name, "branch7x7dbl_2", parts[2], inner, &column_of_7);
    parts[2] = convolve(graph, name, "branch7x7dbl_3", parts[2], inner, &row_of_7);
    parts[2] = convolve(graph, name, "branch7x7dbl_4", parts[2], inner, &column_of_7);
    parts[2] = convolve(graph, name, "branch7x7dbl_5", parts[2], 192, &row_of_7);
    parts[3] = pool(graph, x, POOL_MEAN, false);
    parts[3] = convolve(graph, name, "branch_pool", parts[3], 192, &one);
    return join(graph, 4, parts);
}

static sumi_node block_d(sumi_graph *graph, const char *name, sumi_node x)
{
    sumi_node parts[3];
    parts[0] = convolve(graph, name, "branch3x3_1", x, 192, &one);
    parts[0] = convolve(graph, name, "branch3x3_2", parts[0], 320, &halving);
    parts[1] = convolve(graph, name, "branch7x7x3_1", x, 192, &one);
    parts[1] = convolve(graph, name, "branch7x7x3_2", parts[1], 192, &row_of_7);
    parts[1] = convolve(graph, name, "branch7x7x3_3", parts[1], 192, &column_of_7);
    parts[1] = convolve(graph, name, "branch7x7x3_4", parts[1], 192, &halving);
    parts[2] = pool(graph, x, POOL_LARGEST, true);
    return join(graph, 3, parts);
}

static sumi_node block_e(sumi_graph *graph, const char *name, sumi_node x, enum pool_kind kind)
{
    sumi_node parts[6], h = convolve(graph, name, "branch3x3_1", x, 384, &one);
    parts[0] = convolve(graph, name, "branch1x1", x, 320, &one);
    parts[1] = convolve(graph, name, "branch3x3_2a", h, 384, &row_of_3);
    parts[2] = convolve(graph, name, "branch3x3_2b", h, 384, &column_of_3);
    h = convolve(graph, name, "branch3x3dbl_1", x, 448, &one);
    h = convolve(graph, name, "branch3x3dbl_2", h, 384, &three);
    parts[3] = convolve(graph, name, "branch3x3dbl_3a", h, 384, &row_of_3);
    parts[4] = convolve(graph, name, "branch3x3dbl_3b", h, 384, &column_of_3);
    parts[5] = pool(graph, x, kind, false);
    parts[5] = convolve(graph, name, "branch_pool", parts[5], 192, &one);
    return join(graph, 6, parts);
}

/* ---- The network ---- */

/* From pictures to 192 channels of 35 x 35 places. */
static sumi_node build_stem(sumi_graph *graph, sumi_node x)
{
    x = convolve(graph, "", "Conv2d_1a_3x3", x, 32, &halving);
    x = convolve(graph, "", "Conv2d_2a_3x3", x, 32, &valid);
    x = convolve(graph, "", "Conv2d_2b_3x3", x, 64, &three);
    x = pool(graph, x, POOL_LARGEST, true);
    x = convolve(graph, "", "Conv2d_3b_1x1", x, 80, &one);
    x = convolve(graph, "", "Conv2d_4a_3x3", x, 192, &valid);
    return pool(graph, x, POOL_LARGEST, true);
}

static sumi_node build(const sumi_features *features, sumi_graph *graph, sumi_node x)
{
    int64_t flat[] = {layer_size(graph, x, 0), WIDTH}, head[] = {CLASSES, WIDTH};
    x = build_stem(graph, x);
    x = block_a(graph, "Mixed_5b", x, 32);
    x = block_a(graph, "Mixed_5c", x, 64);
    x = block_a(graph, "Mixed_5d", x, 64);
    x = block_b(graph, "Mixed_6a", x);
    x = block_c(graph, "Mixed_6b", x, 128);
    x = block_c(graph, "Mixed_6c", x, 160);
    x = block_c(graph, "Mixed_6d", x, 160);
    x = block_c(graph, "Mixed_6e", x, 192);
    x = block_d(graph, "Mixed_7a", x);
    x = block_e(graph, "Mixed_7b", x, POOL_MEAN);
    x = block_e(graph, "Mixed_7c", x, POOL_LARGEST);
    x = sumi_op_reshape(graph, sumi_op_mean(graph, x, 1u << 1 | 1u << 2), 2, flat);
    if (features->options.output == FEATURE_VECTOR) return x;
    /* The inception score takes the logits without their bias, as that of the TensorFlow graph. */
    return sumi_op_linear(
        graph, x, sumi_graph_weight(graph, "fc.weight", 2, head, SUMI_START_FAN_IN, WIDTH), -1);
}

const struct feature_kind feature_inception = {.name = "inception-v3",
                                               .options = options,
                                               .read = read_all,
                                               .find = find,
                                               .read_weight = read_weight,
                                               .build = build,
                                               .prepare = prepare};

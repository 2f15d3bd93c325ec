/* SPDX-License-Identifier: Apache-2.0 */
/* What the convolution and its two gradients share: sizes, their checks, taps, and the reference
   kernel. */
#include "ops/check.h"
#include "ops/convolution.h"

static bool geometry_possible(const sumi_convolution *geometry)
{
    for (int i = 0; i < 2; i++) {
        if (geometry->stride[i] < 1 || geometry->stride[i] > ELEMENT_LIMIT) return false;
        if (geometry->before[i] < 0 || geometry->before[i] > ELEMENT_LIMIT) return false;
        if (geometry->after[i] < 0 || geometry->after[i] > ELEMENT_LIMIT) return false;
    }
    return true;
}

/* The number of positions of the kernel along one axis; below 1 where it does not fit. */
static int64_t places(int64_t size, int64_t kernel, const sumi_convolution *geometry, int axis)
{
    int64_t space = size + geometry->before[axis] + geometry->after[axis] - kernel;
    return space < 0 ? 0 : space / geometry->stride[axis] + 1;
}

struct convolution_sizes convolution_sizes_of(const sumi_convolution *geometry,
                                              const struct shape *x, const struct shape *weight)
{
    return (struct convolution_sizes){.n = x->size[0],
                                      .height = x->size[1],
                                      .width = x->size[2],
                                      .in = x->size[3],
                                      .out = weight->size[0],
                                      .kernel_height = weight->size[2],
                                      .kernel_width = weight->size[3],
                                      .out_height =
                                          places(x->size[1], weight->size[2], geometry, 0),
                                      .out_width = places(x->size[2], weight->size[3], geometry, 1),
                                      .geometry = *geometry};
}

sumi_status convolution_describe(sumi_graph *graph, const char *name,
                                 const sumi_convolution *geometry, const struct shape *x,
                                 const struct shape *weight, struct convolution_sizes *sizes)
{
    if (!geometry_possible(geometry)) {
        return graph_fail(graph, "%s: strides must be at least 1 and paddings at least 0", name);
    }
    if (x->rank != 4 || weight->rank != 4 || x->size[3] != weight->size[1]) {
        return ops_pair_refuse(graph, name, x, weight,
                               "the input is [n, h, w, in] and the weight [out, in, kh, kw]");
    }
    *sizes = convolution_sizes_of(geometry, x, weight);
    if (sizes->out_height < 1 || sizes->out_width < 1) {
        return ops_pair_refuse(graph, name, x, weight,
                               "the kernel is larger than the padded input");
    }
    return SUMI_OK;
}

struct shape convolution_result(const struct convolution_sizes *sizes)
{
    return (struct shape){4, {sizes->n, sizes->out_height, sizes->out_width, sizes->out}};
}

sumi_status convolution_expect(sumi_graph *graph, const char *name, const struct shape *y,
                               const struct convolution_sizes *sizes)
{
    struct shape expected = convolution_result(sizes);
    if (shape_equal(y, &expected)) return SUMI_OK;
    char text[SHAPE_TEXT], expected_text[SHAPE_TEXT];
    return graph_fail(graph, "%s: the result of the convolution is %s, not %s", name,
                      shape_text(&expected, expected_text), shape_text(y, text));
}

int64_t convolution_taps(const struct convolution_sizes *sizes)
{
    return sizes->n * sizes->out_height * sizes->out_width * sizes->kernel_height
           * sizes->kernel_width;
}

bool convolution_tap_at(const struct convolution_sizes *sizes, int64_t number,
                        struct convolution_tap *tap)
{
    int64_t kernel = sizes->kernel_height * sizes->kernel_width;
    int64_t place = number % kernel, pixel = number / kernel;
    int64_t across = pixel % sizes->out_width;
    int64_t down = pixel / sizes->out_width % sizes->out_height;
    int64_t image = pixel / sizes->out_width / sizes->out_height;
    const sumi_convolution *geometry = &sizes->geometry;
    int64_t row = down * geometry->stride[0] - geometry->before[0] + place / sizes->kernel_width;
    int64_t column =
        across * geometry->stride[1] - geometry->before[1] + place % sizes->kernel_width;
    if (row < 0 || row >= sizes->height || column < 0 || column >= sizes->width) return false;
    tap->x = ((image * sizes->height + row) * sizes->width + column) * sizes->in;
    tap->y = pixel * sizes->out;
    tap->weight = place;
    return true;
}

void convolution_reference(const struct convolution_sizes *sizes, enum convolution_operand operand,
                           const double *first, const double *second, double *output)
{
    const int64_t kernel = sizes->kernel_height * sizes->kernel_width;
    const int64_t counts[] = {[TAP_X] = sizes->n * sizes->height * sizes->width * sizes->in,
                              [TAP_WEIGHT] = sizes->out * sizes->in * kernel,
                              [TAP_Y] =
                                  sizes->n * sizes->out_height * sizes->out_width * sizes->out};
    const int one = operand == TAP_X ? TAP_WEIGHT : TAP_X;
    const int other = operand == TAP_Y ? TAP_WEIGHT : TAP_Y;
    for (int64_t i = 0; i < counts[operand]; i++) output[i] = 0;
    struct convolution_tap tap;
    for (int64_t t = 0; t < convolution_taps(sizes); t++) {
        if (!convolution_tap_at(sizes, t, &tap)) continue;
        for (int64_t o = 0; o < sizes->out; o++) {
            for (int64_t i = 0; i < sizes->in; i++) {
                const int64_t at[] = {[TAP_X] = tap.x + i,
                                      [TAP_WEIGHT] = (o * sizes->in + i) * kernel + tap.weight,
                                      [TAP_Y] = tap.y + o};
                output[at[operand]] += first[at[one]] * second[at[other]];
            }
        }
    }
}

/* The number of pairs of an output and a kernel position along one axis that meet the picture. */
static int64_t meetings(int64_t size, int64_t kernel, int64_t out, int64_t stride, int64_t before)
{
    int64_t count = 0;
    for (int64_t k = 0; k < kernel; k++) {
        int64_t offset = before - k; /* input position of output o is o stride - offset */
        int64_t first = offset > 0 ? (offset + stride - 1) / stride : 0;
        int64_t past = size + offset > 0 ? (size + offset + stride - 1) / stride : 0;
        if (past > out) past = out;
        if (past > first) count += past - first;
    }
    return count;
}

double convolution_operations(const struct convolution_sizes *s)
{
    int64_t down = meetings(s->height, s->kernel_height, s->out_height, s->geometry.stride[0],
                            s->geometry.before[0]);
    int64_t across = meetings(s->width, s->kernel_width, s->out_width, s->geometry.stride[1],
                              s->geometry.before[1]);
    return 2.0 * (double)s->n * (double)down * (double)across * (double)s->in * (double)s->out;
}

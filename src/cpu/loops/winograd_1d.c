/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of winograd_1d.h, for as many channels at a time as a vector holds. */
#include "cpu/loops/winograd_1d.h"

#include "cpu/loops/winograd_rules.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Goes through channels by whole vectors, then through what is left of them. */
#define FOR_CHANNELS(CHANNELS, CALL)                                                               \
    do {                                                                                           \
        int64_t c = 0, count = LANE_COUNT;                                                         \
        for (; c + LANE_COUNT <= (CHANNELS); c += LANE_COUNT) CALL;                                \
        count = (CHANNELS)-c;                                                                      \
        if (count) CALL;                                                                           \
    } while (0)

static ALWAYS_INLINE void write_span(float *out, int64_t stride,
                                     const lanes values[WINOGRAD_1D_SPAN], int64_t count)
{
    for (int p = 0; p < WINOGRAD_1D_SPAN; p++) lanes_store(out + p * stride, values[p], count);
}

static ALWAYS_INLINE void read_span(const float *in, int64_t stride, lanes values[WINOGRAD_1D_SPAN],
                                    int64_t count)
{
    for (int p = 0; p < WINOGRAD_1D_SPAN; p++) values[p] = lanes_load(in + p * stride, count);
}

static ALWAYS_INLINE void input_lanes(int64_t count, const float *data, int64_t step, int first,
                                      int end, float *out, int64_t stride)
{
    lanes pixels[WINOGRAD_1D_SPAN], values[WINOGRAD_1D_SPAN];
    for (int i = 0; i < WINOGRAD_1D_SPAN; i++) {
        pixels[i] = i >= first && i < end ? lanes_load(data + i * step, count) : (lanes){0};
    }
    input_rule(pixels, values);
    write_span(out, stride, values, count);
}

static void input(int64_t channels, const float *data, int first, int end, float *out,
                  int64_t stride)
{
    if (first <= 0 && end >= WINOGRAD_1D_SPAN) {
        FOR_CHANNELS(channels,
                     input_lanes(count, data + c, channels, 0, WINOGRAD_1D_SPAN, out + c, stride));
    } else {
        FOR_CHANNELS(channels, input_lanes(count, data + c, channels, first, end, out + c, stride));
    }
}

static ALWAYS_INLINE void gradient_lanes(int64_t count, const float *data, int64_t step, int end,
                                         float *out, int64_t stride)
{
    lanes pixels[WINOGRAD_1D_TILE], values[WINOGRAD_1D_SPAN];
    for (int i = 0; i < WINOGRAD_1D_TILE; i++) {
        pixels[i] = i < end ? lanes_load(data + i * step, count) : (lanes){0};
    }
    gradient_rule(pixels, values);
    write_span(out, stride, values, count);
}

static void gradient(int64_t channels, const float *data, int end, float *out, int64_t stride)
{
    if (end >= WINOGRAD_1D_TILE) {
        FOR_CHANNELS(channels,
                     gradient_lanes(count, data + c, channels, WINOGRAD_1D_TILE, out + c, stride));
    } else {
        FOR_CHANNELS(channels, gradient_lanes(count, data + c, channels, end, out + c, stride));
    }
}

static ALWAYS_INLINE void output_lanes(int64_t c, int64_t count, const float *in, int64_t stride,
                                       const struct winograd_1d_epilogue *epilogue, float *data,
                                       int64_t step, int end)
{
    lanes products[WINOGRAD_1D_SPAN], pixels[WINOGRAD_1D_TILE], shift = {0};
    read_span(in + c, stride, products, count);
    output_rule(products, pixels);
    if (epilogue->bias) shift += lanes_load(epilogue->bias + c, count);
    if (epilogue->item) shift += lanes_load(epilogue->item + c, count);
    for (int i = 0; i < WINOGRAD_1D_TILE && i < end; i++) {
        lanes value = pixels[i] + shift;
        if (epilogue->residual) value += lanes_load(epilogue->residual + i * step + c, count);
        lanes_store(data + i * step + c, epilogue->scale * value, count);
    }
}

static void output(int64_t channels, const float *in, int64_t stride,
                   const struct winograd_1d_epilogue *epilogue, float *data, int end)
{
    if (end >= WINOGRAD_1D_TILE) {
        FOR_CHANNELS(channels, output_lanes(c, count, in, stride, epilogue, data, channels,
                                            WINOGRAD_1D_TILE));
    } else {
        FOR_CHANNELS(channels, output_lanes(c, count, in, stride, epilogue, data, channels, end));
    }
}

static ALWAYS_INLINE void weight_of(int64_t count, const void *weight, sumi_element element,
                                    int64_t step, bool turned, float *out, int64_t stride)
{
    for (int64_t k = 0; k < count; k += LANE_COUNT) {
        int64_t some = count - k < LANE_COUNT ? count - k : LANE_COUNT;
        lanes kernel[WINOGRAD_1D_KERNEL] = {{0}, {0}, {0}}, values[WINOGRAD_1D_SPAN];
        for (int64_t lane = 0; lane < some; lane++) {
            const int64_t from = (k + lane) * step;
            for (int i = 0; i < WINOGRAD_1D_KERNEL; i++) {
                kernel[i][lane] =
                    widened(weight, element, from + (turned ? WINOGRAD_1D_KERNEL - 1 - i : i));
            }
        }
        weight_rule(kernel, values);
        write_span(out + k, stride, values, some);
    }
}

static void weight(int64_t count, const void *weight, sumi_element element, int64_t step,
                   bool turned, float *out, int64_t stride)
{
    if (element == SUMI_BFLOAT16)
        weight_of(count, weight, SUMI_BFLOAT16, step, turned, out, stride);
    else if (element == SUMI_FLOAT16)
        weight_of(count, weight, SUMI_FLOAT16, step, turned, out, stride);
    else weight_of(count, weight, SUMI_FLOAT32, step, turned, out, stride);
}

static void weight_gradient(int64_t count, const float *in, int64_t stride, float *weight)
{
    for (int64_t k = 0; k < count; k += LANE_COUNT) {
        int64_t some = count - k < LANE_COUNT ? count - k : LANE_COUNT;
        lanes values[WINOGRAD_1D_SPAN], kernel[WINOGRAD_1D_KERNEL];
        read_span(in + k, stride, values, some);
        weight_gradient_rule(values, kernel);
        for (int64_t lane = 0; lane < some; lane++) {
            for (int i = 0; i < WINOGRAD_1D_KERNEL; i++) {
                weight[(k + lane) * WINOGRAD_1D_KERNEL + i] = kernel[i][lane];
            }
        }
    }
}

extern const struct winograd_1d_loops JOIN(winograd_1d_loops_, SUMI_LEVEL);
const struct winograd_1d_loops JOIN(winograd_1d_loops_, SUMI_LEVEL) = {
    .input = input,
    .output = output,
    .gradient = gradient,
    .weight = weight,
    .weight_gradient = weight_gradient,
};

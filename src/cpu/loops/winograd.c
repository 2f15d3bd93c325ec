/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of winograd.h: the rules of winograd_rules.h, applied to the columns and then to
   the rows of a tile, for as many channels at a time as a vector holds. */
#include "cpu/loops/winograd.h"

#include "cpu/loops/winograd_rules.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define ALWAYS_INLINE inline __attribute__((always_inline))

enum { TILE = WINOGRAD_TILE, SPAN = WINOGRAD_SPAN, KERNEL = 3 };

/* Defines a transform of tiles: a rule for the columns, then for the rows of what came out. */
#define DEFINE_BOTH_WAYS(NAME, RULE, FROM, TO)                                                     \
    static ALWAYS_INLINE void NAME(const lanes in[FROM][FROM], lanes out[TO][TO])                  \
    {                                                                                              \
        lanes half[FROM][TO];                                                                      \
        for (int column = 0; column < (FROM); column++) {                                          \
            lanes line[FROM];                                                                      \
            for (int row = 0; row < (FROM); row++) line[row] = in[row][column];                    \
            RULE(line, half[column]);                                                              \
        }                                                                                          \
        for (int row = 0; row < (TO); row++) {                                                     \
            lanes line[FROM];                                                                      \
            for (int column = 0; column < (FROM); column++) line[column] = half[column][row];      \
            RULE(line, out[row]);                                                                  \
        }                                                                                          \
    }
DEFINE_BOTH_WAYS(transform_input, input_rule, SPAN, SPAN)
DEFINE_BOTH_WAYS(transform_output, output_rule, SPAN, TILE)
DEFINE_BOTH_WAYS(transform_gradient, gradient_rule, TILE, SPAN)
DEFINE_BOTH_WAYS(transform_weight, weight_rule, KERNEL, SPAN)
DEFINE_BOTH_WAYS(transform_weight_gradient, weight_gradient_rule, SPAN, KERNEL)

/* Whether all of a tile's rows and columns exist. */
static ALWAYS_INLINE bool whole(const struct winograd_pixels *p, int size)
{
    return p->first_row <= 0 && p->first_column <= 0 && p->end_row >= size && p->end_column >= size;
}

static ALWAYS_INLINE bool exists(const struct winograd_pixels *p, int row, int column)
{
    return row >= p->first_row && row < p->end_row && column >= p->first_column
           && column < p->end_column;
}

static ALWAYS_INLINE lanes read_pixel(const void *data, int64_t at, bool bf16,
                                      const struct winograd_pixels *p, int row, int column,
                                      int64_t count, bool all)
{
    if (!all && !exists(p, row, column)) return (lanes){0};
    return lanes_load_from(data, row * p->row_step + column * p->pixel_step + at, bf16, count);
}

static ALWAYS_INLINE void write_positions(float *out, int64_t stride,
                                          const lanes values[SPAN][SPAN], int64_t count)
{
    for (int row = 0; row < SPAN; row++) {
        for (int column = 0; column < SPAN; column++) {
            lanes_store(out + (row * SPAN + column) * stride, values[row][column], count);
        }
    }
}

static ALWAYS_INLINE void read_positions(const float *in, int64_t stride, lanes values[SPAN][SPAN],
                                         int64_t count)
{
    for (int row = 0; row < SPAN; row++) {
        for (int column = 0; column < SPAN; column++) {
            values[row][column] = lanes_load(in + (row * SPAN + column) * stride, count);
        }
    }
}

/* Transforms channels c ... c + count - 1 of the pixels. */
static ALWAYS_INLINE void input_lanes(int64_t c, int64_t count, bool bf16, const void *data,
                                      const struct winograd_pixels *p, bool all, float *out,
                                      int64_t stride)
{
    lanes tile[SPAN][SPAN], transformed[SPAN][SPAN];
    for (int row = 0; row < SPAN; row++) {
        for (int column = 0; column < SPAN; column++) {
            tile[row][column] = read_pixel(data, c, bf16, p, row, column, count, all);
        }
    }
    transform_input(tile, transformed);
    write_positions(out + c, stride, transformed, count);
}

static ALWAYS_INLINE void gradient_lanes(int64_t c, int64_t count, bool bf16, const void *data,
                                         const struct winograd_pixels *p, bool all, float *out,
                                         int64_t stride)
{
    lanes tile[TILE][TILE], transformed[SPAN][SPAN];
    for (int row = 0; row < TILE; row++) {
        for (int column = 0; column < TILE; column++) {
            tile[row][column] = read_pixel(data, c, bf16, p, row, column, count, all);
        }
    }
    transform_gradient(tile, transformed);
    write_positions(out + c, stride, transformed, count);
}

static ALWAYS_INLINE void output_lanes(int64_t c, int64_t count, bool bf16, const float *in,
                                       int64_t stride, const struct winograd_epilogue *epilogue,
                                       bool all, void *data, const struct winograd_pixels *p)
{
    lanes products[SPAN][SPAN], tile[TILE][TILE], shift = {0};
    read_positions(in + c, stride, products, count);
    transform_output(products, tile);
    if (epilogue->bias) shift += lanes_load(epilogue->bias + c, count);
    if (epilogue->item) shift += lanes_load(epilogue->item + c, count);
    for (int row = 0; row < TILE; row++) {
        for (int column = 0; column < TILE; column++) {
            if (!all && !exists(p, row, column)) continue;
            int64_t at = row * p->row_step + column * p->pixel_step + c;
            lanes value = tile[row][column] + shift;
            if (epilogue->residual) value += lanes_load_from(epilogue->residual, at, bf16, count);
            lanes_store_to(data, at, bf16, epilogue->scale * value, count);
        }
    }
}

/* Goes through the channels by vectors: FUNCTION(c, count, bf16, ..., all, ...) is compiled for
   whole vectors of whole tiles, for whole vectors at a border, and for what is left of the
   channels, each for float32 and for bfloat16. */
#define FOR_CHANNELS(FUNCTION, CHANNELS, BF16, WHOLE, BEFORE, AFTER)                               \
    do {                                                                                           \
        int64_t c = 0, left;                                                                       \
        if (WHOLE) {                                                                               \
            for (; c + LANE_COUNT <= (CHANNELS); c += LANE_COUNT) {                                \
                FUNCTION(c, LANE_COUNT, BF16, BEFORE, true, AFTER);                                \
            }                                                                                      \
        } else {                                                                                   \
            for (; c + LANE_COUNT <= (CHANNELS); c += LANE_COUNT) {                                \
                FUNCTION(c, LANE_COUNT, BF16, BEFORE, false, AFTER);                               \
            }                                                                                      \
        }                                                                                          \
        left = (CHANNELS)-c;                                                                       \
        if (left) FUNCTION(c, left, BF16, BEFORE, false, AFTER);                                   \
    } while (0)
#define PAIR(A, B) A, B
#define TRIPLE(A, B, C) A, B, C

static void input(int64_t channels, const void *data, const struct winograd_pixels *pixels,
                  float *out, int64_t stride)
{
    const bool all = whole(pixels, SPAN);
    if (pixels->bf16) {
        FOR_CHANNELS(input_lanes, channels, true, all, PAIR(data, pixels), PAIR(out, stride));
    } else {
        FOR_CHANNELS(input_lanes, channels, false, all, PAIR(data, pixels), PAIR(out, stride));
    }
}

static void gradient(int64_t channels, const void *data, const struct winograd_pixels *pixels,
                     float *out, int64_t stride)
{
    const bool all = whole(pixels, TILE);
    if (pixels->bf16) {
        FOR_CHANNELS(gradient_lanes, channels, true, all, PAIR(data, pixels), PAIR(out, stride));
    } else {
        FOR_CHANNELS(gradient_lanes, channels, false, all, PAIR(data, pixels), PAIR(out, stride));
    }
}

static void output(int64_t channels, const float *in, int64_t stride,
                   const struct winograd_epilogue *epilogue, void *data,
                   const struct winograd_pixels *pixels)
{
    const bool all = whole(pixels, TILE);
    if (pixels->bf16) {
        FOR_CHANNELS(output_lanes, channels, true, all, TRIPLE(in, stride, epilogue),
                     PAIR(data, pixels));
    } else {
        FOR_CHANNELS(output_lanes, channels, false, all, TRIPLE(in, stride, epilogue),
                     PAIR(data, pixels));
    }
}

/* Kernels of some rows and columns, in the order that vectors are read in. There are few rows and
   many columns, because memory is written fast only in long runs. */
enum { PANEL = 128 };
struct kernels {
    float place[WINOGRAD_WEIGHT_ROWS][KERNEL * KERNEL][PANEL];
};

/* Kernels of numbers of a type, from number `first` of an array on. */
static ALWAYS_INLINE void gather_kernels(int64_t rows, int64_t columns, const void *weight,
                                         sumi_element element, int64_t first, int64_t row_step,
                                         int64_t column_step, bool turned, struct kernels *kernels)
{
    const int last = KERNEL * KERNEL - 1;
    for (int64_t column = 0; column < columns; column++) {
        for (int64_t row = 0; row < rows; row++) {
            const int64_t kernel = first + row * row_step + column * column_step;
            for (int place = 0; place <= last; place++) {
                kernels->place[row][place][column] =
                    widened(weight, element, kernel + (turned ? last - place : place));
            }
        }
    }
}

static void gather_kernels_of(int64_t rows, int64_t columns, const void *weight,
                              sumi_element element, int64_t first, int64_t row_step,
                              int64_t column_step, bool turned, struct kernels *kernels)
{
#define GATHER(ELEMENT)                                                                            \
    gather_kernels(rows, columns, weight, ELEMENT, first, row_step, column_step, turned, kernels)
    if (element == SUMI_BFLOAT16) GATHER(SUMI_BFLOAT16);
    else if (element == SUMI_FLOAT16) GATHER(SUMI_FLOAT16);
    else GATHER(SUMI_FLOAT32);
#undef GATHER
}

/* One row of a panel. */
static void transform_kernels(int64_t columns, const float place[KERNEL * KERNEL][PANEL],
                              float *out, int64_t stride)
{
    for (int64_t column = 0; column < columns; column += LANE_COUNT) {
        int64_t count = columns - column < LANE_COUNT ? columns - column : LANE_COUNT;
        lanes kernel[KERNEL][KERNEL], transformed[SPAN][SPAN];
        for (int i = 0; i < KERNEL * KERNEL; i++) {
            kernel[i / KERNEL][i % KERNEL] = lanes_load(place[i] + column, count);
        }
        transform_weight(kernel, transformed);
        write_positions(out + column, stride, transformed, count);
    }
}

static void weight(int64_t rows, int64_t columns, const void *weight, sumi_element element,
                   int64_t row_step, int64_t column_step, bool turned, float *out, int64_t out_row,
                   int64_t stride)
{
    struct kernels kernels;
    for (int64_t first = 0; first < columns; first += PANEL) {
        int64_t count = columns - first < PANEL ? columns - first : PANEL;
        gather_kernels_of(rows, count, weight, element, first * column_step, row_step, column_step,
                          turned, &kernels);
        for (int64_t row = 0; row < rows; row++) {
            transform_kernels(count, kernels.place[row], out + row * out_row + first, stride);
        }
    }
}

static void weight_gradient(int64_t count, const float *in, int64_t stride, float *kernels,
                            int64_t step)
{
    for (int64_t k = 0; k < count; k += LANE_COUNT) {
        int64_t some = count - k < LANE_COUNT ? count - k : LANE_COUNT;
        lanes values[SPAN][SPAN], kernel[KERNEL][KERNEL];
        read_positions(in + k, stride, values, some);
        transform_weight_gradient(values, kernel);
        for (int place = 0; place < KERNEL * KERNEL; place++) {
            for (int64_t lane = 0; lane < some; lane++) {
                kernels[(k + lane) * step + place] = kernel[place / KERNEL][place % KERNEL][lane];
            }
        }
    }
}

extern const struct winograd_loops JOIN(winograd_loops_, SUMI_LEVEL);
const struct winograd_loops JOIN(winograd_loops_, SUMI_LEVEL) = {
    .input = input,
    .output = output,
    .gradient = gradient,
    .weight = weight,
    .weight_gradient = weight_gradient,
};

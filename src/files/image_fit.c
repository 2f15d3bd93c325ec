/* SPDX-License-Identifier: Apache-2.0 */
/* Fitting a picture to a size: the same scale in both directions, chosen to cover the result; the
   centre is kept. The filter is a triangle as wide as two output pixels when shrinking, and linear
   interpolation when enlarging. */
#include <math.h>
#include <string.h>

#include "files/image.h"

/* The filter of an axis: output i is the sum of source positions first[i] .. first[i] + taps - 1
   with weights[i, taps], which sum to 1. */
typedef struct axis_filter {
    int taps;
    int *first;
    float *weights;
} axis_filter;

static void filter_release(sumi_context *context, axis_filter *filter)
{
    context_release(context, filter->first);
    context_release(context, filter->weights);
}

/* The weights of one output pixel with its centre at `centre`, in source pixels. */
static void fill_weights(double centre, double radius, int source, int first, int taps,
                         float *weights)
{
    double sum = 0;
    for (int k = 0; k < taps; k++) {
        double distance = fabs(first + k + 0.5 - centre) / radius;
        double weight = first + k < source && distance < 1 ? 1 - distance : 0;
        weights[k] = (float)weight;
        sum += weight;
    }
    for (int k = 0; k < taps; k++) weights[k] = (float)(weights[k] / sum);
}

/* `scale` is the number of source pixels per output pixel; the window of output * scale is
   centred. */
static sumi_status filter_create(sumi_context *context, int source, int output, double scale,
                                 axis_filter *filter)
{
    double radius = scale > 1 ? scale : 1, start = (source - output * scale) / 2;
    filter->taps = (int)ceil(2 * radius) + 1;
    if (filter->taps > source) filter->taps = source;
    filter->first = context_allocate(context, (size_t)output, sizeof *filter->first);
    filter->weights =
        context_allocate(context, (size_t)output * (size_t)filter->taps, sizeof *filter->weights);
    if (!filter->first || !filter->weights) return SUMI_ERROR_MEMORY;
    for (int i = 0; i < output; i++) {
        double centre = start + (i + 0.5) * scale;
        int first = (int)floor(centre - radius);
        if (first > source - filter->taps) first = source - filter->taps;
        if (first < 0) first = 0;
        filter->first[i] = first;
        fill_weights(centre, radius, source, first, filter->taps,
                     filter->weights + (size_t)i * (size_t)filter->taps);
    }
    return SUMI_OK;
}

/* Filters rows[height, channels * source width] of bytes to output[height, width, channels]. */
static void filter_across(const image *picture, const axis_filter *filter, int width, float *output)
{
    int channels = picture->channels;
    size_t row_size = (size_t)picture->width * (size_t)channels;
    for (int y = 0; y < picture->height; y++) {
        const uint8_t *row = picture->pixels + (size_t)y * row_size;
        for (int x = 0; x < width; x++) {
            const float *weights = filter->weights + (size_t)x * (size_t)filter->taps;
            const uint8_t *from = row + (size_t)filter->first[x] * (size_t)channels;
            for (int channel = 0; channel < channels; channel++) {
                float sum = 0;
                for (int k = 0; k < filter->taps; k++) {
                    sum += weights[k] * from[k * channels + channel];
                }
                *output++ = sum;
            }
        }
    }
}

/* Filters rows[source height, row_size] to one row output[row_size]. */
static void filter_down(const float *rows, size_t row_size, const axis_filter *filter, int y,
                        float *output)
{
    const float *weights = filter->weights + (size_t)y * (size_t)filter->taps;
    memset(output, 0, row_size * sizeof *output);
    for (int k = 0; k < filter->taps; k++) {
        const float *row = rows + (size_t)(filter->first[y] + k) * row_size;
        for (size_t i = 0; i < row_size; i++) output[i] += weights[k] * row[i];
    }
}

static uint8_t to_byte(float value)
{
    float rounded = value + 0.5f;
    return rounded < 0 ? 0 : rounded >= 255 ? 255 : (uint8_t)rounded;
}

/* Converts values[width, from] to bytes output[width, to]; grey is the luminance of ITU-R
   BT.601. */
static void store_row(const float *values, int width, int from, int to, uint8_t *output)
{
    for (int x = 0; x < width; x++, values += from, output += to) {
        if (from == to) {
            for (int i = 0; i < to; i++) output[i] = to_byte(values[i]);
        } else if (to == 1) {
            output[0] = to_byte(0.299f * values[0] + 0.587f * values[1] + 0.114f * values[2]);
        } else {
            memset(output, to_byte(values[0]), (size_t)to);
        }
    }
}

static sumi_status fit(sumi_context *context, const image *picture, int width, int height,
                       int channels, const axis_filter *across, const axis_filter *down,
                       uint8_t *output)
{
    size_t row_size = (size_t)width * (size_t)picture->channels;
    float *rows = context_allocate(context, (size_t)picture->height, row_size * sizeof *rows);
    float *row = context_allocate(context, row_size, sizeof *row);
    sumi_status status = rows && row ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) {
        filter_across(picture, across, width, rows);
        for (int y = 0; y < height; y++) {
            filter_down(rows, row_size, down, y, row);
            store_row(row, width, picture->channels, channels,
                      output + (size_t)y * (size_t)width * (size_t)channels);
        }
    }
    context_release(context, row);
    context_release(context, rows);
    return status;
}

sumi_status image_fit(sumi_context *context, const image *picture, int width, int height,
                      int channels, uint8_t *output)
{
    if (width < 1 || height < 1 || (channels != 1 && channels != 3)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a picture cannot be fitted to %d x %d pixels of %d channels", width,
                            height, channels);
    }
    double scale = fmin((double)picture->width / width, (double)picture->height / height);
    axis_filter across = {0}, down = {0};
    sumi_status status = filter_create(context, picture->width, width, scale, &across);
    if (status == SUMI_OK) {
        status = filter_create(context, picture->height, height, scale, &down);
    }
    if (status == SUMI_OK) {
        status = fit(context, picture, width, height, channels, &across, &down, output);
    }
    filter_release(context, &across);
    filter_release(context, &down);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the size of a picture by filters along each direction; see resize.h. */
#include "files/resize.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
enum { SIZE_LIMIT = 1 << 20 };

/* The filter of a direction: output i is the sum of source pixels at[i, taps] with weights[i,
   taps]; unused taps have the weight 0. */
struct taps {
    int taps;
    int32_t *at;
    double *weights;
};

/* ---- Filters ---- */

/* Cubic convolution (Keys 1981) with the slope a at distance 1. */
static double cubic(double distance, double a)
{
    double x = fabs(distance);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double sinc(double x)
{
    return x == 0 ? 1 : sin(PI * x) / (PI * x);
}

/* The weight at a distance in units of the filter. */
static double weight_at(enum resize_filter filter, double distance)
{
    const double antialiased_slope = -0.5;
    switch (filter) {
    case RESIZE_BOX: return distance > -0.5 && distance <= 0.5;
    case RESIZE_BILINEAR: return fmax(0, 1 - fabs(distance));
    case RESIZE_BICUBIC: return cubic(distance, antialiased_slope);
    case RESIZE_LANCZOS: return fabs(distance) < 3 ? sinc(distance) * sinc(distance / 3) : 0;
    case RESIZE_NEAREST:
    case RESIZE_AREA: break;
    }
    return 0;
}

/* The distance at which a filter ends. */
static double radius_of(enum resize_filter filter)
{
    switch (filter) {
    case RESIZE_BOX: return 0.5;
    case RESIZE_BILINEAR: return 1;
    case RESIZE_BICUBIC: return 2;
    case RESIZE_LANCZOS: return 3;
    case RESIZE_NEAREST:
    case RESIZE_AREA: break;
    }
    return 0;
}

/* ---- Taps of a direction ---- */

static int32_t clamp(int64_t place, int64_t source)
{
    return (int32_t)(place < 0 ? 0 : place >= source ? source - 1 : place);
}

/* Output pixel `number` by a filter that is at least `scale` wide: the pixels whose centres it
   covers, weights summing to 1. */
static void fill_antialiased(enum resize_filter filter, int64_t source, double scale,
                             int64_t number, struct taps *taps)
{
    int32_t *at = taps->at + number * taps->taps;
    double *weights = taps->weights + number * taps->taps, sum = 0;
    double wide = fmax(scale, 1), radius = radius_of(filter) * wide;
    double centre = ((double)number + 0.5) * scale;
    int64_t first = (int64_t)fmax(centre - radius + 0.5, 0);
    int64_t end = (int64_t)fmin(centre + radius + 0.5, (double)source);
    for (int k = 0; k < taps->taps; k++) {
        at[k] = clamp(first + k, source);
        weights[k] =
            first + k < end ? weight_at(filter, ((double)(first + k) - centre + 0.5) / wide) : 0;
        sum += weights[k];
    }
    for (int k = 0; k < taps->taps && sum != 0; k++) weights[k] /= sum;
}

/* By the two or four pixels around its centre, of which those outside are the border's. */
static void fill_interpolated(enum resize_filter filter, int64_t source, double scale,
                              int64_t number, struct taps *taps)
{
    const double slope = -0.75;
    int32_t *at = taps->at + number * taps->taps;
    double *weights = taps->weights + number * taps->taps;
    double centre = ((double)number + 0.5) * scale - 0.5;
    if (filter == RESIZE_BILINEAR) centre = fmax(centre, 0);
    int64_t before = (int64_t)floor(centre);
    for (int k = 0; k < taps->taps; k++) {
        int64_t place = before + k - (taps->taps / 2 - 1);
        double distance = centre - (double)place;
        at[k] = clamp(place, source);
        weights[k] = filter == RESIZE_BILINEAR ? 1 - fabs(distance) : cubic(distance, slope);
    }
}

static void fill_nearest(int64_t source, double scale, int64_t number, struct taps *taps)
{
    taps->at[number] = clamp((int64_t)floorf((float)number * (float)scale), source);
    taps->weights[number] = 1;
}

/* The mean of all pixels that the output pixel touches. */
static void fill_area(int64_t source, int64_t output, int64_t number, struct taps *taps)
{
    int64_t first = number * source / output;
    int64_t end = ((number + 1) * source + output - 1) / output;
    for (int k = 0; k < taps->taps; k++) {
        taps->at[number * taps->taps + k] = clamp(first + k, source);
        taps->weights[number * taps->taps + k] = first + k < end ? 1 / (double)(end - first) : 0;
    }
}

static int count_taps(const struct resize *how, double scale)
{
    if (how->filter == RESIZE_NEAREST) return 1;
    if (how->filter == RESIZE_AREA) return (int)ceil(scale) + 1;
    if (how->antialias) return 2 * (int)ceil(radius_of(how->filter) * fmax(scale, 1)) + 1;
    return how->filter == RESIZE_BILINEAR ? 2 : 4;
}

static void taps_release(sumi_context *context, struct taps *taps)
{
    context_release(context, taps->at);
    context_release(context, taps->weights);
}

static sumi_status taps_create(sumi_context *context, const struct resize *how, int64_t source,
                               int64_t output, struct taps *taps)
{
    double scale = (double)source / (double)output;
    taps->taps = count_taps(how, scale);
    size_t count = (size_t)output * (size_t)taps->taps;
    taps->at = context_allocate(context, count, sizeof *taps->at);
    taps->weights = context_allocate(context, count, sizeof *taps->weights);
    if (!taps->at || !taps->weights) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < output; i++) {
        if (how->filter == RESIZE_NEAREST) fill_nearest(source, scale, i, taps);
        else if (how->filter == RESIZE_AREA) fill_area(source, output, i, taps);
        else if (how->antialias) fill_antialiased(how->filter, source, scale, i, taps);
        else fill_interpolated(how->filter, source, scale, i, taps);
    }
    return SUMI_OK;
}

static sumi_status check(sumi_context *context, struct resize_size size, int64_t channels)
{
    if (size.height >= 1 && size.width >= 1 && size.height <= SIZE_LIMIT && size.width <= SIZE_LIMIT
        && channels >= 1 && channels <= SIZE_LIMIT)
        return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "a picture of %lldx%lld pixels with %lld channels cannot be resized",
                        (long long)size.height, (long long)size.width, (long long)channels);
}

/* A direction of an array from[outer, source, inner] to to[outer, output, inner]. */
struct direction {
    int64_t outer, source, output, inner;
};

/* Makes the taps of both directions, checking sizes. */
struct two_ways {
    struct taps across, down;
    struct direction wide, high;
};

static sumi_status prepare(sumi_context *context, const struct resize *how, struct resize_size size,
                           int64_t channels, struct resize_size to_size, struct two_ways *ways)
{
    TRY(check(context, size, channels));
    TRY(check(context, to_size, channels));
    ways->wide = (struct direction){size.height, size.width, to_size.width, channels};
    ways->high = (struct direction){1, size.height, to_size.height, to_size.width * channels};
    TRY(taps_create(context, how, size.width, to_size.width, &ways->across));
    return taps_create(context, how, size.height, to_size.height, &ways->down);
}

/* Applies the taps of a direction to numbers of one type. */
typedef void (*direction_filter)(const struct direction *d, const struct taps *taps,
                                 const void *input, void *output);

/* Filters rows, then columns, of numbers of `bytes` each. */
static sumi_status resize_by(sumi_context *context, direction_filter filter, size_t bytes,
                             const struct resize *how, struct resize_size size, int64_t channels,
                             const void *from, struct resize_size to_size, void *to)
{
    struct two_ways ways = {.across = {.taps = 0}};
    void *rows = NULL;
    sumi_status status = prepare(context, how, size, channels, to_size, &ways);
    if (status == SUMI_OK) {
        rows = context_allocate(context, (size_t)(size.height * to_size.width),
                                (size_t)channels * bytes);
        status = rows ? SUMI_OK : SUMI_ERROR_MEMORY;
    }
    if (status == SUMI_OK) {
        filter(&ways.wide, &ways.across, from, rows);
        filter(&ways.high, &ways.down, rows, to);
    }
    context_release(context, rows);
    taps_release(context, &ways.across);
    taps_release(context, &ways.down);
    return status;
}

/* ---- Floats ---- */

static void filter_floats(const struct direction *d, const struct taps *taps, const void *input,
                          void *output)
{
    const float *from = input;
    float *to = output;
    for (int64_t row = 0; row < d->outer * d->output; row++) {
        int64_t outer = row / d->output, i = row % d->output;
        const float *source = from + outer * d->source * d->inner;
        for (int64_t j = 0; j < d->inner; j++) {
            double sum = 0;
            for (int64_t k = i * taps->taps; k < (i + 1) * taps->taps; k++)
                sum += taps->weights[k] * source[taps->at[k] * d->inner + j];
            to[row * d->inner + j] = (float)sum;
        }
    }
}

sumi_status resize_floats(sumi_context *context, const struct resize *how, struct resize_size size,
                          int64_t channels, const float *from, struct resize_size to_size,
                          float *to)
{
    struct resize used = *how;
    used.antialias |= how->filter == RESIZE_BOX || how->filter == RESIZE_LANCZOS;
    return resize_by(context, filter_floats, sizeof *to, &used, size, channels, from, to_size, to);
}

/* ---- Bytes ---- */

/* Weights and sums are whole numbers in units of 2^-22, as in Pillow. */
enum { BITS = 22 };

static void filter_bytes(const struct direction *d, const struct taps *taps, const void *input,
                         void *output)
{
    const uint8_t *from = input;
    uint8_t *to = output;
    for (int64_t row = 0; row < d->outer * d->output; row++) {
        int64_t outer = row / d->output, i = row % d->output;
        const uint8_t *source = from + outer * d->source * d->inner;
        for (int64_t j = 0; j < d->inner; j++) {
            int64_t sum = 1 << (BITS - 1);
            for (int64_t k = i * taps->taps; k < (i + 1) * taps->taps; k++)
                sum += llround(taps->weights[k] * (1 << BITS)) * source[taps->at[k] * d->inner + j];
            sum = sum < 0 ? 0 : sum >> BITS;
            to[row * d->inner + j] = (uint8_t)(sum > 255 ? 255 : sum);
        }
    }
}

sumi_status resize_bytes(sumi_context *context, enum resize_filter filter, struct resize_size size,
                         int64_t channels, const uint8_t *from, struct resize_size to_size,
                         uint8_t *to)
{
    const struct resize how = {filter, true};
    if (filter == RESIZE_NEAREST || filter == RESIZE_AREA) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "bytes are resized by box, bilinear, bicubic or Lanczos filters only");
    }
    return resize_by(context, filter_bytes, sizeof *to, &how, size, channels, from, to_size, to);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures for CLIP. Pillow filters across, rounds to bytes, then filters down, with weights of 22
   bits after the point; its cubic filter has a = -1/2 and widens when shrinking. */
#include <math.h>

#include "features/clip.h"
#include "features/resize.h"

enum { POINT = 22 };

/* The filter of a side: pixel i is the sum of places first[i] ... with weights[i, taps]. */
struct filter {
    int source, size; /* of the side before and after */
    int taps;
    int *first, *count; /* [size] */
    int32_t *weights;   /* [size, taps] */
};

static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/* The weights of pixel i, which sum to one before they are rounded. */
static void fill_pixel(struct filter *filter, int i)
{
    double scale = (double)filter->source / filter->size, wide = fmax(scale, 1), sum = 0;
    double centre = (i + 0.5) * scale, radius = 2 * wide;
    int first = (int)fmax(centre - radius + 0.5, 0);
    int end = (int)fmin(centre + radius + 0.5, filter->source);
    filter->first[i] = first;
    filter->count[i] = end - first;
    for (int k = first; k < end; k++) sum += cubic((k - centre + 0.5) / wide);
    for (int k = first; k < end; k++) {
        double weight = cubic((k - centre + 0.5) / wide) / sum * (1 << POINT);
        filter->weights[i * filter->taps + k - first] =
            (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
}

static sumi_status make_filter(sumi_context *context, int source, int size, struct filter *filter)
{
    double wide = fmax((double)source / size, 1);
    *filter = (struct filter){.source = source, .size = size, .taps = 2 * (int)ceil(2 * wide) + 1};
    filter->first = context_allocate(context, (size_t)size, 2 * sizeof *filter->first);
    filter->weights =
        context_allocate(context, (size_t)size * (size_t)filter->taps, sizeof *filter->weights);
    if (!filter->first || !filter->weights) return SUMI_ERROR_MEMORY;
    filter->count = filter->first + size;
    for (int i = 0; i < size; i++) fill_pixel(filter, i);
    return SUMI_OK;
}

static void release_filter(sumi_context *context, struct filter *filter)
{
    context_release(context, filter->first);
    context_release(context, filter->weights);
}

/* Pixel i of a side whose places are `step` bytes apart. */
static uint8_t apply(const struct filter *filter, int i, const uint8_t *bytes, size_t step)
{
    const int32_t *weights = filter->weights + i * filter->taps;
    int64_t sum = 1 << (POINT - 1);
    for (int k = 0; k < filter->count[i]; k++)
        sum += (int64_t)weights[k] * bytes[(size_t)(filter->first[i] + k) * step];
    sum >>= POINT;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* ---- A picture ---- */

struct scaling {
    const struct clip_features *clip;
    int height, width;   /* before */
    int top, left, size; /* of what is cut out of the scaled picture */
    struct filter down, across;
    uint8_t *rows; /* [height, size, 3] */
};

static void scale_picture(const struct scaling *s, const uint8_t *bytes, float *input)
{
    size_t wide = 3 * (size_t)s->size;
    for (int y = 0; y < s->height; y++) {
        for (int i = 0; i < 3 * s->size; i++)
            s->rows[(size_t)y * wide + (size_t)i] = apply(
                &s->across, s->left + i / 3, bytes + (size_t)y * (size_t)s->width * 3 + i % 3, 3);
    }
    for (int y = 0; y < s->size; y++) {
        for (int i = 0; i < 3 * s->size; i++) {
            uint8_t value = apply(&s->down, s->top + y, s->rows + i, wide);
            *input++ = (float)((value / 255.0 - s->clip->mean[i % 3]) / s->clip->deviation[i % 3]);
        }
    }
}

/* The shorter side becomes `size`, the other what the ratio gives, rounded down. */
sumi_status resize_for_clip(const sumi_features *features, int height, int width,
                            const uint8_t *bytes, float *input)
{
    sumi_context *context = features->context;
    int size = features->size, shorter = height < width ? height : width;
    int tall = (int)((int64_t)size * height / shorter),
        wide = (int)((int64_t)size * width / shorter);
    struct scaling s = {.clip = features->settings,
                        .height = height,
                        .width = width,
                        .top = (tall - size) / 2,
                        .left = (wide - size) / 2,
                        .size = size};
    s.rows = context_allocate(context, (size_t)height, 3 * (size_t)size);
    sumi_status status = s.rows ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = make_filter(context, height, tall, &s.down);
    if (status == SUMI_OK) status = make_filter(context, width, wide, &s.across);
    if (status == SUMI_OK) scale_picture(&s, bytes, input);
    release_filter(context, &s.down);
    release_filter(context, &s.across);
    context_release(context, s.rows);
    return status;
}

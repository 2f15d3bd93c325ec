/* SPDX-License-Identifier: Apache-2.0 */
/* Bilinear resizing for Inception; see resize.h. */
#include "features/resize.h"

#include <math.h>

/* Between which two places of a side a pixel lies, and how near it is to the second. */
struct place {
    int low, high;
    float share;
};

static struct place place_of(int way, int pixel, int size, int source)
{
    float scale = (float)source / (float)size, at = (float)pixel * scale;
    if (way == RESIZE_TORCH) at = fmaxf(((float)pixel + 0.5f) * scale - 0.5f, 0);
    int low = (int)at;
    if (low > source - 1) low = source - 1;
    return (struct place){low, low + 1 < source ? low + 1 : low, at - (float)low};
}

sumi_status resize_for_inception(const sumi_features *features, int height, int width,
                                 const uint8_t *bytes, float *input)
{
    int way = features->options.resize, size = features->size;
    float unit = way == RESIZE_TORCH ? 2 / 255.0f : 1 / 128.0f;
    for (int y = 0; y < size; y++) {
        struct place down = place_of(way, y, size, height);
        for (int x = 0; x < size; x++) {
            struct place across = place_of(way, x, size, width);
            for (int c = 0; c < 3; c++) {
                float a = bytes[(down.low * width + across.low) * 3 + c];
                float b = bytes[(down.low * width + across.high) * 3 + c];
                float d = bytes[(down.high * width + across.low) * 3 + c];
                float e = bytes[(down.high * width + across.high) * 3 + c];
                float top = a + (b - a) * across.share, bottom = d + (e - d) * across.share;
                *input++ = (top + (bottom - top) * down.share) * unit - 1;
            }
        }
    }
    return SUMI_OK;
}

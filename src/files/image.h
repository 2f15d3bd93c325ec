/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of 8 bits a channel: reading PNG and JPEG, fitting to a size, and conversion to and from
   float values. */
#ifndef SUMI_FILES_IMAGE_H
#define SUMI_FILES_IMAGE_H

#include "base/context.h"

#define IMAGE_PIXEL_LIMIT ((int64_t)1 << 27) /* larger pictures are refused before allocation */

typedef struct image {
    int width, height, channels; /* 1 (grey) or 3 (red, green, blue) */
    uint8_t *pixels;             /* [height, width, channels] */
} image;

/* Whether the bytes begin as a PNG or JPEG file does. */
bool image_is_png(const void *bytes, size_t size);
bool image_is_jpeg(const void *bytes, size_t size);

/* Decodes PNG or JPEG (detected from the contents) to grey (`channels` 1), colour (3) or whichever
   the file has (0). Composites transparent parts on white, reduces 16 bits to 8, resolves palettes
   and applies the Exif orientation. `name` is for messages. */
sumi_status image_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                         int channels, image *result);
sumi_status image_read(sumi_context *context, const char *path, int channels, image *result);
/* Reads the size of the upright picture and its channels, without decoding its pixels, which stay
   NULL. */
sumi_status image_measure(sumi_context *context, const char *path, image *result);
/* The same from a file's bytes; `name` is for messages. */
sumi_status image_measure_bytes(sumi_context *context, const void *bytes, size_t size,
                                const char *name, image *result);
void image_release(sumi_context *context, image *picture);

/* Turns a picture of an orientation, 1 to 8 (files/exif.h), upright, which may swap width and
   height. Other numbers leave it unchanged. */
sumi_status image_turn(sumi_context *context, int orientation, image *picture);
/* Whether that swaps them. */
bool image_turn_swaps(int orientation);

/* Scales to cover width x height (triangle filter, widened when shrinking to avoid aliasing), crops
   to the centre, and writes output[height, width, channels], channels 1 or 3. */
sumi_status image_fit(sumi_context *context, const image *picture, int width, int height,
                      int channels, uint8_t *output);

/* Converts bytes 0..255 to -1..1 and back (rounded, clamped; NaN becomes 0). */
void image_to_float(const uint8_t *pixels, size_t count, float *values);
void image_from_float(const float *values, size_t count, uint8_t *pixels);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the size of a picture as PyTorch and Pillow do, in whose sizes networks were trained.
   Unlike image_fit, the two directions have scales of their own. */
#ifndef SUMI_FILES_RESIZE_H
#define SUMI_FILES_RESIZE_H

#include "base/context.h"

enum resize_filter {
    RESIZE_NEAREST,
    RESIZE_AREA, /* the mean of the pixels that an output pixel touches */
    RESIZE_BOX,
    RESIZE_BILINEAR,
    RESIZE_BICUBIC,
    RESIZE_LANCZOS /* of three lobes */
};

struct resize {
    enum resize_filter filter;
    bool antialias; /* the filter is as wide as output pixels are; that of Pillow always is */
};

struct resize_size {
    int64_t height, width;
};

/* from[height, width, channels] to `to`[height, width, channels] in floats, as torch's interpolate
   with align_corners false. Box and Lanczos are those with antialias only. */
sumi_status resize_floats(sumi_context *context, const struct resize *how, struct resize_size size,
                          int64_t channels, const float *from, struct resize_size to_size,
                          float *to);

/* The same in bytes, rounded after each direction, as Pillow's resize; for box, bilinear, bicubic
   and Lanczos. */
sumi_status resize_bytes(sumi_context *context, enum resize_filter filter, struct resize_size size,
                         int64_t channels, const uint8_t *from, struct resize_size to_size,
                         uint8_t *to);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A small picture in memory: images side by side, within the size of a terminal. */
#ifndef TOOL_RASTER_H
#define TOOL_RASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "sumi.h"

#define RASTER_NOTHING UINT32_MAX /* a pixel of the gaps between images */

struct raster {
    int width, height; /* in pixels */
    uint32_t *pixels;  /* [height, width]: 0xrrggbb or RASTER_NOTHING */
};

/* The first images of images[n,h,w,c] (values -1..1; one channel is grey, three are a colour,
   others are drawn side by side), `columns` of them side by side (0 for as many as remain legible),
   in as many rows as fit, in room_width x room_height pixels with a gap of 1. Images are magnified
   by a whole factor up to `factor`, or averaged down if there is too little space. NaN is red.
   False for a shape that is not images, or if memory runs out. Release `pixels` with free. */
bool raster_compose(const sumi_array *images, int columns, int room_width, int room_height,
                    int factor, struct raster *raster);

#endif

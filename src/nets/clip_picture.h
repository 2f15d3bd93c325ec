/* SPDX-License-Identifier: Apache-2.0 */
/* How pictures are prepared for CLIP's encoder: the shorter side brought to a size, the centre cut
   out, values scaled and normalised by channel, as preprocessor_config.json says. */
#ifndef SUMI_NETS_CLIP_PICTURE_H
#define SUMI_NETS_CLIP_PICTURE_H

#include "base/context.h"

struct clip_picture {
    int64_t shorter;                      /* side after resizing; 0: pictures keep their size */
    int64_t height, width;                /* that is cut out of the centre; 0: all of it */
    double mean[3], deviation[3], factor; /* (factor byte - mean) / deviation */
};

/* Reads the text of a preprocessor_config.json; keys that it lacks are those of CLIP-L. */
sumi_status clip_picture_parse(sumi_context *context, const char *json, const char *source,
                               struct clip_picture *picture);

/* CLIP's with another size. */
struct clip_picture clip_picture_of(int64_t size);

/* The size of the result for a picture of that size. */
void clip_picture_size(const struct clip_picture *picture, const int64_t size[2],
                       int64_t result[2]);

/* Prepares bytes[size[0], size[1], 3]: output[height, width, 3] of clip_picture_size. Where the
   picture is smaller than what is cut out, the rest is as black bytes are. */
sumi_status clip_picture_prepare(sumi_context *context, const struct clip_picture *picture,
                                 const int64_t size[2], const uint8_t *bytes, float *output);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* PNG with libspng: decoding with limits, encoding in memory. */
#ifndef SUMI_FILES_PNG_H
#define SUMI_FILES_PNG_H

#include "files/image.h"

/* Decodes to 1 channel, or to 3 if the file has colour; composites alpha on white. */
sumi_status png_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                       image *result);

/* Reads width, height and channels from the header, and no pixels. */
sumi_status png_measure(sumi_context *context, const void *bytes, size_t size, const char *name,
                        image *result);

/* Encodes to new memory for context_release: 8-bit grey or RGB or, with a palette[colours, 3] (or
   NULL), pixels that are indices into it. */
sumi_status png_encode(sumi_context *context, const image *picture, const uint8_t *palette,
                       int colours, void **bytes, size_t *size);

#endif

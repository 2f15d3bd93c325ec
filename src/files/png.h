/* SPDX-License-Identifier: Apache-2.0 */
/* PNG through libspng: decoding with limits, encoding in memory. */
#ifndef SUMI_FILES_PNG_H
#define SUMI_FILES_PNG_H

#include "files/image.h"

/* Decodes to 1 or 3 channels as the file has colour or not, alpha composited on white. */
sumi_status png_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                       image *result);

/* Encodes to new memory for context_release: 8-bit grey or RGB, or with a palette[colours, 3], NULL
   without, pixels that are numbers of its colours. */
sumi_status png_encode(sumi_context *context, const image *picture, const uint8_t *palette,
                       int colours, void **bytes, size_t *size);

#endif

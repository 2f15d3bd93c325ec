/* PNG through libspng: decoding with limits, encoding in memory. */
#ifndef SUMI_FILES_PNG_H
#define SUMI_FILES_PNG_H

#include "files/image.h"

/* Decodes to 1 or 3 channels as the file has colour or not, alpha composited on white. */
sumi_status png_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                       image *result);

/* Encodes 8-bit grey or RGB to new memory for context_release. */
sumi_status png_encode(sumi_context *context, const image *picture, void **bytes, size_t *size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG decoding with TurboJPEG, with limits; damaged files are refused. */
#ifndef SUMI_FILES_JPEG_H
#define SUMI_FILES_JPEG_H

#include "files/image.h"

/* Decodes to 1 channel, or to 3 if the file has colour. */
sumi_status jpeg_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                        image *result);

/* Reads width, height and channels from the header, and no pixels. */
sumi_status jpeg_measure(sumi_context *context, const void *bytes, size_t size, const char *name,
                         image *result);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG decoding through TurboJPEG, with limits; damaged files are refused, not half shown. */
#ifndef SUMI_FILES_JPEG_H
#define SUMI_FILES_JPEG_H

#include "files/image.h"

/* Decodes to 1 or 3 channels as the file has colour or not. */
sumi_status jpeg_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                        image *result);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The orientation that Exif metadata gives a picture: cameras store pixels in the order of their
   sensor, together with the orientation for display (Exif 2.3, tag 0x0112). */
#ifndef SUMI_FILES_EXIF_H
#define SUMI_FILES_EXIF_H

#include <stddef.h>

enum { EXIF_UPRIGHT = 1, EXIF_LAST = 8 };

/* The orientation, 1 to 8, in Exif data: a TIFF structure in either byte order, with or without a
   leading "Exif\0\0". 1 (upright) where there is none or the data are damaged. */
int exif_orientation(const void *bytes, size_t size);

/* The same for a whole file: from the APP1 segment of a JPEG; from the eXIf chunk of a PNG, or else
   the text "Raw profile type exif" of older programs. */
int exif_of_jpeg(const void *bytes, size_t size);
int exif_of_png(const void *bytes, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The orientation that Exif metadata gives a picture: cameras store pixels as their sensor reads
   them, and beside them which way up they are to be seen (Exif 2.3, tag 0x0112). */
#ifndef SUMI_FILES_EXIF_H
#define SUMI_FILES_EXIF_H

#include <stddef.h>

enum { EXIF_UPRIGHT = 1, EXIF_LAST = 8 };

/* The orientation, 1 to 8, of Exif data: a TIFF structure in either byte order, after "Exif\0\0" or
   not. 1, upright, where it says nothing or is damaged in any way. */
int exif_orientation(const void *bytes, size_t size);

/* The same of a whole file: the APP1 segment of a JPEG; the eXIf chunk of a PNG, or else the text
   "Raw profile type exif" that older programs write. */
int exif_of_jpeg(const void *bytes, size_t size);
int exif_of_png(const void *bytes, size_t size);

#endif

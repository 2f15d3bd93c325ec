/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as Exif data, and as a JPEG and a PNG with such data: always an orientation from 1 to
   8. The checksums of a PNG's chunks are corrected first, because otherwise they would refuse
   almost all inputs. */
#include <stdlib.h>
#include <string.h>

#include "files/exif.h"
#include "png_checksums.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int orientation)
{
    if (orientation < EXIF_UPRIGHT || orientation > EXIF_LAST) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    if (size) memcpy(copy, bytes, size);
    check(exif_orientation(copy, size));
    check(exif_of_jpeg(copy, size));
    put_checksums_right(copy, size);
    check(exif_of_png(copy, size));
    free(copy);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a PNG file: refused with a sentence, or decoded, converted and fitted. The checksums
   of the chunks are put right first, or else hardly any input would come past them. */
#include <stdlib.h>
#include <string.h>

#include "files/png.h"
#include "png_checksums.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(sumi_context *context, const image *picture)
{
    uint8_t small[8 * 6 * 3];
    if (image_fit(context, picture, 8, 6, 3, small) != SUMI_OK) abort();
    if (image_fit(context, picture, 6, 8, 1, small) != SUMI_OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    image picture, header;
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy || sumi_context_create(NULL, &context) != SUMI_OK) abort();
    if (size) memcpy(copy, bytes, size);
    put_checksums_right(copy, size);
    if (png_decode(context, copy, size, "fuzz", &picture) == SUMI_OK) {
        if (png_measure(context, copy, size, "fuzz", &header) != SUMI_OK) abort();
        if (header.width != picture.width || header.height != picture.height) abort();
        use(context, &picture);
        image_release(context, &picture);
    } else if (picture.pixels) {
        abort();
    }
    sumi_context_free(context);
    free(copy);
    return 0;
}

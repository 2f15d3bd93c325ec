/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a JPEG file: refused with a sentence, or decoded, converted and fitted. */
#include <stdlib.h>

#include "files/jpeg.h"

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
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 0;
    if (jpeg_decode(context, bytes, size, "fuzz", &picture) == SUMI_OK) {
        if (jpeg_measure(context, bytes, size, "fuzz", &header) != SUMI_OK) abort();
        if (header.width != picture.width || header.height != picture.height) abort();
        use(context, &picture);
        image_release(context, &picture);
    } else if (picture.pixels) {
        abort();
    }
    sumi_context_free(context);
    return 0;
}

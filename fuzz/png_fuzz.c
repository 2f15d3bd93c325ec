/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a PNG file: refused with a sentence, or decoded, converted and fitted. The checksums
   of the chunks are put right first, or else hardly any input would come past them. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "files/png.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(sumi_context *context, const image *picture)
{
    uint8_t small[8 * 6 * 3];
    if (image_fit(context, picture, 8, 6, 3, small) != SUMI_OK) abort();
    if (image_fit(context, picture, 6, 8, 1, small) != SUMI_OK) abort();
}

static void put_checksums_right(uint8_t *bytes, size_t size)
{
    enum { SIGNATURE = 8, LENGTH = 4, TYPE = 4, CHECKSUM = 4 };
    size_t place = SIGNATURE;
    while (place < size && size - place >= LENGTH + TYPE + CHECKSUM) {
        uint8_t *chunk = bytes + place;
        size_t length =
            (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
        if (length > size - place - (LENGTH + TYPE + CHECKSUM)) return;
        uLong sum = crc32(0, chunk + LENGTH, (uInt)(TYPE + length));
        for (int i = 0; i < CHECKSUM; i++) {
            chunk[LENGTH + TYPE + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        }
        place += LENGTH + TYPE + length + CHECKSUM;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sumi_context *context = NULL;
    image picture;
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy || sumi_context_create(NULL, &context) != SUMI_OK) abort();
    if (size) memcpy(copy, bytes, size);
    put_checksums_right(copy, size);
    if (png_decode(context, copy, size, "fuzz", &picture) == SUMI_OK) {
        use(context, &picture);
        image_release(context, &picture);
    } else if (picture.pixels) {
        abort();
    }
    sumi_context_free(context);
    free(copy);
    return 0;
}

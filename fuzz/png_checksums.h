/* SPDX-License-Identifier: Apache-2.0 */
/* Putting the checksums of a PNG file's chunks right, so that changed bytes come past them. */
#ifndef FUZZ_PNG_CHECKSUMS_H
#define FUZZ_PNG_CHECKSUMS_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

static inline void put_checksums_right(uint8_t *bytes, size_t size)
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

#endif

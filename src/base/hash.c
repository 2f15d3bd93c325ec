/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums; see hash.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Each step can be undone, so that no bit is lost on the way. */
uint64_t hash_word(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15); /* odd: 2^64 over the golden ratio */
    return sum ^ sum >> 29;
}

uint64_t hash_bytes(uint64_t sum, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t word;
    for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        sum = hash_word(sum, word);
    }
    word = size;
    for (size_t i = 0; i < size; i++) word = word << 8 | bytes[i];
    return hash_word(sum, word);
}

uint64_t hash_file(uint64_t sum, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0) return sum;
    sum = hash_word(sum, (uint64_t)about.st_size);
    sum = hash_word(sum, (uint64_t)about.st_mtim.tv_sec);
    return hash_word(sum, (uint64_t)about.st_mtim.tv_nsec);
}

void hash_to_text(uint64_t sum, char text[HASH_TEXT])
{
    snprintf(text, HASH_TEXT, "%016" PRIx64, sum);
}

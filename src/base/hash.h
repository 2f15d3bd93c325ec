/* SPDX-License-Identifier: Apache-2.0 */
/* A checksum of 64 bits, by which contents are known again. It shows what changed by accident, and
   is no protection against what was made to look alike. */
#ifndef SUMI_BASE_HASH_H
#define SUMI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The sum after the next eight bytes, or after data[size]; the first sum is 1. */
uint64_t hash_word(uint64_t sum, uint64_t word);
uint64_t hash_bytes(uint64_t sum, const void *data, size_t size);

/* The sum after a file's size and time of writing, which change with its contents; the same sum
   where there is no such file. */
uint64_t hash_file(uint64_t sum, const char *path);

/* A sum in hexadecimal. */
enum { HASH_TEXT = 17 };
void hash_to_text(uint64_t sum, char text[HASH_TEXT]);

#endif

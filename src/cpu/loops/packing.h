/* SPDX-License-Identifier: Apache-2.0 */
/* Copying operands of products to panels. A panel holds words of four bytes, a float32 or two
   bfloat16 that follow each other along k, in the order in which the product reads them. Arrays of
   16-bit numbers are widened on the way, so that no more of them than a panel is ever float32;
   those of float32 are rounded on the way to pairs. */
#ifndef SUMI_CPU_LOOPS_PACKING_H
#define SUMI_CPU_LOOPS_PACKING_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__F16C__) || defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#include "base/bfloat16.h"
#include "base/float16.h"

/* What words are made from: numbers of a type, one a word, or pairs of bfloat16, as they are or
   rounded from float32. */
enum packing { PACK_FLOAT32, PACK_BFLOAT16, PACK_FLOAT16, PACK_PAIRS, PACK_ROUNDED };

#define PACKING_INLINE static inline __attribute__((always_inline))

/* Bytes of a number in the array, and numbers of a word. */
PACKING_INLINE int64_t packed_bytes(enum packing packing)
{
    bool float32 = packing == PACK_FLOAT32 || packing == PACK_ROUNDED;
    return float32 ? (int64_t)sizeof(float) : (int64_t)sizeof(bfloat16);
}

PACKING_INLINE int64_t packed_numbers(enum packing packing)
{
    return packing == PACK_PAIRS || packing == PACK_ROUNDED ? 2 : 1;
}

PACKING_INLINE const void *packed_at(const void *data, enum packing packing, int64_t i)
{
    return (const char *)data + i * packed_bytes(packing);
}

/* The bits of a float32 rounded to nearest even bfloat16. */
PACKING_INLINE uint32_t rounded_bits(float x)
{
    return bfloat16_from_float(x);
}

/* ---- Numbers that lie side by side and belong to different panel columns ---- */

/* to[count] from numbers next to each other; of pairs the second ones lie `below` numbers behind
   the first, or are zeros where `below` is 0. */
PACKING_INLINE void pack_row(enum packing packing, const void *from, int64_t below, int64_t count,
                             float *to)
{
    const uint16_t *halves = (const uint16_t *)from;
    const float *floats = (const float *)from;
    if (packing == PACK_FLOAT32) memcpy(to, from, (size_t)count * sizeof *to);
    for (int64_t i = 0; packing == PACK_BFLOAT16 && i < count; i++) {
        to[i] = bfloat16_to_float(halves[i]);
    }
    for (int64_t i = 0; packing == PACK_FLOAT16 && i < count; i++) {
        to[i] = float16_to_float(halves[i]);
    }
    for (int64_t i = 0; packing == PACK_PAIRS && i < count; i++) {
        uint32_t word = halves[i] | (below ? (uint32_t)halves[below + i] << 16 : 0);
        memcpy(to + i, &word, sizeof word);
    }
    for (int64_t i = 0; packing == PACK_ROUNDED && i < count; i++) {
        uint32_t word = rounded_bits(floats[i]);
        if (below) word |= rounded_bits(floats[below + i]) << 16;
        memcpy(to + i, &word, sizeof word);
    }
}

/* ---- Numbers that lie side by side along k ---- */

typedef float four __attribute__((vector_size(16)));
typedef uint32_t four_bits __attribute__((vector_size(16)));
typedef uint16_t four_halves __attribute__((vector_size(8)));

/* Four pairs of eight float32. */
PACKING_INLINE four four_rounded(const float *from)
{
    four words;
#if defined(__AVX512BF16__)
    const __m128bh pairs = _mm256_cvtneps_pbh(_mm256_loadu_ps(from));
    memcpy(&words, &pairs, sizeof words);
#else
    uint32_t bits[4];
    for (int i = 0; i < 4; i++) {
        bits[i] = rounded_bits(from[2 * i]) | rounded_bits(from[2 * i + 1]) << 16;
    }
    memcpy(&words, bits, sizeof words);
#endif
    return words;
}

/* Four words along k. */
PACKING_INLINE four four_words(enum packing packing, const void *from)
{
    four words;
    four_halves halves;
    if (packing == PACK_FLOAT32 || packing == PACK_PAIRS) {
        memcpy(&words, from, sizeof words);
        return words;
    }
    if (packing == PACK_ROUNDED) return four_rounded(from);
    memcpy(&halves, from, sizeof halves);
    if (packing == PACK_BFLOAT16) return (four)(__builtin_convertvector(halves, four_bits) << 16);
#if defined(__F16C__)
    return (four)_mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)from));
#else
    for (int i = 0; i < 4; i++) words[i] = float16_to_float(halves[i]);
    return words;
#endif
}

/* One word, of a pair with zero behind it unless `whole`. */
PACKING_INLINE void one_word(enum packing packing, const void *from, bool whole, float *to)
{
    uint16_t half = 0;
    uint32_t word = 0;
    if (packing == PACK_ROUNDED) {
        const float *floats = (const float *)from;
        word = rounded_bits(floats[0]) | (whole ? rounded_bits(floats[1]) << 16 : 0);
        memcpy(to, &word, sizeof word);
        return;
    }
    memcpy(&half, from, sizeof half);
    switch (packing) {
    case PACK_FLOAT32: memcpy(to, from, sizeof *to); return;
    case PACK_BFLOAT16: *to = bfloat16_to_float(half); return;
    case PACK_FLOAT16: *to = float16_to_float(half); return;
    case PACK_PAIRS:
    case PACK_ROUNDED: break;
    }
    if (whole) memcpy(&word, from, sizeof word);
    else word = half;
    memcpy(to, &word, sizeof word);
}

/* Transposes 4x4 words: rows of `step` bytes apart become rows of `width` words. */
PACKING_INLINE void pack_square(enum packing packing, const char *from, int64_t step, float *to,
                                int64_t width)
{
    four row[4];
    for (int j = 0; j < 4; j++) row[j] = four_words(packing, from + j * step);
    const four low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
    const four low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
    const four up01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
    const four up23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
    const four turned[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                            __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                            __builtin_shufflevector(up01, up23, 0, 1, 4, 5),
                            __builtin_shufflevector(up01, up23, 2, 3, 6, 7)};
    for (int l = 0; l < 4; l++) memcpy(to + l * width, &turned[l], sizeof *turned);
}

/* to[words][width] from `count` lines of `depth` numbers along k, `step` numbers apart. */
PACKING_INLINE void pack_lines(enum packing packing, const void *lines, int64_t step, int64_t depth,
                               int64_t count, float *to, int64_t width)
{
    const char *from = (const char *)lines;
    const int64_t numbers = packed_numbers(packing), word = numbers * packed_bytes(packing);
    const int64_t words = (depth + numbers - 1) / numbers;
    const int64_t whole = count / 4 * 4, even = depth / numbers / 4 * 4;
    step *= packed_bytes(packing);
    for (int64_t l = 0; l < even; l += 4) {
        for (int64_t j = 0; j < whole; j += 4) {
            pack_square(packing, from + j * step + l * word, step, to + l * width + j, width);
        }
    }
    for (int64_t j = 0; j < count; j++) {
        for (int64_t l = j < whole ? even : 0; l < words; l++) {
            one_word(packing, from + j * step + l * word, (l + 1) * numbers <= depth,
                     to + l * width + j);
        }
    }
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The types of numbers in files, and their conversion to and from float32. */
#ifndef SUMI_FILES_NUMBER_H
#define SUMI_FILES_NUMBER_H

#include "files/source.h"

typedef enum number_type {
    NUMBER_BOOL,
    NUMBER_U8,
    NUMBER_I8,
    NUMBER_U16,
    NUMBER_I16,
    NUMBER_U32,
    NUMBER_I32,
    NUMBER_U64,
    NUMBER_I64,
    NUMBER_F16,
    NUMBER_BF16,
    NUMBER_F32,
    NUMBER_F64,
    NUMBER_TYPES /* the number of types */
} number_type;

size_t number_size(number_type type);      /* bytes of one number */
const char *number_name(number_type type); /* as safetensors spells it: "F32", "BF16", "BOOL" */

/* Converts `count` numbers of any alignment and of the given byte order to float32. Rounds large
   integers and F64 to the nearest float32. */
void numbers_to_float(number_type type, bool big_endian, const void *numbers, size_t count,
                      float *output);

/* Converts `count` float32 to little-endian F32, F16 or BF16, rounded to nearest even. */
void numbers_from_float(number_type type, const float *values, size_t count, void *numbers);

/* Reads `count` numbers at an offset of a source and converts them. */
sumi_status source_read_numbers(const byte_source *source, uint64_t offset, number_type type,
                                bool big_endian, size_t count, float *output);

/* Computes the product of the dimensions. False if one is negative, or if the product of the
   non-zero ones overflows, so that products of any of the dimensions cannot overflow either. */
bool shape_elements(int rank, const int64_t *shape, int64_t *count);

#endif

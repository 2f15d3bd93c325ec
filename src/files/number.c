/* SPDX-License-Identifier: Apache-2.0 */
/* Conversion between the number types of files and float32; see number.h. */
#include "files/number.h"

#include "base/float16.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "numbers are copied to and from little-endian files without conversion");

static const struct {
    const char *name;
    size_t size;
} types[NUMBER_TYPES] = {
    [NUMBER_BOOL] = {"BOOL", 1}, [NUMBER_U8] = {"U8", 1},     [NUMBER_I8] = {"I8", 1},
    [NUMBER_U16] = {"U16", 2},   [NUMBER_I16] = {"I16", 2},   [NUMBER_U32] = {"U32", 4},
    [NUMBER_I32] = {"I32", 4},   [NUMBER_U64] = {"U64", 8},   [NUMBER_I64] = {"I64", 8},
    [NUMBER_F16] = {"F16", 2},   [NUMBER_BF16] = {"BF16", 2}, [NUMBER_F32] = {"F32", 4},
    [NUMBER_F64] = {"F64", 8},
};

size_t number_size(number_type type)
{
    return types[type].size;
}

const char *number_name(number_type type)
{
    return types[type].name;
}

static float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t float_to_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Shifts out the lowest `shift` bits, rounding to nearest even. */
static uint32_t round_shift(uint32_t bits, int shift)
{
    uint32_t half = 1u << (shift - 1);
    return (bits + (half - 1) + (bits >> shift & 1)) >> shift;
}

static uint16_t half_from_float(float value)
{
    uint32_t bits = float_to_bits(value), magnitude = bits & 0x7FFFFFFFu;
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    if (magnitude > 0x7F800000u) return sign | 0x7E00;  /* NaN becomes a quiet NaN */
    if (magnitude >= 0x477FF000u) return sign | 0x7C00; /* 65520 and above round to infinity */
    if (magnitude >= 0x38800000u) {                     /* 2^-14 and above: a normal number */
        return sign | (uint16_t)round_shift(magnitude - (112u << 23), 13);
    }
    if (magnitude < 0x33000000u) return sign; /* below half of the smallest subnormal */
    int shift = 126 - (int)(magnitude >> 23);
    return sign | (uint16_t)round_shift((magnitude & 0x7FFFFFu) | 0x800000u, shift);
}

static uint16_t brain_from_float(float value)
{
    uint32_t bits = float_to_bits(value);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)round_shift(bits, 16);
}

static uint64_t load(const uint8_t *bytes, size_t size, bool big_endian)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++) {
        word |= (uint64_t)bytes[big_endian ? size - 1 - i : i] << (8 * i);
    }
    return word;
}

static float float_from_word(number_type type, uint64_t word)
{
    double wide;
    switch (type) {
    case NUMBER_BOOL: return word ? 1.0f : 0.0f;
    case NUMBER_I8: return (float)(int8_t)word;
    case NUMBER_I16: return (float)(int16_t)word;
    case NUMBER_I32: return (float)(int32_t)word;
    case NUMBER_I64: return (float)(int64_t)word;
    case NUMBER_F16: return float16_to_float((float16)word);
    case NUMBER_BF16: return float_from_bits((uint32_t)word << 16);
    case NUMBER_F32: return float_from_bits((uint32_t)word);
    case NUMBER_F64: memcpy(&wide, &word, sizeof wide); return (float)wide;
    default: return (float)word; /* the unsigned integers */
    }
}

void numbers_to_float(number_type type, bool big_endian, const void *numbers, size_t count,
                      float *output)
{
    const uint8_t *bytes = numbers;
    size_t size = number_size(type);
    if (type == NUMBER_F32 && !big_endian) {
        if (count) memcpy(output, numbers, count * size);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        output[i] = float_from_word(type, load(bytes + i * size, size, big_endian));
    }
}

void numbers_from_float(number_type type, const float *values, size_t count, void *numbers)
{
    uint8_t *bytes = numbers;
    size_t size = number_size(type);
    if (type == NUMBER_F32) {
        if (count) memcpy(numbers, values, count * size);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t word = type == NUMBER_F16    ? half_from_float(values[i])
                        : type == NUMBER_BF16 ? brain_from_float(values[i])
                                              : float_to_bits(values[i]);
        for (size_t k = 0; k < size; k++) bytes[i * size + k] = (uint8_t)(word >> (8 * k));
    }
}

sumi_status source_read_numbers(const byte_source *source, uint64_t offset, number_type type,
                                bool big_endian, size_t count, float *output)
{
    uint8_t buffer[16384];
    size_t size = number_size(type), capacity = sizeof buffer / size;
    while (count > 0) {
        size_t part = count < capacity ? count : capacity;
        TRY(source_read(source, offset, buffer, part * size));
        numbers_to_float(type, big_endian, buffer, part, output);
        offset += part * size;
        output += part;
        count -= part;
    }
    return SUMI_OK;
}

bool shape_elements(int rank, const int64_t *shape, int64_t *count)
{
    int64_t product = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0) return false;
        if (shape[i] == 0) {
            empty = true;
        } else if (__builtin_mul_overflow(product, shape[i], &product)) {
            return false;
        }
    }
    *count = empty ? 0 : product;
    return true;
}

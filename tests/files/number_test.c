/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions against values written down from the definitions of the formats. */
#include "check.h"

#include "files/number.h"

static float one(number_type type, bool big_endian, const void *bytes)
{
    float value = 0;
    numbers_to_float(type, big_endian, bytes, 1, &value);
    return value;
}

static float half(uint16_t bits)
{
    uint8_t bytes[] = {(uint8_t)bits, (uint8_t)(bits >> 8)};
    return one(NUMBER_F16, false, bytes);
}

static void halves_have_their_published_values(void **state)
{
    (void)state;
    assert_true(half(0x3c00) == 1.0f);
    assert_true(half(0xc000) == -2.0f);
    assert_true(half(0x7bff) == 65504.0f);
    assert_true(half(0x0400) == 0x1p-14f); /* the smallest normal */
    assert_true(half(0x03ff) == 0x1.ff8p-15f);
    assert_true(half(0x0001) == 0x1p-24f); /* the smallest subnormal */
    assert_true(half(0x8001) == -0x1p-24f);
    assert_true(half(0x3555) == 0x1.554p-2f); /* nearest to 1/3 */
    assert_true(half(0x0000) == 0.0f && !signbit(half(0x0000)));
    assert_true(half(0x8000) == 0.0f && signbit(half(0x8000)));
    assert_true(half(0x7c00) == INFINITY && half(0xfc00) == -INFINITY);
    assert_true(isnan(half(0x7c01)) && isnan(half(0xfe00)));
}

static void every_half_comes_back_from_float_unchanged(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        float value = half((uint16_t)bits);
        uint8_t back[2];
        numbers_from_float(NUMBER_F16, &value, 1, back);
        uint32_t result = back[0] | (uint32_t)back[1] << 8;
        if (isnan(value)) assert_true((result & 0x7c00) == 0x7c00 && (result & 0x3ff));
        else assert_int_equal(result, bits);
    }
}

static void floats_round_to_the_nearest_half_ties_to_even(void **state)
{
    (void)state;
    static const struct {
        float value;
        uint16_t bits;
    } cases[] = {
        {0x1.001p0f, 0x3c00},    {0x1.002p0f, 0x3c00}, /* a tie: to even, down */
        {0x1.002002p0f, 0x3c01}, {0x1.006p0f, 0x3c02}, /* a tie: to even, up */
        {65519.996f, 0x7bff},    {65520.0f, 0x7c00},     {1e30f, 0x7c00},
        {-1e30f, 0xfc00},        {0x1p-25f, 0x0000},     {0x1.000002p-25f, 0x0001},
        {0x1.8p-24f, 0x0002},    {0x1.ffcp-15f, 0x0400}, {0x1p-149f, 0x0000},
        {-0x1p-30f, 0x8000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[2];
        numbers_from_float(NUMBER_F16, &cases[i].value, 1, bytes);
        assert_int_equal(bytes[0] | bytes[1] << 8, cases[i].bits);
    }
}

static void brain_floats_are_the_upper_half_of_floats(void **state)
{
    (void)state;
    static const struct {
        float value;
        uint16_t bits;
    } cases[] = {
        {1.0f, 0x3f80},      {-2.0f, 0xc000},         {0x1.01p0f, 0x3f80}, /* a tie: down */
        {0x1.03p0f, 0x3f82}, {0x1.010002p0f, 0x3f81}, {INFINITY, 0x7f80},  {3.4e38f, 0x7f80},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[2];
        numbers_from_float(NUMBER_BF16, &cases[i].value, 1, bytes);
        assert_int_equal(bytes[0] | bytes[1] << 8, cases[i].bits);
    }
    assert_true(one(NUMBER_BF16, false, "\x80\x3f") == 1.0f);
    assert_true(one(NUMBER_BF16, false, "\x01\x00") == 0x1p-133f); /* subnormal */
    assert_true(one(NUMBER_BF16, false, "\x80\xff") == -INFINITY);
    float not_a_number = NAN;
    uint8_t bytes[2];
    numbers_from_float(NUMBER_BF16, &not_a_number, 1, bytes);
    assert_true(isnan(one(NUMBER_BF16, false, bytes)));
}

static void integers_and_doubles_convert_in_both_byte_orders(void **state)
{
    (void)state;
    assert_true(one(NUMBER_BOOL, false, "\x02") == 1.0f);
    assert_true(one(NUMBER_U8, false, "\xff") == 255.0f);
    assert_true(one(NUMBER_I8, false, "\xff") == -1.0f);
    assert_true(one(NUMBER_U16, false, "\x01\x80") == 32769.0f);
    assert_true(one(NUMBER_I16, true, "\x80\x01") == -32767.0f);
    assert_true(one(NUMBER_U32, true, "\xff\xff\xff\x00") == 4294967040.0f);
    assert_true(one(NUMBER_I32, false, "\xfe\xff\xff\xff") == -2.0f);
    assert_true(one(NUMBER_I64, true, "\xff\xff\xff\xff\xff\xff\xff\xfd") == -3.0f);
    assert_true(one(NUMBER_U64, false, "\0\0\0\0\0\0\0\x80") == 0x1p63f);
    assert_true(one(NUMBER_F32, true, "\x3f\xc0\0\0") == 1.5f);
    assert_true(one(NUMBER_F64, false, "\0\0\0\0\0\0\xf8\xbf") == -1.5f);
    assert_true(one(NUMBER_F64, true, "\x7f\xf0\0\0\0\0\0\0") == INFINITY);
}

static void shapes_are_counted_without_overflow(void **state)
{
    (void)state;
    int64_t count = -1;
    assert_true(shape_elements(0, NULL, &count) && count == 1);
    assert_true(shape_elements(3, (int64_t[]){2, 3, 4}, &count) && count == 24);
    assert_true(shape_elements(2, (int64_t[]){0, INT64_MAX}, &count) && count == 0);
    assert_false(shape_elements(1, (int64_t[]){-1}, &count));
    assert_false(shape_elements(2, (int64_t[]){INT64_MAX, 2}, &count));
    assert_false(shape_elements(3, (int64_t[]){0, INT64_MAX, 2}, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_have_their_published_values),
        cmocka_unit_test(every_half_comes_back_from_float_unchanged),
        cmocka_unit_test(floats_round_to_the_nearest_half_ties_to_even),
        cmocka_unit_test(brain_floats_are_the_upper_half_of_floats),
        cmocka_unit_test(integers_and_doubles_convert_in_both_byte_orders),
        cmocka_unit_test(shapes_are_counted_without_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

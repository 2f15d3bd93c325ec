/* SPDX-License-Identifier: Apache-2.0 */
/* The random numbers: known values of the generator, and moments of its distributions. */
#include "base/philox.h"
#include "check.h"

/* Known answers published with the Random123 library for philox4x32-10. */
static void philox_gives_the_published_words(void **state)
{
    (void)state;
    uint32_t words[4];
    philox_stream zero = {0, 0, 0};
    philox_block(&zero, 0, words);
    assert_int_equal(words[0], 0x6627e8d5u);
    assert_int_equal(words[1], 0xe169c58du);
    assert_int_equal(words[2], 0xbc57ac4cu);
    assert_int_equal(words[3], 0x9b00dbd8u);
    philox_stream ones = {UINT64_MAX, UINT32_MAX, UINT32_MAX};
    philox_block(&ones, UINT64_MAX, words);
    assert_int_equal(words[0], 0x408f276du);
    assert_int_equal(words[1], 0x41c83b0eu);
    assert_int_equal(words[2], 0xa20bc7c6u);
    assert_int_equal(words[3], 0x6d5451fdu);
}

static void normal_numbers_have_normal_moments(void **state)
{
    (void)state;
    enum { COUNT = 1 << 20 };
    static float draws[COUNT];
    philox_stream stream = {7, PURPOSE_NOISE, 3};
    philox_normal(&stream, 0, COUNT, draws);
    double moment[5] = {0};
    for (int i = 0; i < COUNT; i++) {
        for (int k = 1; k < 5; k++) moment[k] += pow(draws[i], k) / COUNT;
    }
    double unit = 1 / sqrt(COUNT); /* tolerances are five standard errors */
    CHECK_CLOSE(moment[1], 0, 5 * unit);
    CHECK_CLOSE(moment[2], 1, 5 * sqrt(2) * unit);
    CHECK_CLOSE(moment[3], 0, 5 * sqrt(15) * unit);
    CHECK_CLOSE(moment[4], 3, 5 * sqrt(96) * unit);
}

static void any_part_of_a_stream_is_the_same_as_in_the_whole(void **state)
{
    (void)state;
    float whole[64], part[64];
    philox_stream stream = {7, PURPOSE_NOISE, 3};
    philox_normal(&stream, 0, 64, whole);
    for (int first = 0; first < 64; first++) {
        philox_normal(&stream, (uint64_t)first, 64 - first, part);
        assert_memory_equal(part, whole + first, (size_t)(64 - first) * sizeof *part);
    }
}

static void whole_numbers_stay_below_their_limit_and_reach_all(void **state)
{
    (void)state;
    int seen[10] = {0};
    philox_stream stream = {1, PURPOSE_TIME, 0};
    for (uint64_t i = 0; i < 10000; i++) {
        uint64_t value = philox_below(&stream, i, 10);
        assert_true(value < 10);
        seen[value]++;
    }
    for (int i = 0; i < 10; i++) CHECK_CLOSE(seen[i], 1000, 5 * sqrt(900));
}

/* The word of this draw has all its upper 24 bits set, which in float32 rounds to 1. */
static void uniform_numbers_stay_below_one(void **state)
{
    (void)state;
    philox_stream stream = {0, PURPOSE_DROPOUT, 0};
    uint32_t words[4];
    philox_block(&stream, 1980494 / 4, words);
    assert_int_equal(words[1980494 % 4] >> 8, 0xffffff);
    assert_true(philox_uniform(&stream, 1980494) < 1);
    for (uint64_t i = 0; i < 10000; i++) {
        float draw = philox_uniform(&stream, i);
        assert_true(draw > 0 && draw < 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_words),
        cmocka_unit_test(normal_numbers_have_normal_moments),
        cmocka_unit_test(any_part_of_a_stream_is_the_same_as_in_the_whole),
        cmocka_unit_test(whole_numbers_stay_below_their_limit_and_reach_all),
        cmocka_unit_test(uniform_numbers_stay_below_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

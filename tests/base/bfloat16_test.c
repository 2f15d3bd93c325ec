/* SPDX-License-Identifier: Apache-2.0 */
/* bfloat16: what conversion gives, against the definition of rounding and against its table's
   corners. */
#include "base/bfloat16.h"
#include "check.h"

static void every_bfloat16_survives_a_round_trip(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits <= 0xffff; bits++) {
        float x = bfloat16_to_float((bfloat16)bits);
        if (isnan(x)) assert_true(isnan(bfloat16_to_float(bfloat16_from_float(x))));
        else assert_int_equal(bfloat16_from_float(x), bits);
    }
}

/* Between neighbours the nearer one is taken, and the even one from their middle. */
static void narrowing_rounds_to_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x7f7f; bits++) {
        double low = bfloat16_to_float((bfloat16)bits),
               high = bfloat16_to_float((bfloat16)(bits + 1));
        float middle = (float)((low + high) / 2); /* exact: one bit more */
        assert_int_equal(bfloat16_from_float(middle), bits & 1 ? bits + 1 : bits);
        assert_int_equal(bfloat16_from_float(nextafterf(middle, 0)), bits);
        assert_int_equal(bfloat16_from_float(nextafterf(middle, INFINITY)), bits + 1);
        assert_int_equal(bfloat16_from_float(-middle), 0x8000 | (bits & 1 ? bits + 1 : bits));
    }
}

static void what_is_beyond_the_largest_becomes_infinite_and_nan_stays(void **state)
{
    (void)state;
    assert_true(isinf(bfloat16_to_float(bfloat16_from_float(3.4028235e38f))));
    assert_true(bfloat16_to_float(bfloat16_from_float(3.3895314e38f)) == 3.3895314e38f);
    assert_true(isinf(bfloat16_to_float(bfloat16_from_float(-INFINITY))));
    uint32_t payload = 0x7f800001; /* a NaN whose bits all lie in the half that is cut off */
    float nan_value;
    memcpy(&nan_value, &payload, sizeof nan_value);
    assert_true(isnan(bfloat16_to_float(bfloat16_from_float(nan_value))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bfloat16_survives_a_round_trip),
        cmocka_unit_test(narrowing_rounds_to_nearest_and_ties_to_even),
        cmocka_unit_test(what_is_beyond_the_largest_becomes_infinite_and_nan_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

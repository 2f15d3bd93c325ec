/* SPDX-License-Identifier: Apache-2.0 */
/* Spherical interpolation, compared with properties of great circles. */
#include "check.h"

static void a_quarter_turn_is_walked_evenly(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    const float from[3] = {2, 0, 0}, to[3] = {0, 2, 0};
    float between[3];
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    for (double share = 0; share <= 1; share += 0.125) {
        CHECK_OK(context, sumi_slerp(context, 3, from, to, share, between));
        CHECK_CLOSE(between[0], 2 * cos(share * acos(0)), 1e-6);
        CHECK_CLOSE(between[1], 2 * sin(share * acos(0)), 1e-6);
    }
    CHECK_OK(context, sumi_slerp(context, 3, from, from, 0.3, between));
    CHECK_CLOSE(between[0], 2, 1e-6);
    assert_int_equal(sumi_slerp(context, 0, from, to, 0.5, between), SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_slerp(context, 3, from, to, NAN, between), SUMI_ERROR_ARGUMENT);
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_quarter_turn_is_walked_evenly)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

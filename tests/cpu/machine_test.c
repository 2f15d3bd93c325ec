/* SPDX-License-Identifier: Apache-2.0 */
/* The measured limits of the machine: that each is there and plausible. How fast is not tested. */
#include "check.h"
#include "cpu/bf16_speed.h"
#include "cpu/loops/speed.h"

static void each_limit_is_measured(void **state)
{
    (void)state;
    sumi_context *context;
    sumi_machine machine = {.size = sizeof machine};
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_context_set_threads(context, 2));
    CHECK_OK(context, sumi_machine_measure(context, &machine));
    assert_int_equal(machine.threads, 2);
    assert_true(strlen(machine.instructions) > 0);
    assert_true(machine.f32_one > 0 && isfinite(machine.f32_one));
    assert_true(machine.f32_all > 0 && isfinite(machine.f32_all));
    assert_true(machine.bytes_one > 0 && isfinite(machine.bytes_one));
    assert_true(machine.bytes_all > 0 && isfinite(machine.bytes_all));
    assert_true((machine.bf16_one > 0) == (machine.bf16_all > 0));
    sumi_context_free(context);
}

/* Each lane is drawn to 0.5 / (1 - 0.75) = 2, whatever it began with. */
static void the_arithmetic_is_done_in_every_lane(void **state)
{
    (void)state;
    const struct speed_loops *loops = speed_loops_select();
    CHECK_CLOSE(loops->multiply_add(1000), 2.0 * (double)(loops->operations / 2), 1e-3);
    assert_true(loops->multiply_add(0) != loops->multiply_add(1));
}

/* Each round adds twice 1 times 2^-8 to every lane. */
static void bfloat16_products_are_summed_in_every_lane(void **state)
{
    (void)state;
    const struct bf16_loop loop = bf16_loop_select();
    if (!loop.operations) skip();
    double lanes = (double)(loop.operations / 4);
    double grown = loop.multiply_add(256) - loop.multiply_add(0);
    CHECK_CLOSE(grown, 2.0 * lanes, 1e-2);
}

static void a_triad_adds_a_multiple(void **state)
{
    (void)state;
    float x[37], y[37], out[37];
    for (int i = 0; i < 37; i++) {
        x[i] = (float)i;
        y[i] = (float)(i * i);
    }
    speed_loops_select()->triad(37, x, y, 0.5f, out);
    for (int i = 0; i < 37; i++) CHECK_CLOSE(out[i], x[i] + 0.5f * y[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_limit_is_measured),
                                       cmocka_unit_test(the_arithmetic_is_done_in_every_lane),
                                       cmocka_unit_test(bfloat16_products_are_summed_in_every_lane),
                                       cmocka_unit_test(a_triad_adds_a_multiple)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

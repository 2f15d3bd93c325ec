/* SPDX-License-Identifier: Apache-2.0 */
/* Binary heartbeats: a pulse at every fifth place, and every phase as likely as the others. */
#include "opening.h"

enum { COUNT = 5000, LENGTH = 20, PERIOD = 5 };

static void a_pulse_comes_at_every_fifth_place(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = heartbeat\ncount = 5000\nlabels = yes\n", NULL);
    int64_t shape[SUMI_MAX_RANK];
    float item[LENGTH];
    int32_t phase;
    double statistic = 0, counts[PERIOD] = {0};
    assert_int_equal(sumi_data_shape(data, shape), 1);
    assert_int_equal(shape[0], LENGTH);
    assert_int_equal(sumi_data_classes(data), PERIOD);
    for (int64_t i = 0; i < COUNT; i++) {
        read_one(data, i, item, &phase);
        for (int k = 0; k < LENGTH; k++) assert_true(item[k] == (k % PERIOD == phase ? 1 : -1));
        counts[phase]++;
    }
    for (int k = 0; k < PERIOD; k++) statistic += pow(counts[k] - COUNT / 5.0, 2) / (COUNT / 5.0);
    assert_true(statistic < 18.47); /* 99.9 % of chi-square with 4 degrees of freedom */
    sumi_data_free(data);
}

static void sequences_may_have_another_length(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = heartbeat\ncount = 9\nbits = 12\n", NULL);
    int64_t shape[SUMI_MAX_RANK];
    float item[12];
    sumi_data_shape(data, shape);
    assert_int_equal(shape[0], 12);
    read_one(data, 8, item, NULL);
    for (int k = PERIOD; k < 12; k++) assert_true(item[k] == item[k - PERIOD]);
    sumi_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pulse_comes_at_every_fifth_place),
        cmocka_unit_test(sequences_may_have_another_length),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

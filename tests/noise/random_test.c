/* SPDX-License-Identifier: Apache-2.0 */
/* A solver's normal numbers: independent of threads and of how a batch is split (Philox), in
   torch's own order whatever the layout (torch). */
#include "check.h"

#include "noise/random.h"

static void philox_noise_is_the_same_for_any_threads_and_any_part_of_a_batch(void **state)
{
    (void)state;
    enum { ITEMS = 8, SIZE = 16001 };
    static float whole[ITEMS * SIZE], again[ITEMS * SIZE], part[3 * SIZE];
    struct random_source source;
    random_seed(&source, RANDOM_PHILOX, 7);
    struct random_shape all = {0, ITEMS, SIZE, SIZE}, some = {5, 3, SIZE, SIZE};
    random_normal(&source, 1, PURPOSE_SOLVER, 4, &all, NULL, whole);
    random_normal(&source, 3, PURPOSE_SOLVER, 4, &all, NULL, again);
    assert_memory_equal(whole, again, sizeof whole);
    random_normal(&source, 2, PURPOSE_SOLVER, 4, &some, NULL, part);
    assert_memory_equal(part, whole + 5 * SIZE, sizeof part);

    random_normal(&source, 1, PURPOSE_SOLVER, 5, &all, NULL, again);
    assert_memory_not_equal(whole, again, sizeof whole);
    random_normal(&source, 1, PURPOSE_START, 4, &all, NULL, again);
    assert_memory_not_equal(whole, again, sizeof whole);
}

static void philox_noise_is_standard_normal(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    float *x = malloc(SIZE * sizeof *x);
    struct random_source source;
    random_seed(&source, RANDOM_PHILOX, 1);
    struct random_shape shape = {0, 1, SIZE, SIZE};
    random_normal(&source, 2, PURPOSE_START, 0, &shape, NULL, x);
    double moment[5] = {0};
    for (int i = 0; i < SIZE; i++)
        for (int k = 1; k < 5; k++) moment[k] += pow(x[i], k) / SIZE;
    CHECK_CLOSE(moment[1], 0, 0.005); /* five standard errors each */
    CHECK_CLOSE(moment[2], 1, 0.007);
    CHECK_CLOSE(moment[3], 0, 0.019);
    CHECK_CLOSE(moment[4], 3, 0.048);
    free(x);
}

static void the_torch_stream_is_turned_to_channels_last(void **state)
{
    (void)state;
    enum { ITEMS = 2, POSITIONS = 12, CHANNELS = 3, SIZE = POSITIONS * CHANNELS };
    float first[ITEMS * SIZE], last[ITEMS * SIZE], scratch[ITEMS * SIZE];
    struct random_source source;
    struct random_shape plain = {0, ITEMS, SIZE, SIZE}, turned = {0, ITEMS, SIZE, CHANNELS};
    random_seed(&source, RANDOM_TORCH, 11);
    assert_false(random_needs_scratch(&source, &plain));
    random_normal(&source, 1, PURPOSE_START, 0, &plain, NULL, first);
    random_seed(&source, RANDOM_TORCH, 11);
    assert_true(random_needs_scratch(&source, &turned));
    random_normal(&source, 1, PURPOSE_START, 0, &turned, scratch, last);
    for (int item = 0; item < ITEMS; item++)
        for (int c = 0; c < CHANNELS; c++)
            for (int p = 0; p < POSITIONS; p++)
                assert_true(last[item * SIZE + p * CHANNELS + c]
                            == first[item * SIZE + c * POSITIONS + p]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_noise_is_the_same_for_any_threads_and_any_part_of_a_batch),
        cmocka_unit_test(philox_noise_is_standard_normal),
        cmocka_unit_test(the_torch_stream_is_turned_to_channels_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

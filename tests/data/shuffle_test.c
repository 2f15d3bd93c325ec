/* SPDX-License-Identifier: Apache-2.0 */
/* The order of an epoch: a permutation, another one each time, without favourites. */
#include "data/shuffle.h"
#include "check.h"

static void check_permutation(int64_t count)
{
    char *seen = calloc((size_t)count, 1);
    assert_non_null(seen);
    for (int64_t i = 0; i < count; i++) {
        int64_t index = shuffle_index(5, 2, count, i);
        assert_in_range(index, 0, count - 1);
        assert_int_equal(seen[index], 0);
        seen[index] = 1;
    }
    free(seen);
}

static void every_item_comes_once_in_an_epoch(void **state)
{
    (void)state;
    for (int64_t count = 1; count <= 300; count++) check_permutation(count);
    const int64_t counts[] = {1023, 1024, 1025, 4096, 4097, 60000, 65537};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) check_permutation(counts[i]);
}

static void another_seed_or_epoch_gives_another_order(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    int same_epoch = 0, same_seed = 0, fixed = 0;
    for (int64_t i = 0; i < COUNT; i++) {
        int64_t index = shuffle_index(1, 0, COUNT, i);
        same_epoch += index == shuffle_index(1, 1, COUNT, i);
        same_seed += index == shuffle_index(2, 0, COUNT, i);
        fixed += index == i;
        assert_int_equal(index, shuffle_index(1, 0, COUNT, i));
    }
    /* Matches of random permutations are Poisson with mean 1. */
    assert_in_range(same_epoch, 0, 8);
    assert_in_range(same_seed, 0, 8);
    assert_in_range(fixed, 0, 8);
}

/* Chi-squared of where item 0 of each epoch lies: 99 degrees of freedom, 5 standard deviations. */
static void no_item_is_favoured(void **state)
{
    (void)state;
    enum { COUNT = 100, EPOCHS = 20000 };
    int hits[COUNT] = {0}, neighbours = 0;
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        int64_t first = shuffle_index(3, epoch, COUNT, 0);
        hits[first]++;
        neighbours += shuffle_index(3, epoch, COUNT, 1) == (first + 1) % COUNT;
    }
    double expected = (double)EPOCHS / COUNT, chi_squared = 0;
    for (int i = 0; i < COUNT; i++) {
        chi_squared += (hits[i] - expected) * (hits[i] - expected) / expected;
    }
    CHECK_CLOSE(chi_squared, COUNT - 1, 5 * sqrt(2.0 * (COUNT - 1)));
    expected = EPOCHS / (COUNT - 1.0);
    CHECK_CLOSE(neighbours, expected, 5 * sqrt(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_comes_once_in_an_epoch),
        cmocka_unit_test(another_seed_or_epoch_gives_another_order),
        cmocka_unit_test(no_item_is_favoured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

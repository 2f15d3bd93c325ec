/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of positions against the sines and cosines they are. */
#include "../check.h"
#include "nets/positions.h"

static void a_row_has_sines_then_cosines_of_falling_frequency(void **state)
{
    (void)state;
    float row[8];
    positions_of(3, 8, row);
    for (int i = 0; i < 4; i++) {
        double angle = 3 * pow(10, -i); /* 10000^(-i / 4) */
        assert_float_equal(row[i], sin(angle), 1e-7);
        assert_float_equal(row[4 + i], cos(angle), 1e-7);
    }
}

static void a_grid_has_the_column_first_and_then_the_row(void **state)
{
    (void)state;
    enum { ROWS = 2, COLUMNS = 3, CHANNELS = 8 };
    const struct position_grid grid = {ROWS, COLUMNS, COLUMNS, 1};
    float table[ROWS * COLUMNS * CHANNELS];
    positions_of_grid(&grid, CHANNELS, table);
    const float *patch = table + (1 * COLUMNS + 2) * CHANNELS; /* row 1, column 2 */
    assert_float_equal(patch[0], sin(2), 1e-7);
    assert_float_equal(patch[1], sin(0.02), 1e-7);
    assert_float_equal(patch[2], cos(2), 1e-7);
    assert_float_equal(patch[4], sin(1.5), 1e-7); /* two rows span the three of training */
    assert_float_equal(patch[6], cos(1.5), 1e-7);
}

static void another_grid_spans_what_the_trained_one_does(void **state)
{
    (void)state;
    float own[4 * 4 * 4], twice[8 * 8 * 4];
    positions_of_grid(&(struct position_grid){4, 4, 4, 1}, 4, own);
    positions_of_grid(&(struct position_grid){8, 8, 4, 1}, 4, twice);
    for (int row = 0; row < 4; row++) {
        for (int column = 0; column < 4; column++) {
            const float *left = own + (4 * row + column) * 4;
            assert_memory_equal(left, twice + (8 * 2 * row + 2 * column) * 4, 4 * sizeof *left);
        }
    }
    positions_of_grid(&(struct position_grid){4, 4, 8, 2}, 4, twice); /* 8 / 4 / 2 = 1 */
    assert_memory_equal(own, twice, sizeof own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_sines_then_cosines_of_falling_frequency),
        cmocka_unit_test(a_grid_has_the_column_first_and_then_the_row),
        cmocka_unit_test(another_grid_spans_what_the_trained_one_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

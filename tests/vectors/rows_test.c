/* SPDX-License-Identifier: Apache-2.0 */
/* Weighted sums of rows: lengths beside the strips, threads, aliasing, terms that are not read. */
#include "check.h"

#include "vectors/rows.h"

static void sums_are_right_for_any_length_in_place_and_with_threads(void **state)
{
    (void)state;
    const int64_t lengths[] = {0, 1, 511, 512, 513, 100003};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        int64_t count = lengths[k];
        float *a = malloc(sizeof *a * (size_t)(count + 1));
        float *b = malloc(sizeof *b * (size_t)(count + 1));
        for (int64_t i = 0; i < count; i++) {
            a[i] = (float)(i % 100);
            b[i] = (float)(i % 7);
        }
        a[count] = -1;
        rows_combine(2, count, a, 2, (struct row_term[]){{2, a}, {0.5, b}});
        for (int64_t i = 0; i < count; i++)
            assert_true(a[i] == 2 * (float)(i % 100) + 0.5f * (float)(i % 7));
        assert_true(a[count] == -1);
        free(a);
        free(b);
    }
}

static void a_term_of_weight_zero_is_not_read(void **state)
{
    (void)state;
    float a[2] = {1, 2}, sum[2];
    rows_combine(1, 2, sum, 2, (struct row_term[]){{3, a}, {0, NULL}});
    assert_true(sum[0] == 3 && sum[1] == 6);
}

static void one_bad_number_is_found_wherever_it_is(void **state)
{
    (void)state;
    static float row[70000];
    assert_true(rows_are_finite(2, 70000, row));
    const int64_t places[] = {0, 35000, 69999};
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        row[places[i]] = bad[i];
        assert_false(rows_are_finite(2, 70000, row));
        row[places[i]] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_right_for_any_length_in_place_and_with_threads),
        cmocka_unit_test(a_term_of_weight_zero_is_not_read),
        cmocka_unit_test(one_bad_number_is_found_wherever_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

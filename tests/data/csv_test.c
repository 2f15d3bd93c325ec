/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of numbers as signals and points. */
#include "opening.h"

static void rows_are_points_or_signals(void **state)
{
    (void)state;
    const char *text = "x,y,z\n1,2,3\n-0.5,0.25,1e-3\n", *path = path_of("table.csv");
    const float numbers[6] = {1, 2, 3, -0.5f, 0.25f, 1e-3f};
    write_bytes(path, text, strlen(text));
    for (int signals = 0; signals < 2; signals++) {
        sumi_data *data = open_data(signals ? "[data]\nkind = csv\n[model]\nkind = unet1d\n"
                                            : "[data]\nkind = csv\n[model]\nkind = mlp\n",
                                    path);
        int64_t shape[SUMI_MAX_RANK];
        float item[3];
        assert_int_equal(sumi_data_count(data), 2);
        assert_int_equal(sumi_data_shape(data, shape), signals ? 2 : 1);
        assert_int_equal(shape[0], 3);
        for (int i = 0; i < 2; i++) {
            read_one(data, i, item, NULL);
            assert_memory_equal(item, numbers + 3 * i, sizeof item);
        }
        sumi_data_free(data);
    }
}

static void tables_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const char *path = path_of("wrong.csv");
    write_bytes(path, "1,2\n3\n", 6);
    check_data_refused("[data]\nkind = csv\nitems = points\n", path, SUMI_ERROR_FORMAT,
                       "wrong.csv");
    check_data_refused("[data]\nkind = csv\nitems = images\n", path, SUMI_ERROR_ARGUMENT,
                       "signals or points");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_points_or_signals),
        cmocka_unit_test(tables_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Items of noise: their shape, their moments, and what is refused. */
#include "opening.h"

static void items_have_the_requested_shape(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = noise\nshape = 4, 6, 3\ncount = 5\n", NULL);
    int64_t shape[SUMI_MAX_RANK];
    assert_int_equal(sumi_data_shape(data, shape), 3);
    assert_int_equal(shape[0], 4);
    assert_int_equal(shape[1], 6);
    assert_int_equal(shape[2], 3);
    assert_int_equal(sumi_data_count(data), 5);
    assert_int_equal(sumi_data_classes(data), 0);
    sumi_data_free(data);
}

/* Mean and variance of 30,000 numbers, and the covariance of neighbouring items. */
static void numbers_are_normal_and_items_differ(void **state)
{
    (void)state;
    enum { COUNT = 100, SIZE = 300 };
    sumi_data *data = open_data("[data]\nkind = noise\nshape = 300\ncount = 100\n", NULL);
    static float items[COUNT][SIZE];
    double sum = 0, squares = 0, products = 0;
    for (int i = 0; i < COUNT; i++) {
        read_one(data, i, items[i], NULL);
        for (int k = 0; k < SIZE; k++) {
            sum += (double)items[i][k];
            squares += (double)items[i][k] * items[i][k];
            products += i ? (double)items[i][k] * items[i - 1][k] : 0;
        }
    }
    const double count = COUNT * SIZE;
    CHECK_CLOSE(sum / count, 0, 0.03);
    CHECK_CLOSE(squares / count, 1, 0.05);
    CHECK_CLOSE(products / count, 0, 0.03);
    sumi_data_free(data);
}

static void labels_go_round_the_classes(void **state)
{
    (void)state;
    sumi_data *data =
        open_data("[data]\nkind = noise\nshape = 2\nlabels = yes\nclasses = 3\ncount = 9\n", NULL);
    float item[2];
    int32_t label;
    assert_int_equal(sumi_data_classes(data), 3);
    for (int i = 0; i < 9; i++) {
        read_one(data, i, item, &label);
        assert_int_equal(label, i % 3);
    }
    sumi_data_free(data);
}

static void a_shape_of_too_many_sizes_is_refused(void **state)
{
    (void)state;
    const char *wanted = "data.shape must be 1 to 3 sizes: of points [d], signals [length, "
                         "channels] or pictures [height, width, channels]";
    check_data_refused("[data]\nkind = noise\nshape = 2, 2, 2, 2\n", NULL, SUMI_ERROR_ARGUMENT,
                       wanted);
    check_data_refused("[data]\nkind = noise\nshape = auto\n", NULL, SUMI_ERROR_ARGUMENT, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(items_have_the_requested_shape),
                                       cmocka_unit_test(numbers_are_normal_and_items_differ),
                                       cmocka_unit_test(labels_go_round_the_classes),
                                       cmocka_unit_test(a_shape_of_too_many_sizes_is_refused)};
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

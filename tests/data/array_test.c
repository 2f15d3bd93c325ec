/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets of the caller's own arrays. */
#include <math.h>
#include <string.h>

#include "one_context.h"

static void items_and_labels_are_copied_and_read_back(void **state)
{
    (void)state;
    float numbers[] = {0, 1, 2, 3, 4, 5}, back[4];
    int32_t labels[] = {2, 0, 1}, read_labels[2];
    const int64_t indices[] = {2, 0};
    int64_t shape[SUMI_MAX_RANK];
    sumi_array items = {2, {3, 2}, numbers};
    sumi_data *data = NULL;
    CHECK_OK(context, sumi_data_from_array(context, &items, labels, SUMI_POINTS, &data));
    memset(numbers, 0, sizeof numbers);
    memset(labels, 0, sizeof labels);
    assert_int_equal(sumi_data_count(data), 3);
    assert_int_equal(sumi_data_classes(data), 3);
    assert_int_equal(sumi_data_kind(data), SUMI_POINTS);
    assert_int_equal(sumi_data_shape(data, shape), 1);
    assert_int_equal(shape[0], 2);
    CHECK_OK(context, sumi_data_read(data, indices, 2, back, read_labels));
    assert_memory_equal(back, ((float[]){4, 5, 0, 1}), sizeof back);
    assert_int_equal(read_labels[0], 1);
    assert_int_equal(read_labels[1], 2);
    sumi_data_free(data);
}

static void without_labels_there_are_no_classes(void **state)
{
    (void)state;
    float numbers[8] = {0};
    sumi_array items = {4, {2, 2, 2, 1}, numbers};
    sumi_data *data = NULL;
    int32_t label = 7;
    float item[4];
    CHECK_OK(context, sumi_data_from_array(context, &items, NULL, SUMI_FIELD, &data));
    assert_int_equal(sumi_data_classes(data), 0);
    assert_int_equal(sumi_data_kind(data), SUMI_FIELD);
    CHECK_OK(context, sumi_data_read(data, (int64_t[]){1}, 1, item, &label));
    assert_int_equal(label, -1);
    sumi_data_free(data);
}

static void assert_refused(const sumi_array *items, const int32_t *labels, sumi_item_kind kind,
                           sumi_status expected, const char *reason)
{
    sumi_data *data = NULL;
    assert_int_equal(sumi_data_from_array(context, items, labels, kind, &data), expected);
    assert_null(data);
    if (!strstr(sumi_context_message(context), reason)) {
        fail_msg("\"%s\" lacks \"%s\"", sumi_context_message(context), reason);
    }
}

static void what_is_no_data_set_is_refused_with_its_reason(void **state)
{
    (void)state;
    float numbers[] = {0, 1, NAN, 3};
    const int32_t below[] = {0, -1};
    const sumi_array points = {2, {2, 2}, numbers}, none = {2, {2, 2}, NULL};
    const sumi_array empty = {2, {0, 2}, numbers};
    const sumi_array vast = {4, {INT64_MAX, INT64_MAX, 2, 1}, numbers};
    assert_refused(&points, NULL, SUMI_PICTURE, SUMI_ERROR_ARGUMENT, "rank must be 4");
    assert_refused(&points, NULL, (sumi_item_kind)99, SUMI_ERROR_ARGUMENT, "99");
    assert_refused(&none, NULL, SUMI_POINTS, SUMI_ERROR_ARGUMENT, "its data are NULL");
    assert_refused(&empty, NULL, SUMI_POINTS, SUMI_ERROR_ARGUMENT, "at least 1");
    assert_refused(&vast, NULL, SUMI_PICTURE, SUMI_ERROR_ARGUMENT, "too large");
    assert_refused(&points, NULL, SUMI_POINTS, SUMI_ERROR_NUMBER, "number 0 of item 1");
    numbers[2] = 2;
    assert_refused(&points, below, SUMI_POINTS, SUMI_ERROR_ARGUMENT, "label of item 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(items_and_labels_are_copied_and_read_back),
        CONTEXT_TEST(without_labels_there_are_no_classes),
        CONTEXT_TEST(what_is_no_data_set_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

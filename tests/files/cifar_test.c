/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR-10 batches made byte by byte. */
#include "check.h"

#include "base/file.h"
#include "files/cifar.h"
#include "scratch.h"

enum { RECORD = 3073 };

/* Record i: label i, red 10 + i, green 20 + i, blue place modulo 251. */
static void make_records(uint8_t *bytes, int count)
{
    for (int i = 0; i < count; i++, bytes += RECORD) {
        bytes[0] = (uint8_t)i;
        memset(bytes + 1, 10 + i, 1024);
        memset(bytes + 1025, 20 + i, 1024);
        for (int place = 0; place < 1024; place++) bytes[2049 + place] = (uint8_t)(place % 251);
    }
}

static void planes_become_pixels(void **state)
{
    scratch *room = *state;
    static uint8_t bytes[3 * RECORD], pixels[2 * CIFAR_PIXELS];
    uint8_t labels[2];
    cifar *opened = NULL;
    make_records(bytes, 3);
    const char *path = scratch_path(room, "data_batch_1.bin");
    CHECK_OK(room->context, file_write(room->context, path, bytes, sizeof bytes));
    CHECK_OK(room->context, cifar_open(room->context, path, &opened));
    assert_int_equal(cifar_count(opened), 3);
    CHECK_OK(room->context, cifar_read_rows(opened, 1, 2, pixels, labels));
    assert_int_equal(labels[0], 1);
    assert_int_equal(labels[1], 2);
    const uint8_t *pixel = pixels + CIFAR_PIXELS + (5 * 32 + 7) * 3; /* image 2, row 5, column 7 */
    assert_int_equal(pixel[0], 12);
    assert_int_equal(pixel[1], 22);
    assert_int_equal(pixel[2], 5 * 32 + 7);
    CHECK_OK(room->context, cifar_read_rows(opened, 0, 1, NULL, labels));
    CHECK_OK(room->context, cifar_read_rows(opened, 0, 1, pixels, NULL));
    assert_int_equal(cifar_read_rows(opened, 2, 2, pixels, labels), SUMI_ERROR_ARGUMENT);
    assert_int_equal(cifar_read_rows(opened, -1, 1, pixels, labels), SUMI_ERROR_ARGUMENT);
    cifar_free(opened);
}

static void a_file_of_another_size_is_refused(void **state)
{
    scratch *room = *state;
    static uint8_t bytes[2 * RECORD];
    const size_t sizes[] = {0, 1, RECORD - 1, RECORD + 1, 2 * RECORD - 1};
    cifar *opened = NULL;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(cifar_parse(room->context, bytes, sizes[i], "test", &opened),
                         SUMI_ERROR_FORMAT);
        assert_null(opened);
    }
    assert_non_null(strstr(sumi_context_message(room->context), "records of 3073 bytes"));
}

static void a_label_that_is_no_class_is_refused(void **state)
{
    scratch *room = *state;
    static uint8_t bytes[RECORD];
    uint8_t label;
    cifar *opened = NULL;
    bytes[0] = 10;
    CHECK_OK(room->context, cifar_parse(room->context, bytes, RECORD, "test", &opened));
    assert_int_equal(cifar_read_rows(opened, 0, 1, NULL, &label), SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(room->context), "label of image 0 is 10"));
    cifar_free(opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(planes_become_pixels),
        SCRATCH_TEST(a_file_of_another_size_is_refused),
        SCRATCH_TEST(a_label_that_is_no_class_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR-10 sets from batches made byte by byte. */
#include <sys/stat.h>

#include "opening.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, RECORD = 1 + 3 * PLANE };

/* `count` records with label (first + i) % 10; red is the row, green the column, blue the label. */
static void write_batch(const char *path, int first, int count)
{
    static uint8_t bytes[3 * RECORD];
    for (int i = 0; i < count; i++) {
        uint8_t *record = bytes + i * RECORD;
        record[0] = (uint8_t)((first + i) % 10);
        for (int k = 0; k < PLANE; k++) {
            record[1 + k] = (uint8_t)(k / SIDE);
            record[1 + PLANE + k] = (uint8_t)(k % SIDE);
            record[1 + 2 * PLANE + k] = record[0];
        }
    }
    write_bytes(path, bytes, (size_t)count * RECORD);
}

static void check_set(sumi_data *data, int count)
{
    static float item[3 * PLANE];
    int32_t label;
    assert_int_equal(sumi_data_count(data), count);
    assert_int_equal(sumi_data_classes(data), 10);
    for (int i = 0; i < count; i++) {
        read_one(data, i, item, &label);
        assert_int_equal(label, i % 10);
        for (int k = 0; k < PLANE; k++) {
            CHECK_CLOSE(item[3 * k], k / SIDE / 127.5 - 1, 1e-6);
            CHECK_CLOSE(item[3 * k + 1], k % SIDE / 127.5 - 1, 1e-6);
            CHECK_CLOSE(item[3 * k + 2], i % 10 / 127.5 - 1, 1e-6);
        }
    }
    sumi_data_free(data);
}

static void five_batches_make_one_set(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("cifar"), 0777), 0);
    int counts[5] = {2, 3, 1, 2, 3}, first = 0;
    for (int i = 0; i < 5; i++) {
        char name[64];
        snprintf(name, sizeof name, "cifar/data_batch_%d.bin", i + 1);
        write_batch(path_of(name), first, counts[i]);
        first += counts[i];
    }
    write_batch(path_of("cifar/test_batch.bin"), 0, 3);
    const char *path = path_of("cifar");
    check_set(open_data("[data]\nkind = cifar10\nlabels = yes\n", path), 11);
    check_set(open_data("[data]\nkind = cifar10\nlabels = yes\nmemory = 0\n", path), 11);
    check_set(open_data("[data]\nkind = cifar10\nlabels = yes\nsplit = test\n", path), 3);
}

static void missing_batches_are_reported(void **state)
{
    (void)state;
    check_data_refused("[data]\nkind = cifar10\n", here.folder, SUMI_ERROR_FILE,
                       "sumi fetch cifar10");
    check_data_refused("[data]\nkind = cifar10\n", NULL, SUMI_ERROR_FILE, "sumi fetch cifar10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_batches_make_one_set),
        cmocka_unit_test(missing_batches_are_reported),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead: a batch does not depend on the thread that reads it, or when; failures are
   reported with their step. */
#include <sys/stat.h>

#include "data/ahead.h"
#include "files/image.h"
#include "opening.h"
#include "written_picture.h"

enum { SIDE = 6, NUMBERS = SIDE * SIDE * 3, PICTURES = 24, BATCH = 5 };

/* Pictures that differ, in two folders; number `broken` (or none, with -1) is cut short. */
static void write_pictures(const char *set, int broken)
{
    static uint8_t pixels[NUMBERS];
    image picture = {SIDE, SIDE, 3, pixels};
    char name[64];
    mkdir(path_of(set), 0777);
    for (int folder = 0; folder < 2; folder++) {
        snprintf(name, sizeof name, "%s/%d", set, folder);
        mkdir(path_of(name), 0777);
    }
    for (int i = 0; i < PICTURES; i++) {
        for (int k = 0; k < NUMBERS; k++) pixels[k] = (uint8_t)(7 * k + 31 * i);
        snprintf(name, sizeof name, "%s/%d/%02d.png", set, 2 * i / PICTURES, i);
        CHECK_OK(here.context, write_png(here.context, path_of(name), &picture));
        if (i == broken) write_bytes(path_of(name), "\x89PNG\r\n\x1a\n cut", 12);
    }
}

static sumi_data *open_pictures(const char *set, int readers)
{
    char text[256];
    snprintf(text, sizeof text,
             "[data]\nkind = folder\nwidth = %d\nheight = %d\nlabels = yes\n"
             "flip = yes\nshift = 2\nmemory = 0\nreaders = %d\n",
             SIDE, SIDE, readers);
    return open_data(text, path_of(set));
}

struct batch {
    float items[BATCH * NUMBERS];
    int32_t labels[BATCH];
};

static void read_batch(sumi_data *data, uint64_t seed, int64_t step, int64_t count,
                       struct batch *batch)
{
    memset(batch, 0, sizeof *batch);
    CHECK_OK(here.context, data_read_batch(data, seed, step, count, batch->items, batch->labels));
}

static void what_is_read_ahead_is_what_is_read_in_the_step(void **state)
{
    (void)state;
    /* seed, step and items of batches, in the order of the requests */
    static const int64_t asked[][3] = {
        {1, 0, 5},  {1, 1, 5},  {1, 2, 5},  {1, 2, 5},  {1, 9, 5},  {1, 10, 5},
        {1, 11, 5}, {2, 12, 5}, {2, 13, 5}, {2, 14, 3}, {2, 15, 3}, {2, 16, 5},
        {2, 17, 5}, {1, 0, 5},  {2, 1, 5},  {1, 1, 5},
    };
    static struct batch expected, found;
    write_pictures("whole", -1);
    CHECK_OK(here.context, sumi_context_set_threads(here.context, 4));
    sumi_data *plain = open_pictures("whole", 0);
    for (int readers = 1; readers <= 4; readers += 3) {
        sumi_data *data = open_pictures("whole", readers);
        assert_null(data->items);
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            read_batch(plain, (uint64_t)asked[i][0], asked[i][1], asked[i][2], &expected);
            read_batch(data, (uint64_t)asked[i][0], asked[i][1], asked[i][2], &found);
            assert_memory_equal(&found, &expected, sizeof found);
        }
        assert_non_null(data->ahead);
        sumi_data_free(data); /* while it reads */
    }
    assert_null(plain->ahead);
    sumi_data_free(plain);
}

static void labels_are_read_where_they_are_wanted_from_then_on(void **state)
{
    (void)state;
    static struct batch expected, found;
    write_pictures("whole", -1);
    sumi_data *plain = open_pictures("whole", 0), *data = open_pictures("whole", 2);
    for (int step = 0; step < 4; step++) {
        read_batch(plain, 1, step, BATCH, &expected);
        memset(&found, 0, sizeof found);
        int32_t *labels = step < 2 ? NULL : found.labels;
        CHECK_OK(here.context, data_read_batch(data, 1, step, BATCH, found.items, labels));
        assert_memory_equal(found.items, expected.items, sizeof found.items);
        if (labels) assert_memory_equal(found.labels, expected.labels, sizeof found.labels);
    }
    sumi_data_free(data);
    sumi_data_free(plain);
}

/* Batches of 5 of 24: the first epoch, in some order, is over in the fifth. */
static void a_failure_comes_with_the_step_whose_batch_it_spoils(void **state)
{
    (void)state;
    static struct batch batch;
    write_pictures("spoilt", 17);
    sumi_data *plain = open_pictures("spoilt", 0), *data = open_pictures("spoilt", 3);
    int failures = 0;
    for (int step = 0; step < 5; step++) {
        sumi_status expected = data_read_batch(plain, 3, step, BATCH, batch.items, batch.labels);
        for (int again = 0; again < 2; again++) {
            CHECK_OK(here.context, sumi_data_read(data, &(int64_t){2}, 1, batch.items, NULL));
            sumi_status found = data_read_batch(data, 3, step, BATCH, batch.items, batch.labels);
            assert_int_equal(found, expected);
            if (found == SUMI_OK) continue;
            assert_int_equal(found, SUMI_ERROR_FORMAT);
            assert_non_null(strstr(sumi_context_message(here.context), "17.png"));
            failures++;
        }
    }
    assert_in_range(failures, 2, 4); /* the fifth batch may bring it for the second time */
    sumi_data_free(data);
    sumi_data_free(plain);
}

static void few_items_in_memory_wake_no_thread(void **state)
{
    (void)state;
    float items[64 * 2];
    sumi_data *data = open_data("[data]\nkind = moons\ncount = 100\n", NULL);
    CHECK_OK(here.context, data_read_batch(data, 1, 0, 64, items, NULL));
    assert_null(data->ahead);
    sumi_data_free(data);
}

static void many_items_in_memory_are_read_ahead(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static float expected[MANY * 2], found[MANY * 2];
    CHECK_OK(here.context, sumi_context_set_threads(here.context, 2));
    sumi_data *plain = open_data("[data]\nkind = moons\ncount = 5000\nreaders = 0\n", NULL);
    sumi_data *data = open_data("[data]\nkind = moons\ncount = 5000\n", NULL);
    for (int step = 0; step < 20; step++) {
        CHECK_OK(here.context, data_read_batch(plain, 1, step, MANY, expected, NULL));
        CHECK_OK(here.context, data_read_batch(data, 1, step, MANY, found, NULL));
        assert_memory_equal(found, expected, sizeof found);
    }
    assert_non_null(data->ahead);
    sumi_data_free(data);
    sumi_data_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_ahead_is_what_is_read_in_the_step),
        cmocka_unit_test(labels_are_read_where_they_are_wanted_from_then_on),
        cmocka_unit_test(a_failure_comes_with_the_step_whose_batch_it_spoils),
        cmocka_unit_test(few_items_in_memory_wake_no_thread),
        cmocka_unit_test(many_items_in_memory_are_read_ahead),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

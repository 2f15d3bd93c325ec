/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures in buckets of aspect ratios: which size each gets, the order of batches, and what is
   refused. */
#include <sys/stat.h>

#include "../files/picture_bytes.h"
#include "data/buckets.h"
#include "data/scene.h"
#include "files/image.h"
#include "opening.h"
#include "written_picture.h"

/* A picture whose left half is black and whose right half is white. */
static void write_halves(const char *name, int width, int height)
{
    uint8_t *pixels = calloc((size_t)(width * height), 3);
    assert_non_null(pixels);
    for (int i = 0; i < width * height * 3; i++) pixels[i] = i / 3 % width < width / 2 ? 0 : 255;
    image picture = {width, height, 3, pixels};
    CHECK_OK(here.context, write_png(here.context, path_of(name), &picture));
    free(pixels);
}

/* Two wide pictures, one high, one nearly square; by name wide, high, square, wide. */
static void make_folder(void)
{
    mkdir(path_of("set"), 0777);
    write_halves("set/1.png", 36, 16);
    write_halves("set/2.png", 12, 20);
    write_halves("set/3.png", 22, 20);
    write_halves("set/4.png", 40, 18);
}

#define FOLDER "[data]\nkind = folder\nwidth = 8\nheight = 8\n"
#define SIZES "heights = 8, 4, 8\nwidths = 8, 16, 4\n"

static void check_bucket(sumi_data *data, int number, int64_t height, int64_t width, int64_t count)
{
    int64_t shape[SUMI_MAX_RANK];
    sumi_data *bucket = buckets_at(data, number);
    assert_int_equal(sumi_data_shape(bucket, shape), 3);
    assert_int_equal(shape[0], height);
    assert_int_equal(shape[1], width);
    assert_int_equal(shape[2], 3);
    assert_int_equal(sumi_data_count(bucket), count);
}

/* Each row of an item is black at the left and white at the right, at any size. */
static void check_halves(sumi_data *data)
{
    int64_t shape[SUMI_MAX_RANK];
    float item[8 * 16 * 3];
    sumi_data_shape(data, shape);
    for (int64_t i = 0; i < sumi_data_count(data); i++) {
        read_one(data, i, item, NULL);
        for (int64_t y = 0; y < shape[0]; y++) {
            CHECK_CLOSE(item[y * shape[1] * 3], -1, 1e-6);
            CHECK_CLOSE(item[(y + 1) * shape[1] * 3 - 1], 1, 1e-6);
        }
    }
}

static void each_picture_gets_the_size_of_the_nearest_aspect_ratio(void **state)
{
    (void)state;
    make_folder();
    for (int streamed = 0; streamed < 2; streamed++) {
        const char *text = streamed ? FOLDER SIZES "memory = 0\n" : FOLDER SIZES;
        sumi_data *data = open_data(text, path_of("set"));
        assert_int_equal(sumi_data_count(data), 4);
        assert_int_equal(buckets_count(data), 3);
        check_bucket(data, 0, 8, 8, 1); /* those with the most pixels first */
        check_bucket(data, 1, 4, 16, 2);
        check_bucket(data, 2, 8, 4, 1);
        for (int i = 0; i < 3; i++) check_halves(buckets_at(data, i));
        check_halves(data); /* the whole gives all at its own size */
        sumi_data_free(data);
    }
}

/* Stored lying, 4 x 2, and seen standing. */
static void pictures_are_sorted_by_how_they_are_seen(void **state)
{
    (void)state;
    uint8_t exif[EXIF_SIZE];
    test_file file = begin_png(4, 2, 8, 0);
    make_exif(6, false, exif);
    put_chunk(&file, "eXIf", exif, sizeof exif);
    end_png(&file, "\0\0\0\0\0\0\377\377\377\377", 10);
    mkdir(path_of("turned"), 0777);
    write_bytes(path_of("turned/1.png"), file.bytes, file.size);
    sumi_data *data = open_data(FOLDER SIZES, path_of("turned"));
    assert_int_equal(buckets_count(data), 1);
    check_bucket(data, 0, 8, 4, 1);
    sumi_data_free(data);
}

static void sizes_without_pictures_have_no_bucket(void **state)
{
    (void)state;
    make_folder();
    sumi_data *data = open_data(FOLDER "heights = 8, 1, 4\nwidths = 8, 1000, 16\n", path_of("set"));
    assert_int_equal(buckets_count(data), 2);
    check_bucket(data, 0, 8, 8, 2);
    check_bucket(data, 1, 4, 16, 2);
    sumi_data_free(data);
}

static void a_data_set_of_one_size_is_its_own_bucket(void **state)
{
    (void)state;
    make_folder();
    sumi_data *data = open_data(FOLDER, path_of("set"));
    CHECK_OK(here.context, buckets_arrange(data, 1, 2, 1));
    assert_int_equal(buckets_count(data), 1);
    assert_ptr_equal(buckets_at(data, 0), data);
    assert_int_equal(buckets_of_step(data, 12345), 0);
    assert_int_equal(buckets_place(data, 12345), 12345);
    sumi_data_free(data);
}

/* ---- The order of batches ---- */

#define SCENES                                                                                     \
    "[data]\nkind = shapes\ncount = 300\nlabels = yes\nobjects = 1\nheights = 32, 24, 40\n"        \
    "widths = 32, 40, 24\n"

enum { BATCH = 10, ITEM = 40 * 40 * 3 };

/* The number of the item of a bucket that equals this one; -1 for none. */
static int64_t find_item(sumi_data *bucket, const float *item)
{
    static float other[ITEM];
    for (int64_t i = 0; i < bucket->count; i++) {
        read_one(bucket, i, other, NULL);
        if (memcmp(item, other, (size_t)bucket->item_size * sizeof *item) == 0) return i;
    }
    return -1;
}

static void an_epoch_takes_all_items_of_every_bucket(void **state)
{
    (void)state;
    static float items[BATCH * ITEM];
    int32_t labels[BATCH];
    sumi_data *data = open_data(SCENES, NULL);
    CHECK_OK(here.context, buckets_arrange(data, 7, BATCH, 1));
    assert_int_equal(buckets_count(data), 3);
    int64_t steps = 0;
    bool *seen[3];
    for (int i = 0; i < 3; i++) {
        int64_t count = buckets_at(data, i)->count;
        assert_true(count > 50); /* of 300 whose aspect ratios are even in their logarithm */
        steps += (count + BATCH - 1) / BATCH;
        seen[i] = calloc((size_t)count, sizeof **seen);
        assert_non_null(seen[i]);
    }
    for (int64_t step = 0; step < steps; step++) {
        int number = buckets_of_step(data, step);
        sumi_data *bucket = buckets_at(data, number);
        CHECK_OK(here.context, data_read_batch(bucket, 7, step, BATCH, items, labels));
        for (int i = 0; i < BATCH; i++) {
            int64_t found = find_item(bucket, items + i * bucket->item_size);
            int32_t label = -1;
            assert_true(found >= 0);
            CHECK_OK(here.context, data_read_label(bucket, found, &label));
            assert_int_equal(labels[i], label);
            seen[number][found] = true;
        }
    }
    for (int i = 0; i < 3; i++) {
        for (int64_t k = 0; k < buckets_at(data, i)->count; k++) assert_true(seen[i][k]);
        free(seen[i]);
    }
    sumi_data_free(data);
}

static void a_batch_depends_on_its_step_alone(void **state)
{
    (void)state;
    static float first[BATCH * ITEM], again[BATCH * ITEM];
    sumi_data *forward = open_data(SCENES, NULL), *back = open_data(SCENES "memory = 0\n", NULL);
    CHECK_OK(here.context, buckets_arrange(forward, 7, BATCH, 1));
    CHECK_OK(here.context, buckets_arrange(back, 7, BATCH, 1));
    for (int64_t step = 80; step >= 0; step -= 5) { /* from the third epoch to the first */
        int number = buckets_of_step(forward, step);
        assert_int_equal(buckets_of_step(back, step), number);
        sumi_data *a = buckets_at(forward, number), *b = buckets_at(back, number);
        CHECK_OK(here.context, data_read_batch(a, 7, step, BATCH, first, NULL));
        CHECK_OK(here.context, data_read_batch(b, 7, step, BATCH, again, NULL));
        assert_memory_equal(first, again, (size_t)(BATCH * a->item_size) * sizeof *first);
    }
    sumi_data_free(forward);
    sumi_data_free(back);
}

static void parts_of_a_batch_are_those_of_the_whole(void **state)
{
    (void)state;
    static float whole[BATCH * ITEM], part[BATCH * ITEM];
    sumi_data *data = open_data(SCENES, NULL), *divided = open_data(SCENES, NULL);
    CHECK_OK(here.context, buckets_arrange(data, 7, BATCH, 1));
    CHECK_OK(here.context, buckets_arrange(divided, 7, BATCH, 5));
    for (int64_t step = 0; step < 40; step++) {
        int number = buckets_of_step(data, step);
        sumi_data *bucket = buckets_at(divided, number);
        int64_t size = BATCH / 5 * bucket->item_size;
        CHECK_OK(here.context,
                 data_read_batch(buckets_at(data, number), 7, step, BATCH, whole, NULL));
        for (int i = 0; i < 5; i++)
            CHECK_OK(here.context,
                     data_read_batch(bucket, 7, 5 * step + i, BATCH / 5, part + i * size, NULL));
        assert_memory_equal(whole, part, (size_t)(5 * size) * sizeof *whole);
    }
    sumi_data_free(data);
    sumi_data_free(divided);
}

/* ---- What is refused ---- */

static void heights_and_widths_must_be_as_many(void **state)
{
    (void)state;
    make_folder();
    check_data_refused(FOLDER "heights = 8, 4\nwidths = 8\n", path_of("set"), SUMI_ERROR_ARGUMENT,
                       "data.heights names 2 sizes, but data.widths 1");
    check_data_refused(FOLDER "heights = 8\n", path_of("set"), SUMI_ERROR_ARGUMENT,
                       "data.heights names 1 sizes, but data.widths 0");
}

static void items_that_have_one_size_are_not_sorted(void **state)
{
    (void)state;
    sumi_data *data = NULL;
    assert_int_equal(try_data("[data]\nkind = digits\nheights = 8\nwidths = 8\n", NULL, &data),
                     SUMI_ERROR_ARGUMENT);
    assert_null(data);
    assert_non_null(strstr(sumi_context_message(here.context), "data.heights"));
}

static void a_picture_that_cannot_be_measured_is_named(void **state)
{
    (void)state;
    mkdir(path_of("broken"), 0777);
    write_bytes(path_of("broken/bad.png"), "\x89PNG\r\n\x1a\n cut", 12);
    check_data_refused(FOLDER SIZES, path_of("broken"), SUMI_ERROR_FORMAT, "bad.png");
    write_bytes(path_of("broken/bad.png"), "text", 4);
    check_data_refused(FOLDER SIZES, path_of("broken"), SUMI_ERROR_FORMAT, "neither a PNG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_picture_gets_the_size_of_the_nearest_aspect_ratio),
        cmocka_unit_test(pictures_are_sorted_by_how_they_are_seen),
        cmocka_unit_test(sizes_without_pictures_have_no_bucket),
        cmocka_unit_test(a_data_set_of_one_size_is_its_own_bucket),
        cmocka_unit_test(an_epoch_takes_all_items_of_every_bucket),
        cmocka_unit_test(a_batch_depends_on_its_step_alone),
        cmocka_unit_test(parts_of_a_batch_are_those_of_the_whole),
        cmocka_unit_test(heights_and_widths_must_be_as_many),
        cmocka_unit_test(items_that_have_one_size_are_not_sorted),
        cmocka_unit_test(a_picture_that_cannot_be_measured_is_named),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of pictures with captions and classes, and the order in which training takes them. */
#include <sys/stat.h>

#include "data/shards.h"
#include "files/image.h"
#include "files/png.h"
#include "opening.h"
#include "tar_bytes.h"

#define RECIPE "[data]\nkind = webdataset\nwidth = 2\nheight = 2\nchannels = 1\n"

static struct tar_bytes tar;

static void put_text(const char *name, const char *text)
{
    tar_put(&tar, name, '0', text, strlen(text));
}

static void put_picture(const char *name, uint8_t grey)
{
    uint8_t pixels[4] = {grey, grey, grey, grey};
    const image picture = {2, 2, 1, pixels};
    void *bytes = NULL;
    size_t size = 0;
    CHECK_OK(here.context, png_encode(here.context, &picture, NULL, 0, &bytes, &size));
    tar_put(&tar, name, '0', bytes, size);
    sumi_bytes_release(here.context, bytes);
}

static void write_tar(const char *name)
{
    tar_end(&tar);
    write_bytes(path_of(name), tar.bytes, tar.size);
    tar.size = 0;
}

static int grey_of(sumi_data *data, int64_t index)
{
    float item[4];
    CHECK_OK(here.context, sumi_data_read(data, &index, 1, item, NULL));
    return (int)lround((item[0] + 1) * 127.5);
}

static void pictures_captions_and_classes_belong_to_one_name(void **state)
{
    (void)state;
    put_text("a/1.cls", "2\n");
    put_picture("a/1.png", 10);
    put_text("a/1.txt", "one\n");
    put_text("note.md", "not a sample");
    put_text("a/2.json", "{\"caption\": \"two\", \"size\": 3}");
    put_text("a/2.cls", "0");
    put_picture("a/2.PNG", 20);
    put_picture("a/3.seg.png", 99);
    put_picture("a/3.png", 30);
    write_tar("one.tar");
    for (int memory = 0; memory < 2; memory++) {
        char text[256];
        snprintf(text, sizeof text, RECIPE "captions = yes\nlimit = 2\nlabels = yes\nmemory = %d\n",
                 memory);
        sumi_data *data = open_data(text, path_of("one.tar"));
        int32_t label = -1;
        float item[4];
        assert_int_equal(sumi_data_count(data), 2);
        assert_int_equal(sumi_data_classes(data), 3);
        read_one(data, 0, item, &label);
        assert_int_equal(label, 2);
        assert_int_equal(grey_of(data, 0), 10);
        assert_string_equal(sumi_data_caption(data, 0), "one");
        assert_int_equal(grey_of(data, 1), 20);
        assert_string_equal(sumi_data_caption(data, 1), "two");
        sumi_data_free(data);
    }
    sumi_data *data = open_data(RECIPE, path_of("one.tar"));
    assert_int_equal(sumi_data_count(data), 3);
    assert_int_equal(grey_of(data, 2), 99); /* the first picture of that name */
    assert_null(sumi_data_caption(data, 0));
    sumi_data_free(data);
}

/* Archives set/0.tar ... set/2.tar with 5, 4 and 3 pictures of the greys 1 to 12. */
static void make_set(void)
{
    int grey = 1;
    mkdir(path_of("set"), 0777);
    for (int i = 0; i < 3; i++) {
        char name[32];
        for (int j = 0; j < 5 - i; j++, grey++) {
            snprintf(name, sizeof name, "%d.png", grey);
            put_picture(name, (uint8_t)grey);
            snprintf(name, sizeof name, "%d.txt", grey);
            put_text(name, name);
        }
        snprintf(name, sizeof name, "set/%d.tar", i);
        write_tar(name);
    }
}

static void names_of_archives_may_be_folders_and_ranges(void **state)
{
    (void)state;
    make_set();
    sumi_data *data = open_data(RECIPE, path_of("set"));
    assert_int_equal(sumi_data_count(data), 12);
    assert_int_equal(grey_of(data, 11), 12);
    sumi_data_free(data);
    data = open_data(RECIPE, path_of("set/{1..2}.tar"));
    assert_int_equal(sumi_data_count(data), 7);
    assert_int_equal(grey_of(data, 0), 6);
    sumi_data_free(data);
    struct names shards = {0};
    CHECK_OK(here.context, shards_list(here.context, "x-{008..011}.tar", &shards));
    assert_int_equal(shards.count, 4);
    assert_string_equal(names_get(&shards, 0), "x-008.tar");
    assert_string_equal(names_get(&shards, 3), "x-011.tar");
    names_release(here.context, &shards);
    check_data_refused(RECIPE, path_of("set/{1..3}.tar"), SUMI_ERROR_FILE,
                       "set/3.tar: cannot open: No such file or directory");
    assert_int_equal(shards_list(here.context, "{1..900000}.tar", &shards), SUMI_ERROR_ARGUMENT);
    names_release(here.context, &shards);
    mkdir(path_of("none"), 0777);
    check_data_refused(RECIPE, path_of("none"), SUMI_ERROR_FORMAT,
                       "none: no archives in this folder (.tar)");
}

/* The greys of an epoch's items, as training takes them in batches of 3. */
static void take_epoch(sumi_data *data, int epoch, int greys[12])
{
    float items[3 * 4];
    for (int step = 0; step < 4; step++) {
        CHECK_OK(here.context, data_read_batch(data, 5, 4 * epoch + step, 3, items, NULL));
        for (int i = 0; i < 3; i++) greys[3 * step + i] = (int)lround((items[4 * i] + 1) * 127.5);
    }
}

static int archive_of(int grey)
{
    return grey <= 5 ? 0 : grey <= 9 ? 1 : 2;
}

static void an_epoch_has_every_picture_once_shuffled_within_the_window(void **state)
{
    (void)state;
    make_set();
    int greys[12], other[12], changes = 0;
    sumi_data *data = open_data(RECIPE "memory = 0\nbuffer = 1\nreaders = 0\n", path_of("set"));
    take_epoch(data, 0, greys);
    for (int i = 1; i < 12; i++) { /* with a window of one, archives in turn, each from the front */
        bool same = archive_of(greys[i]) == archive_of(greys[i - 1]);
        if (same) assert_int_equal(greys[i], greys[i - 1] + 1);
        else changes++;
    }
    assert_int_equal(changes, 2);
    sumi_data_free(data);
    data = open_data(RECIPE "memory = 0\nbuffer = 6\n", path_of("set"));
    bool seen[2][13] = {{false}};
    for (int epoch = 0; epoch < 2; epoch++) {
        take_epoch(data, epoch, epoch ? other : greys);
        for (int i = 0; i < 12; i++) seen[epoch][epoch ? other[i] : greys[i]] = true;
        for (int i = 1; i <= 12; i++) assert_true(seen[epoch][i]);
    }
    assert_memory_not_equal(greys, other, sizeof greys);
    sumi_data_free(data);
}

static void a_run_continues_in_the_middle_of_an_epoch(void **state)
{
    (void)state;
    make_set();
    const char *const text = RECIPE "captions = yes\nmemory = 0\nbuffer = 4\n";
    float whole[12 * 4], rest[6 * 4];
    const char *captions[6];
    sumi_data *data = open_data(text, path_of("set"));
    for (int step = 0; step < 2; step++)
        CHECK_OK(here.context, data_read_batch(data, 3, step, 6, whole + 24 * step, NULL));
    sumi_data_free(data);
    data = open_data(text, path_of("set"));
    CHECK_OK(here.context, data_read_batch(data, 3, 1, 6, rest, NULL));
    assert_memory_equal(rest, whole + 24, sizeof rest);
    data_batch_captions(data, 3, 1, 6, captions);
    for (int i = 0; i < 6; i++)
        assert_int_equal(atoi(captions[i]), (int)lround((rest[4 * i] + 1) * 127.5));
    sumi_data_free(data);
}

static void bad_archives_are_refused_with_the_member(void **state)
{
    (void)state;
    put_text("1.txt", "no picture");
    write_tar("bad.tar");
    check_data_refused(RECIPE, path_of("bad.tar"), SUMI_ERROR_FORMAT,
                       "bad.tar: no pictures in the archives (.png, .jpg or .jpeg)");
    put_picture("1.png", 1);
    put_text("1.cls", "cat");
    write_tar("bad.tar");
    check_data_refused(RECIPE "labels = yes\n", path_of("bad.tar"), SUMI_ERROR_FORMAT,
                       "bad.tar: 1.cls: a class is a whole number from 0, not \"cat\"");
    put_picture("1.png", 1);
    write_tar("bad.tar");
    check_data_refused(RECIPE "labels = yes\n", path_of("bad.tar"), SUMI_ERROR_FORMAT,
                       "has no class (.cls); set data.labels = no");
    check_data_refused(RECIPE "captions = yes\n", path_of("bad.tar"), SUMI_ERROR_FORMAT,
                       "bad.tar: data.captions = yes, but no picture has a caption");
    put_picture("1.png", 1);
    put_text("1.json", "{\"caption\": 3}");
    write_tar("bad.tar");
    check_data_refused(RECIPE "captions = yes\n", path_of("bad.tar"), SUMI_ERROR_FORMAT, "1.json");
    put_picture("1.png", 1);
    put_text("1.txt", "\xff");
    write_tar("bad.tar");
    check_data_refused(RECIPE "captions = yes\n", path_of("bad.tar"), SUMI_ERROR_FORMAT,
                       "bad.tar: 1: the caption is not UTF-8");
    put_text("1.png", "no png");
    write_tar("bad.tar");
    check_data_refused(RECIPE, path_of("bad.tar"), SUMI_ERROR_FORMAT,
                       "bad.tar: the picture at byte 512: is neither a PNG nor a JPEG file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_captions_and_classes_belong_to_one_name),
        cmocka_unit_test(names_of_archives_may_be_folders_and_ranges),
        cmocka_unit_test(an_epoch_has_every_picture_once_shuffled_within_the_window),
        cmocka_unit_test(a_run_continues_in_the_middle_of_an_epoch),
        cmocka_unit_test(bad_archives_are_refused_with_the_member),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

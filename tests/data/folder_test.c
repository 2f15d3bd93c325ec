/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of pictures: classes by folder, fitting, and folders that hold none. */
#include <sys/stat.h>

#include "../files/picture_bytes.h"
#include "files/image.h"
#include "opening.h"
#include "written_picture.h"

/* A picture of one colour, with a stripe of white at the left and right fourths. */
static void write_picture(const char *name, int width, int height, uint8_t red, uint8_t blue)
{
    uint8_t *pixels = calloc((size_t)(width * height), 3);
    assert_non_null(pixels);
    for (int i = 0; i < width * height; i++) {
        bool stripe = i % width < width / 4 || i % width >= width - width / 4;
        pixels[3 * i] = stripe ? 255 : red;
        pixels[3 * i + 1] = stripe ? 255 : 0;
        pixels[3 * i + 2] = stripe ? 255 : blue;
    }
    image picture = {width, height, 3, pixels};
    CHECK_OK(here.context, write_png(here.context, path_of(name), &picture));
    free(pixels);
}

static void make_folders(void)
{
    const char *folders[] = {"set", "set/b", "set/a", "set/a/deep", "set/empty", "set/.hidden"};
    for (int i = 0; i < 6; i++) mkdir(path_of(folders[i]), 0777);
    write_picture("set/b/1.png", 16, 8, 0, 255);
    write_picture("set/a/2.PNG", 16, 8, 255, 0);
    write_picture("set/a/deep/3.png", 32, 16, 255, 255);
    write_picture("set/.hidden/4.png", 16, 8, 0, 0);
    write_bytes(path_of("set/a/notes.txt"), "no picture", 10);
}

static const char *const recipe = "[data]\nkind = folder\nwidth = 4\nheight = 4\nlabels = yes\n";

static void folders_are_classes_and_pictures_are_cropped_at_the_centre(void **state)
{
    (void)state;
    make_folders();
    for (int streamed = 0; streamed < 2; streamed++) {
        char text[256];
        snprintf(text, sizeof text, "%s%s", recipe, streamed ? "memory = 0\n" : "");
        sumi_data *data = open_data(text, path_of("set"));
        int64_t shape[SUMI_MAX_RANK];
        assert_int_equal(sumi_data_count(data), 3);
        assert_int_equal(sumi_data_classes(data), 2);
        assert_int_equal(sumi_data_shape(data, shape), 3);
        assert_int_equal(shape[2], 3);
        assert_string_equal(sumi_data_class_name(data, 0), "a");
        assert_string_equal(sumi_data_class_name(data, 1), "b"); /* "empty" is no class */
        assert_null(sumi_data_class_name(data, 2));
        assert_null(sumi_data_class_name(data, -1));
        const int labels[3] = {0, 0, 1};
        const float colours[3][3] = {{1, -1, -1}, {1, -1, 1}, {-1, -1, 1}}; /* by name: 2, 3, 1 */
        float item[4 * 4 * 3];
        for (int i = 0; i < 3; i++) {
            int32_t label;
            read_one(data, i, item, &label);
            assert_int_equal(label, labels[i]);
            for (int k = 0; k < 3; k++) { /* two pixels from the middle of the picture */
                CHECK_CLOSE(item[(1 * 4 + 1) * 3 + k], colours[i][k], 1e-6);
                CHECK_CLOSE(item[(2 * 4 + 2) * 3 + k], colours[i][k], 1e-6);
            }
        }
        sumi_data_free(data);
    }
}

static void pictures_can_be_read_as_grey(void **state)
{
    (void)state;
    make_folders();
    sumi_data *data =
        open_data("[data]\nkind = folder\nwidth = 4\nheight = 4\nchannels = 1\n", path_of("set"));
    int64_t shape[SUMI_MAX_RANK];
    float item[16];
    assert_int_equal(sumi_data_shape(data, shape), 3);
    assert_int_equal(shape[2], 1);
    read_one(data, 0, item, NULL);
    CHECK_CLOSE((item[5] + 1) / 2, 0.299, 0.01); /* the luma of red */
    sumi_data_free(data);
}

/* Stored lying, 4 x 2 of a dark and a bright row; seen standing, a bright and a dark column. Were
   it cropped as it lies, it would have lost half of its pixels. */
static void pictures_are_turned_upright_before_they_are_scaled_and_cropped(void **state)
{
    (void)state;
    uint8_t exif[EXIF_SIZE];
    test_file file = begin_png(4, 2, 8, 0);
    make_exif(6, false, exif);
    put_chunk(&file, "eXIf", exif, sizeof exif);
    end_png(&file, "\0\0\0\0\0\0\377\377\377\377", 10);
    mkdir(path_of("turned"), 0777);
    write_bytes(path_of("turned/1.png"), file.bytes, file.size);
    sumi_data *data = open_data("[data]\nkind = folder\nwidth = 2\nheight = 4\nchannels = 1\n",
                                path_of("turned"));
    float item[8];
    read_one(data, 0, item, NULL);
    for (int i = 0; i < 8; i++) CHECK_CLOSE(item[i], i % 2 ? -1 : 1, 1e-6);
    sumi_data_free(data);
}

static void a_size_of_zero_is_that_of_the_first_picture(void **state)
{
    (void)state;
    make_folders(); /* a/2.PNG of 16 x 8 comes first */
    static const struct {
        const char *text;
        int64_t height, width;
    } cases[] = {{"width = 0\nheight = 0\n", 8, 16},
                 {"width = 0\nheight = 4\n", 4, 16},
                 {"width = 4\nheight = 0\n", 8, 4}};
    for (int i = 0; i < 3; i++) {
        char text[128];
        int64_t shape[SUMI_MAX_RANK];
        snprintf(text, sizeof text, "[data]\nkind = folder\n%s", cases[i].text);
        sumi_data *data = open_data(text, path_of("set"));
        assert_int_equal(sumi_data_shape(data, shape), 3);
        assert_int_equal(shape[0], cases[i].height);
        assert_int_equal(shape[1], cases[i].width);
        sumi_data_free(data);
    }
}

static void folders_without_pictures_are_refused(void **state)
{
    (void)state;
    make_folders();
    check_data_refused(recipe, path_of("set/empty"), SUMI_ERROR_FORMAT, "no pictures");
    check_data_refused(recipe, path_of("nowhere"), SUMI_ERROR_FILE, "nowhere");
    check_data_refused(recipe, path_of("set/a"), SUMI_ERROR_FORMAT, "has no class");
}

static void a_broken_picture_is_named(void **state)
{
    (void)state;
    mkdir(path_of("broken"), 0777);
    mkdir(path_of("broken/a"), 0777);
    write_bytes(path_of("broken/a/bad.png"), "\x89PNG\r\n\x1a\n cut", 12);
    check_data_refused(recipe, path_of("broken"), SUMI_ERROR_FORMAT, "bad.png");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_classes_and_pictures_are_cropped_at_the_centre),
        cmocka_unit_test(pictures_can_be_read_as_grey),
        cmocka_unit_test(pictures_are_turned_upright_before_they_are_scaled_and_cropped),
        cmocka_unit_test(a_size_of_zero_is_that_of_the_first_picture),
        cmocka_unit_test(folders_without_pictures_are_refused),
        cmocka_unit_test(a_broken_picture_is_named),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* IDX sets: files made byte by byte, and the real MNIST where there is one. */
#include <zlib.h>

#include "opening.h"
#include "real_data.h"

enum { COUNT = 5, PIXELS = 6 };

/* Five pictures of 2 x 3, pixel k of picture i being 40 i + 10 k, with the labels 3 1 4 1 5. */
static const uint8_t images_header[16] = {0, 0, 8, 3, 0, 0, 0, COUNT, 0, 0, 0, 2, 0, 0, 0, 3};
static const uint8_t labels_file[8 + COUNT] = {0, 0, 8, 1, 0, 0, 0, COUNT, 3, 1, 4, 1, 5};

static size_t make_images(uint8_t bytes[16 + COUNT * PIXELS])
{
    memcpy(bytes, images_header, 16);
    for (int i = 0; i < COUNT * PIXELS; i++) {
        bytes[16 + i] = (uint8_t)(40 * (i / PIXELS) + 10 * (i % PIXELS));
    }
    return 16 + COUNT * PIXELS;
}

static void write_gzip(const char *path, const void *bytes, size_t size)
{
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

static void make_folder(const char *name)
{
    char command[300];
    snprintf(command, sizeof command, "mkdir -p '%s'", path_of(name));
    assert_int_equal(system(command), 0);
}

static void check_images(sumi_data *data, bool labelled)
{
    int64_t shape[SUMI_MAX_RANK];
    assert_int_equal(sumi_data_count(data), COUNT);
    assert_int_equal(sumi_data_shape(data, shape), 3);
    assert_int_equal(shape[0], 2);
    assert_int_equal(shape[1], 3);
    assert_int_equal(shape[2], 1);
    assert_int_equal(sumi_data_classes(data), labelled ? 6 : 0);
    float item[PIXELS];
    int32_t label;
    for (int i = 0; i < COUNT; i++) {
        read_one(data, i, item, &label);
        assert_int_equal(label, labelled ? labels_file[8 + i] : -1);
        for (int k = 0; k < PIXELS; k++) CHECK_CLOSE(item[k], (40 * i + 10 * k) / 127.5 - 1, 1e-6);
    }
    sumi_data_free(data);
}

static void a_folder_of_plain_files_is_read(void **state)
{
    (void)state;
    uint8_t bytes[16 + COUNT * PIXELS];
    size_t size = make_images(bytes);
    make_folder("plain");
    write_bytes(path_of("plain/train-images-idx3-ubyte"), bytes, size);
    write_bytes(path_of("plain/train-labels-idx1-ubyte"), labels_file, sizeof labels_file);
    check_images(open_data("[data]\nkind = idx\nlabels = yes\n", path_of("plain")), true);
    check_images(open_data("[data]\nkind = idx\n", path_of("plain")), false);
    check_images(open_data("[data]\nkind = idx\nlabels = yes\nmemory = 0\n",
                           path_of("plain/train-images-idx3-ubyte")),
                 true);
}

static void a_folder_of_gzipped_files_is_read(void **state)
{
    (void)state;
    uint8_t bytes[16 + COUNT * PIXELS];
    size_t size = make_images(bytes);
    make_folder("gzipped");
    write_gzip(path_of("gzipped/t10k-images-idx3-ubyte.gz"), bytes, size);
    write_gzip(path_of("gzipped/t10k-labels-idx1-ubyte.gz"), labels_file, sizeof labels_file);
    check_images(open_data("[data]\nkind = idx\nlabels = yes\nsplit = test\n", path_of("gzipped")),
                 true);
    check_data_refused("[data]\nkind = idx\n", path_of("gzipped"), SUMI_ERROR_FILE,
                       "has no train-images");
}

static void the_cache_folder_is_used_when_no_path_is_given(void **state)
{
    (void)state;
    check_data_refused("[data]\nkind = idx\n", NULL, SUMI_ERROR_FILE,
                       "run `sumi fetch mnist` or --set data.path=DIR");
    uint8_t bytes[16 + COUNT * PIXELS];
    size_t size = make_images(bytes);
    make_folder("sumi/mnist");
    make_folder("sumi/fashion-mnist");
    write_bytes(path_of("sumi/mnist/train-images-idx3-ubyte"), bytes, size);
    write_bytes(path_of("sumi/fashion-mnist/train-images-idx3-ubyte"), bytes, size);
    check_images(open_data("[data]\nkind = idx\n", NULL), false);
    check_images(open_data("[data]\nkind = idx\n", "fashion-mnist"), false);
}

static void labels_that_do_not_belong_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[16 + COUNT * PIXELS];
    size_t size = make_images(bytes);
    make_folder("wrong");
    write_bytes(path_of("wrong/train-images-idx3-ubyte"), bytes, size);
    check_data_refused("[data]\nkind = idx\nlabels = yes\n", path_of("wrong"), SUMI_ERROR_ARGUMENT,
                       "no labels");
    const uint8_t four[12] = {0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 4};
    write_bytes(path_of("wrong/train-labels-idx1-ubyte"), four, sizeof four);
    check_data_refused("[data]\nkind = idx\nlabels = yes\n", path_of("wrong"), SUMI_ERROR_FORMAT,
                       "expected 5 labels");
    check_data_refused("[data]\nkind = idx\n", path_of("wrong/train-labels-idx1-ubyte"),
                       SUMI_ERROR_FORMAT, "expected images");
    write_bytes(path_of("wrong/train-images-idx3-ubyte"), bytes, size - 1);
    check_data_refused("[data]\nkind = idx\n", path_of("wrong"), SUMI_ERROR_FORMAT,
                       "train-images-idx3-ubyte");
    check_data_refused("[data]\nkind = idx\n", path_of("nowhere"), SUMI_ERROR_FILE, "nowhere");
}

static char mnist[4096];
static bool mnist_found;

/* Published facts: 60,000 digits of 28 x 28, mean 0.1307 and deviation 0.3081 of pixels from 0 to
   1, and how often each digit comes. */
static void mnist_is_what_it_is_known_to_be(void **state)
{
    (void)state;
    if (!mnist_found) skip();
    static const int known[10] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
    sumi_data *data = open_data("[data]\nkind = idx\nlabels = yes\n", mnist);
    assert_int_equal(sumi_data_count(data), 60000);
    assert_int_equal(sumi_data_classes(data), 10);
    int seen[10] = {0};
    float item[784];
    double sum = 0, squares = 0;
    for (int i = 0; i < 60000; i++) {
        int32_t label;
        read_one(data, i, item, &label);
        seen[label]++;
        for (int k = 0; k < 784; k++) {
            double ink = (item[k] + 1) / 2;
            sum += ink;
            squares += ink * ink;
        }
    }
    double mean = sum / (60000.0 * 784), variance = squares / (60000.0 * 784) - mean * mean;
    CHECK_CLOSE(mean, 0.1307, 5e-5);
    CHECK_CLOSE(sqrt(variance), 0.3081, 5e-5);
    for (int i = 0; i < 10; i++) assert_int_equal(seen[i], known[i]);
    sumi_data_free(data);
    data = open_data("[data]\nkind = idx\nlabels = yes\nsplit = test\n", mnist);
    assert_int_equal(sumi_data_count(data), 10000);
    sumi_data_free(data);
}

int main(void)
{
    mnist_found = find_real_data("mnist", "train-images-idx3-ubyte.gz", mnist);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_of_plain_files_is_read),
        cmocka_unit_test(a_folder_of_gzipped_files_is_read),
        cmocka_unit_test(the_cache_folder_is_used_when_no_path_is_given),
        cmocka_unit_test(labels_that_do_not_belong_are_refused),
        cmocka_unit_test(mnist_is_what_it_is_known_to_be),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/draw/grid.c and of the cells, paper and files below it. */
#include "base/file.h"
#include "drawing.h"

/* Eight pixels a value: the largest magnification, used when there are few small images. */
enum { FACTOR = 8, MARGIN = 12, GAP = 4 };

static void image_values_are_in_their_cells(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[4 * 2 * 3];
    for (int i = 0; i < 24; i++) values[i] = -1;
    values[0] = 1;      /* first image, upper left */
    values[6 + 5] = 1;  /* second image, lower right */
    values[18 + 1] = 0; /* fourth image, upper middle */
    sumi_array images = {4, {4, 2, 3, 1}, values};
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &images, 0, scene.path));
    picture drawn = picture_read(scene.path);
    int cell_width = 3 * FACTOR, cell_height = 2 * FACTOR;
    assert_int_equal(drawn.width, 2 * MARGIN + 2 * cell_width + GAP);
    assert_int_equal(drawn.height, 2 * MARGIN + 2 * cell_height + GAP);
    for (int y = 0; y < drawn.height; y++) {
        for (int x = 0; x < drawn.width; x++) {
            int column = (x - MARGIN) / (cell_width + GAP);
            int row = (y - MARGIN) / (cell_height + GAP);
            int inside_x = x - MARGIN - column * (cell_width + GAP);
            int inside_y = y - MARGIN - row * (cell_height + GAP);
            uint32_t expected = 0xffffff;
            if (x >= MARGIN && y >= MARGIN && column < 2 && row < 2 && inside_x < cell_width
                && inside_y < cell_height) {
                int pixel = inside_y / FACTOR * 3 + inside_x / FACTOR;
                float value = values[(row * 2 + column) * 6 + pixel];
                expected = value > 0.5f ? 0xffffff : value < -0.5f ? 0x000000 : 0x808080;
            }
            assert_int_equal(picture_colour(&drawn, x, y), expected);
        }
    }
    picture_free(&drawn);
    scene_close(&scene);
}

static void colours_keep_their_order_and_wild_values_are_clamped(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[] = {1, -1, 0, 1e30f, -1e30f, INFINITY, NAN, 1, 1};
    sumi_array images = {4, {1, 1, 3, 3}, values};
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &images, 0, scene.path));
    picture drawn = picture_read(scene.path);
    assert_int_equal(picture_colour(&drawn, MARGIN, MARGIN), 0xff0080);
    assert_int_equal(picture_colour(&drawn, MARGIN + FACTOR, MARGIN), 0xff00ff);
    assert_int_equal(picture_colour(&drawn, MARGIN + 2 * FACTOR, MARGIN), 0xc23d2b);
    picture_free(&drawn);
    scene_close(&scene);
}

static void a_grid_in_memory_has_the_bytes_of_the_file(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[] = {1, -1, 0, 0.5F, 0.25F, -0.5F};
    sumi_array images = {4, {3, 1, 2, 1}, values};
    void *bytes = NULL, *written = NULL;
    size_t size = 0, written_size = 0;
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &images, 2, scene.path));
    CHECK_OK(scene.context, sumi_draw_grid_memory(scene.context, &images, 2, &bytes, &size));
    CHECK_OK(scene.context, file_read(scene.context, scene.path, 1 << 20, &written, &written_size));
    assert_int_equal(size, written_size);
    assert_memory_equal(bytes, written, size);
    sumi_bytes_release(scene.context, bytes);
    context_release(scene.context, written);
    assert_int_equal(sumi_draw_grid_memory(scene.context, &images, -1, &bytes, &size),
                     SUMI_ERROR_ARGUMENT);
    assert_true(!bytes && !size);
    scene_close(&scene);
}

static void columns_are_near_square_or_as_asked(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[10] = {0};
    sumi_array images = {4, {10, 1, 1, 1}, values};
    const struct {
        int asked, columns, rows;
    } cases[] = {{0, 4, 3}, {5, 5, 2}, {10, 10, 1}, {50, 10, 1}, {1, 1, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_OK(scene.context, sumi_draw_grid(scene.context, &images, cases[i].asked, scene.path));
        picture drawn = picture_read(scene.path);
        assert_int_equal(drawn.width, 2 * MARGIN + cases[i].columns * (FACTOR + GAP) - GAP);
        assert_int_equal(drawn.height, 2 * MARGIN + cases[i].rows * (FACTOR + GAP) - GAP);
        picture_free(&drawn);
    }
    scene_close(&scene);
}

static void a_tall_column_is_magnified_less(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float *values = calloc(20000, sizeof *values);
    sumi_array image = {4, {1, 20000, 1, 1}, values}, column = {4, {20, 100, 10, 1}, values};
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &image, 0, scene.path));
    picture drawn = picture_read(scene.path);
    assert_int_equal(drawn.height, 20000 + 2 * MARGIN);
    picture_free(&drawn);
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &column, 1, scene.path));
    drawn = picture_read(scene.path);
    assert_int_equal(drawn.width, 2 * 10 + 2 * MARGIN); /* 20 x 100 x 2 is below 4800 */
    picture_free(&drawn);
    free(values);
    scene_close(&scene);
}

static void the_same_grid_gives_the_same_bytes(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[64];
    for (int i = 0; i < 64; i++) values[i] = sinf((float)i);
    sumi_array signals = {3, {2, 32, 1}, values};
    char first[65536], second[65536];
    size_t sizes[2];
    for (int i = 0; i < 2; i++) {
        CHECK_OK(scene.context, sumi_draw_grid(scene.context, &signals, 0, scene.path));
        FILE *stream = fopen(scene.path, "rb");
        assert_non_null(stream);
        sizes[i] = fread(i ? second : first, 1, sizeof first, stream);
        fclose(stream);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(first, second, sizes[0]);
    scene_close(&scene);
}

static void a_curve_lies_where_its_values_are(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[100];
    for (int i = 0; i < 100; i++) values[i] = i < 50 ? -1 : 1;
    sumi_array signals = {3, {1, 100, 1}, values};
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &signals, 0, scene.path));
    picture drawn = picture_read(scene.path);
    int middle_x = drawn.width / 2, middle_y = drawn.height / 2;
    /* Within the frame: left half of the curve low, right half high, nothing else. */
    int left = 100, right = drawn.width - 100;
    assert_int_equal(picture_ink(&drawn, left, 20, middle_x - 30, middle_y), 0);
    assert_int_equal(picture_ink(&drawn, middle_x + 60, middle_y, right, drawn.height - 60), 0);
    assert_true(picture_ink(&drawn, left, middle_y, middle_x - 30, drawn.height - 40) > 300);
    assert_true(picture_ink(&drawn, middle_x + 60, 12, right, middle_y) > 300);
    picture_free(&drawn);
    scene_close(&scene);
}

static void signals_of_any_length_and_with_gaps_are_drawn(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    int64_t lengths[] = {1, 2, 3, 200000};
    for (int i = 0; i < 4; i++) {
        sumi_array signals = {0};
        int64_t shape[] = {2, lengths[i], 2};
        CHECK_OK(scene.context, sumi_array_create(scene.context, 3, shape, &signals));
        int64_t count = sumi_array_count(&signals);
        for (int64_t j = 0; j < count; j++) signals.data[j] = j % 7 ? cosf((float)j) : NAN;
        signals.data[0] = INFINITY;
        CHECK_OK(scene.context, sumi_draw_grid(scene.context, &signals, 0, scene.path));
        for (int64_t j = 0; j < count; j++) signals.data[j] = NAN;
        CHECK_OK(scene.context, sumi_draw_grid(scene.context, &signals, 0, scene.path));
        for (int64_t j = 0; j < count; j++) signals.data[j] = j % 2 ? 3.4e38f : -3.4e38f;
        CHECK_OK(scene.context, sumi_draw_grid(scene.context, &signals, 0, scene.path));
        for (int64_t j = 0; j < count; j++) signals.data[j] = 1e-45f;
        CHECK_OK(scene.context, sumi_draw_grid(scene.context, &signals, 0, scene.path));
        sumi_array_release(scene.context, &signals);
    }
    scene_close(&scene);
}

/* A cross of points: ink in the four arms, none in the quarters between. */
static void check_cross(int64_t count)
{
    struct scene scene = scene_open();
    sumi_array points = {0};
    CHECK_OK(scene.context, sumi_array_create(scene.context, 2, (int64_t[]){count, 2}, &points));
    for (int64_t i = 0; i < count; i++) {
        float place = 2 * (float)i / (float)(count - 1) - 1;
        points.data[2 * i + i % 2] = place;
    }
    points.data[0] = NAN;
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &points, 0, scene.path));
    picture drawn = picture_read(scene.path);
    int left = 0, width = 760, top = MARGIN; /* the frame's left edge follows from the picture */
    left = drawn.width - MARGIN - width;
    for (int row = 0; row < 2; row++) {
        for (int column = 0; column < 2; column++) {
            int x = left + 20 + column * 390, y = top + 20 + row * 390;
            assert_int_equal(picture_ink(&drawn, x, y, x + 330, y + 330), 0);
        }
    }
    assert_true(picture_ink(&drawn, left + 20, top + 360, left + 740, top + 400) > 500);
    assert_true(picture_ink(&drawn, left + 360, top + 20, left + 400, top + 740) > 500);
    picture_free(&drawn);
    sumi_array_release(scene.context, &points);
    scene_close(&scene);
}

static void points_lie_where_they_are_few_or_many(void **state)
{
    (void)state;
    check_cross(1001);
    check_cross(100001);
}

static void rows_of_more_than_four_numbers_are_one_picture(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[] = {-1, 1, -1, 1, 1, -1, 1, -1, 1, 1};
    const sumi_array rows = {2, {2, 5}, values}, image = {4, {1, 2, 5, 1}, values};
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &image, 0, scene.path));
    picture wanted = picture_read(scene.path);
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &rows, 0, scene.path));
    picture found = picture_read(scene.path);
    assert_int_equal(found.width, wanted.width);
    assert_int_equal(found.height, wanted.height);
    assert_memory_equal(found.pixels, wanted.pixels, (size_t)(wanted.stride * wanted.height));
    picture_free(&found);
    picture_free(&wanted);
    scene_close(&scene);
}

/* Channel c of a pixel of 2 x 3 is (c + pixel) / 14. */
static void channels_that_are_not_colours_are_side_by_side(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    const int counts[] = {2, 4, 5, 8, 9};
    for (int k = 0; k < 5; k++) {
        float values[2 * 3 * 9];
        int channels = counts[k], across = channels > 8 ? 3 : channels;
        for (int i = 0; i < 6 * channels; i++)
            values[i] = (float)(i % channels + i / channels) / 14;
        sumi_array image = {4, {1, 2, 3, channels}, values};
        CHECK_OK(scene.context, sumi_draw_grid(scene.context, &image, 0, scene.path));
        picture drawn = picture_read(scene.path);
        assert_int_equal(drawn.width, 2 * MARGIN + FACTOR * (across * 4 - 1));
        for (int c = 0; c < channels; c++) {
            for (int pixel = 0; pixel < 6; pixel++) {
                int x = MARGIN + FACTOR * (c % across * 4 + pixel % 3);
                int y = MARGIN + FACTOR * (c / across * 3 + pixel / 3);
                uint32_t grey = (uint32_t)lrint((1 + (c + pixel) / 14.0) * 127.5);
                assert_int_equal(picture_colour(&drawn, x + 1, y + 1), grey * 0x010101);
            }
            int beside = MARGIN + FACTOR * (c % across * 4 + 3) + 1;
            if (c % across < across - 1)
                assert_int_equal(picture_colour(&drawn, beside, MARGIN + 1), 0xffffff);
        }
        picture_free(&drawn);
    }
    scene_close(&scene);
}

/* Two slices of 1 x 2, and a signal of two times and 65 channels. */
static void slices_and_many_channels_are_rows_of_pixels(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[130], slices[] = {-1, 1, 1, -1};
    for (int i = 0; i < 130; i++) values[i] = i < 65 ? -1 : 0;
    sumi_array volume = {5, {1, 2, 1, 2, 1}, slices}, signal = {3, {1, 2, 65}, values};
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &volume, 0, scene.path));
    picture drawn = picture_read(scene.path);
    assert_int_equal(drawn.height, 2 * MARGIN + 2 * FACTOR);
    assert_int_equal(picture_colour(&drawn, MARGIN, MARGIN), 0x000000);
    assert_int_equal(picture_colour(&drawn, MARGIN + FACTOR, MARGIN), 0xffffff);
    assert_int_equal(picture_colour(&drawn, MARGIN + FACTOR, MARGIN + FACTOR), 0x000000);
    picture_free(&drawn);
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &signal, 0, scene.path));
    drawn = picture_read(scene.path);
    assert_int_equal(drawn.width, 2 * MARGIN + 65 * FACTOR);
    assert_int_equal(picture_colour(&drawn, MARGIN + 64 * FACTOR, MARGIN), 0x000000);
    assert_int_equal(picture_colour(&drawn, MARGIN + 64 * FACTOR, MARGIN + FACTOR), 0x808080);
    picture_free(&drawn);
    scene_close(&scene);
}

/* 900 numbers, of which 600 lie in the upper half of their range: bars twice as high. */
static void single_numbers_are_a_histogram(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[900];
    for (int i = 0; i < 900; i++) values[i] = i < 300 ? (float)i / 300 : 1 + (float)(i - 300) / 600;
    values[17] = NAN;
    for (int rank = 1; rank <= 2; rank++) {
        sumi_array numbers = {rank, {900, 1}, values};
        CHECK_OK(scene.context, sumi_draw_grid(scene.context, &numbers, 0, scene.path));
        picture drawn = picture_read(scene.path);
        int left = drawn.width / 8, middle = drawn.width / 2 + 20, right = drawn.width - 40;
        int low = picture_ink(&drawn, left, 20, middle - 40, drawn.height - 40);
        int high =
            picture_ink(&drawn, middle, 20, middle + (middle - 40 - left), drawn.height - 40);
        assert_true(right > middle && low > 1000);
        CHECK_CLOSE((double)high / low, 2, 0.15);
        picture_free(&drawn);
    }
    float wild[] = {NAN, INFINITY, NAN};
    sumi_array nothing = {2, {3, 1}, wild};
    CHECK_OK(scene.context, sumi_draw_grid(scene.context, &nothing, 0, scene.path));
    scene_close(&scene);
}

/* Points whose third coordinate alone varies are a line in the pairs that have it. */
static void points_of_more_coordinates_are_drawn_by_pairs(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    for (int d = 3; d <= 4; d++) {
        float values[4 * 50] = {0};
        for (int i = 0; i < 50; i++) values[i * d + 2] = (float)i / 25 - 1;
        sumi_array points = {2, {50, d}, values};
        CHECK_OK(scene.context, sumi_draw_grid(scene.context, &points, 0, scene.path));
        picture drawn = picture_read(scene.path);
        int pairs = d * (d - 1) / 2, cell = (drawn.width - 60) / pairs, top = 50;
        int ink[6];
        for (int i = 0; i < pairs; i++) {
            int from = 60 + i * cell;
            ink[i] = picture_ink(&drawn, from + 20, top, from + cell - 30, drawn.height - 45);
        }
        assert_true(ink[1] > 5 * ink[0] && ink[2] > 5 * ink[0] && ink[0] > 0);
        if (d == 4) assert_true(ink[5] > 5 * ink[0] && ink[3] < ink[1]);
        picture_free(&drawn);
    }
    scene_close(&scene);
}

static void shapes_without_a_picture_are_refused_with_a_sentence(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float value[64] = {0};
    const struct {
        sumi_array items;
        const char *text;
    } cases[] = {
        {{4, {0, 28, 28, 1}, value}, "length 0 of their shape is 0"},
        {{4, {1, -28, 28, 1}, value}, "length 1 of their shape is -28"},
        {{4, {INT64_MAX, 28, 28, 1}, value}, "cannot be drawn"},
        {{4, {1, INT64_C(1) << 31, INT64_C(1) << 31, 1}, value}, "cannot be drawn"},
        {{4, {1, 40000, 1, 1}, value}, "draw fewer or smaller items"},
        {{4, {1, 20000, 20000, 1}, value}, "draw fewer or smaller items"},
        {{4, {INT64_C(1) << 40, 1, 1, 1}, value}, "draw fewer or smaller items"},
        {{4, {1, 1, 1, 1}, NULL}, "there are no items"},
        {{9, {1, 1, 1, 1, 1, 1}, value}, "there are no items"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_REFUSED(&scene, sumi_draw_grid(scene.context, &cases[i].items, 0, scene.path),
                      SUMI_ERROR_ARGUMENT, cases[i].text);
    }
    sumi_array image = {4, {1, 1, 1, 1}, value};
    CHECK_REFUSED(&scene, sumi_draw_grid(scene.context, &image, -1, scene.path),
                  SUMI_ERROR_ARGUMENT, "-1 columns");
    CHECK_REFUSED(&scene, sumi_draw_grid(scene.context, &image, 0, "picture.jpg"),
                  SUMI_ERROR_ARGUMENT, "ends in .png");
    CHECK_REFUSED(&scene, sumi_draw_grid(scene.context, &image, 0, NULL), SUMI_ERROR_ARGUMENT,
                  "file name");
    assert_int_equal(scene_files(&scene), 0);
    scene_close(&scene);
}

static void a_missing_folder_is_an_error_and_leaves_nothing_behind(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float value = 0;
    sumi_array image = {4, {1, 1, 1, 1}, &value};
    char path[160];
    snprintf(path, sizeof path, "%s/absent/picture.png", scene.folder);
    CHECK_REFUSED(&scene, sumi_draw_grid(scene.context, &image, 0, path), SUMI_ERROR_FILE,
                  "absent/picture.png");
    assert_int_equal(scene_files(&scene), 0);
    scene_close(&scene);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        print_message("skipped: there is no /dev/full here\n");
        skip();
    }
    /* The writer's temporary name is made to be /dev/full, so that every write fails. */
    struct scene scene = scene_open();
    char temporary[160];
    snprintf(temporary, sizeof temporary, "%s.%ld.part", scene.path, (long)getpid());
    assert_int_equal(symlink("/dev/full", temporary), 0);
    sumi_array images = {0};
    int64_t shape[] = {16, 64, 64, 3};
    CHECK_OK(scene.context, sumi_array_create(scene.context, 4, shape, &images));
    for (int64_t i = 0; i < sumi_array_count(&images); i++) images.data[i] = sinf((float)(i * i));
    CHECK_REFUSED(&scene, sumi_draw_grid(scene.context, &images, 0, scene.path), SUMI_ERROR_FILE,
                  "picture.png");
    assert_int_equal(scene_files(&scene), 0);
    sumi_array_release(scene.context, &images);
    scene_close(&scene);
}

/* An allocator that fails at the n-th request and counts what is out. */
typedef struct counting {
    int fail_at, requests, out;
} counting;

static void *counting_allocate(void *user, size_t size, size_t alignment)
{
    counting *count = user;
    if (++count->requests == count->fail_at) return NULL;
    count->out++;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void counting_release(void *user, void *memory)
{
    ((counting *)user)->out--;
    free(memory);
}

static void failing_memory_at_any_request_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float *values = calloc(2 * 30000, sizeof *values);
    sumi_array points = {2, {30000, 2}, values};
    sumi_status status = SUMI_ERROR_MEMORY;
    int fail_at = 2; /* the first request is for the context itself */
    for (; status == SUMI_ERROR_MEMORY && fail_at < 100; fail_at++) {
        counting count = {fail_at, 0, 0};
        sumi_allocator allocator = {&count, counting_allocate, counting_release};
        sumi_context *context = NULL;
        CHECK_OK(NULL, sumi_context_create(&allocator, &context));
        status = sumi_draw_grid(context, &points, 0, scene.path);
        assert_true(status == SUMI_OK || status == SUMI_ERROR_MEMORY);
        assert_int_equal(scene_files(&scene), status == SUMI_OK);
        sumi_context_free(context);
        assert_int_equal(count.out, 0);
    }
    assert_int_equal(status, SUMI_OK);
    assert_true(fail_at > 4);
    free(values);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_values_are_in_their_cells),
        cmocka_unit_test(colours_keep_their_order_and_wild_values_are_clamped),
        cmocka_unit_test(a_grid_in_memory_has_the_bytes_of_the_file),
        cmocka_unit_test(columns_are_near_square_or_as_asked),
        cmocka_unit_test(a_tall_column_is_magnified_less),
        cmocka_unit_test(the_same_grid_gives_the_same_bytes),
        cmocka_unit_test(a_curve_lies_where_its_values_are),
        cmocka_unit_test(signals_of_any_length_and_with_gaps_are_drawn),
        cmocka_unit_test(points_lie_where_they_are_few_or_many),
        cmocka_unit_test(rows_of_more_than_four_numbers_are_one_picture),
        cmocka_unit_test(channels_that_are_not_colours_are_side_by_side),
        cmocka_unit_test(slices_and_many_channels_are_rows_of_pixels),
        cmocka_unit_test(single_numbers_are_a_histogram),
        cmocka_unit_test(points_of_more_coordinates_are_drawn_by_pairs),
        cmocka_unit_test(shapes_without_a_picture_are_refused_with_a_sentence),
        cmocka_unit_test(a_missing_folder_is_an_error_and_leaves_nothing_behind),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(failing_memory_at_any_request_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing of pictures: what every filter must keep, and what is refused. The numbers that torch
   and Pillow give are compared by nets/blocks_test.c. */
#include "files/resize.h"

#include "../check.h"

enum { HEIGHT = 12, WIDTH = 9, CHANNELS = 2, MOST = 40 * 40 * CHANNELS };
static const struct resize kinds[] = {{RESIZE_NEAREST, false}, {RESIZE_AREA, false},
                                      {RESIZE_BOX, true},      {RESIZE_BILINEAR, false},
                                      {RESIZE_BILINEAR, true}, {RESIZE_BICUBIC, false},
                                      {RESIZE_BICUBIC, true},  {RESIZE_LANCZOS, true}};
enum { KINDS = sizeof kinds / sizeof *kinds };
static const struct resize_size size = {HEIGHT, WIDTH};

static void a_picture_of_one_colour_keeps_it(void **state)
{
    (void)state;
    static const struct resize_size to[] = {{24, 30}, {5, 4}, {12, 9}, {1, 40}, {40, 1}};
    sumi_context *context = NULL;
    float from[HEIGHT * WIDTH * CHANNELS], values[MOST];
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    for (int i = 0; i < HEIGHT * WIDTH * CHANNELS; i++) from[i] = i % CHANNELS ? -2 : 0.75f;
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
            CHECK_OK(context,
                     resize_floats(context, &kinds[kind], size, CHANNELS, from, to[i], values));
            for (int64_t k = 0; k < to[i].height * to[i].width * CHANNELS; k++)
                CHECK_CLOSE(values[k], k % CHANNELS ? -2 : 0.75, 1e-6);
        }
    }
    sumi_context_free(context);
}

/* At the same size every filter gives the picture back. */
static void a_picture_of_the_same_size_is_unchanged(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    float from[HEIGHT * WIDTH * CHANNELS], values[HEIGHT * WIDTH * CHANNELS];
    uint8_t bytes[HEIGHT * WIDTH * CHANNELS], same[HEIGHT * WIDTH * CHANNELS];
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    for (int i = 0; i < HEIGHT * WIDTH * CHANNELS; i++) {
        from[i] = (float)sin(1.3 * i);
        bytes[i] = (uint8_t)(i * 37);
    }
    for (int kind = 0; kind < KINDS; kind++) {
        enum resize_filter filter = kinds[kind].filter;
        CHECK_OK(context, resize_floats(context, &kinds[kind], size, CHANNELS, from, size, values));
        for (int i = 0; i < HEIGHT * WIDTH * CHANNELS; i++) CHECK_CLOSE(values[i], from[i], 1e-6);
        if (filter == RESIZE_NEAREST || filter == RESIZE_AREA) continue;
        CHECK_OK(context, resize_bytes(context, filter, size, CHANNELS, bytes, size, same));
        assert_memory_equal(bytes, same, sizeof same);
    }
    sumi_context_free(context);
}

/* A third of the width is the mean of three pixels; of a slope, its middle. */
static void area_and_box_are_means(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    float from[HEIGHT * WIDTH], values[HEIGHT * WIDTH];
    const struct resize_size third = {HEIGHT, WIDTH / 3};
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    for (int i = 0; i < HEIGHT * WIDTH; i++) from[i] = (float)(i % WIDTH);
    for (int kind = 1; kind <= 2; kind++) {
        CHECK_OK(context, resize_floats(context, &kinds[kind], size, 1, from, third, values));
        for (int i = 0; i < HEIGHT * WIDTH / 3; i++)
            CHECK_CLOSE(values[i], 3 * (i % (WIDTH / 3)) + 1, 1e-6);
    }
    sumi_context_free(context);
}

static void what_cannot_be_resized_is_refused(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    uint8_t bytes[4] = {0}, small[4];
    const struct resize_size two = {2, 2}, none = {0, 2};
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    assert_int_equal(resize_bytes(context, RESIZE_BOX, two, 1, bytes, none, small),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "0x2 pixels"));
    assert_int_equal(resize_bytes(context, RESIZE_NEAREST, two, 1, bytes, two, small),
                     SUMI_ERROR_ARGUMENT);
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_of_one_colour_keeps_it),
        cmocka_unit_test(a_picture_of_the_same_size_is_unchanged),
        cmocka_unit_test(area_and_box_are_means),
        cmocka_unit_test(what_cannot_be_resized_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

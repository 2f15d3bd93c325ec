/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/draw/losses.c. */
#include "drawing.h"

/* The frame within the picture, as losses.c lays it out. */
enum { WIDTH = 1440, HEIGHT = 860 };
enum { LEFT = 130, RIGHT = WIDTH - 40, TOP = 84, BOTTOM = HEIGHT - 100 };

static void no_losses_one_loss_and_losses_that_are_not_numbers_are_drawn(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[300];
    CHECK_OK(scene.context, sumi_draw_losses(scene.context, NULL, 0, "none", scene.path));
    const float fills[] = {NAN, INFINITY, 0, -1, 1, 3.4e38f, 1e-45f};
    const int64_t counts[] = {1, 2, 3, 99, 300};
    for (int f = 0; f < 7; f++) {
        for (int i = 0; i < 300; i++) values[i] = fills[f];
        for (int c = 0; c < 5; c++) {
            CHECK_OK(scene.context,
                     sumi_draw_losses(scene.context, values, counts[c], NULL, scene.path));
        }
    }
    picture drawn = picture_read(scene.path);
    assert_int_equal(drawn.width, WIDTH);
    assert_int_equal(drawn.height, HEIGHT);
    picture_free(&drawn);
    scene_close(&scene);
}

/* Row of the darkest pixel of a column within the frame. */
static int curve_row(const picture *drawn, int x)
{
    int darkest = TOP;
    for (int y = TOP; y < BOTTOM - 2; y++) {
        if (picture_colour(drawn, x, y) < picture_colour(drawn, x, darkest)) darkest = y;
    }
    return darkest;
}

static void a_falling_power_of_ten_is_a_straight_line(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[1000];
    for (int i = 0; i < 1000; i++) values[i] = powf(10, -4 * (float)i / 999);
    CHECK_OK(scene.context, sumi_draw_losses(scene.context, values, 1000, "line", scene.path));
    picture drawn = picture_read(scene.path);
    /* The axis spans the values and 3 % of their logarithm at either end. */
    double end = 0.03 / 1.06;
    for (int percent = 10; percent <= 90; percent += 20) {
        double part = percent / 100.0;
        int x = LEFT + (int)(part * (RIGHT - LEFT));
        double expected = TOP + (end + part * (1 - 2 * end)) * (BOTTOM - TOP);
        CHECK_CLOSE(curve_row(&drawn, x), expected, 4);
    }
    picture_free(&drawn);
    scene_close(&scene);
}

static void the_bold_curve_is_the_mean_of_the_faint_one(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float *values = malloc(20000 * sizeof *values);
    for (int i = 0; i < 20000; i++) values[i] = i % 4 ? 0.5f : 1.5f; /* the mean is 0.75 */
    CHECK_OK(scene.context, sumi_draw_losses(scene.context, values, 20000, "mean", scene.path));
    picture drawn = picture_read(scene.path);
    /* Linear from 0.46 to 1.54: the range and 4 % of it at either end. */
    double expected = BOTTOM - (0.75 - 0.46) / 1.08 * (BOTTOM - TOP);
    for (int x = LEFT + 100; x < RIGHT - 100; x += 150) {
        CHECK_CLOSE(curve_row(&drawn, x), expected, 4);
    }
    picture_free(&drawn);
    free(values);
    scene_close(&scene);
}

static void impossible_requests_are_refused(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float value = 0;
    CHECK_REFUSED(&scene, sumi_draw_losses(scene.context, &value, -1, "", scene.path),
                  SUMI_ERROR_ARGUMENT, "-1 losses");
    CHECK_REFUSED(&scene, sumi_draw_losses(scene.context, NULL, 3, "", scene.path),
                  SUMI_ERROR_ARGUMENT, "3 losses");
    CHECK_REFUSED(&scene, sumi_draw_losses(scene.context, &value, 1, "\xff\xfe", scene.path),
                  SUMI_ERROR_BACKEND, "UTF-8");
    CHECK_REFUSED(&scene, sumi_draw_losses(scene.context, &value, 1, "", "/nowhere/a.png"),
                  SUMI_ERROR_FILE, "/nowhere/a.png");
    assert_int_equal(scene_files(&scene), 0);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_losses_one_loss_and_losses_that_are_not_numbers_are_drawn),
        cmocka_unit_test(a_falling_power_of_ten_is_a_straight_line),
        cmocka_unit_test(the_bold_curve_is_the_mean_of_the_faint_one),
        cmocka_unit_test(impossible_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

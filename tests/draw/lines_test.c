/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/draw/lines.c. */
#include "drawing.h"

/* The frame within the picture, as lines.c lays it out. */
enum { WIDTH = 1440, HEIGHT = 1000 };
enum { LEFT = 150, RIGHT = WIDTH - 250, TOP = 84, BOTTOM = HEIGHT - 100 };

/* The middle of the pixels that are darker than the grid lines, in a column between two places. */
static double row_of_curve(const picture *drawn, int x)
{
    double sum = 0;
    int count = 0;
    for (int y = TOP; y < BOTTOM - 2; y++) {
        if ((picture_colour(drawn, x, y) >> 8 & 0xff) >= 0xb0) continue;
        sum += y;
        count++;
    }
    return count ? sum / count : NAN;
}

/* y = x^-2 from (1, 1) to (100, 1e-4): the axes span the values, and a tenth and a half more. */
static void a_power_is_a_straight_line(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    double x[201], y[201];
    for (int i = 0; i <= 200; i++) {
        x[i] = pow(10, i / 100.0);
        y[i] = pow(x[i], -2);
    }
    const sumi_line line = {sizeof line, "a", 201, x, y};
    CHECK_OK(scene.context,
             sumi_draw_lines(scene.context, &line, 1, "title", "steps", "error", scene.path));
    picture drawn = picture_read(scene.path);
    assert_int_equal(drawn.width, WIDTH);
    assert_int_equal(drawn.height, HEIGHT);
    double wide = 2 + 2 * log10(1.1), high = 4 + 2 * log10(1.5);
    for (int i = 20; i <= 180; i += 40) {
        double part = (i / 100.0 + log10(1.1)) / wide;
        double fall = (2 * i / 100.0 + log10(1.5)) / high;
        int column = (int)round(LEFT + part * (RIGHT - LEFT));
        CHECK_CLOSE(row_of_curve(&drawn, column), TOP + fall * (BOTTOM - TOP), 4);
    }
    picture_free(&drawn);
    scene_close(&scene);
}

/* What has no logarithm leaves no trace: the picture is that of the others alone. */
static void numbers_that_are_not_above_zero_are_left_out(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    const double x[] = {1, 2, NAN, 0, 4, -1, 8}, y[] = {1, 0, 1, 1, 3, 2, INFINITY};
    const double few_x[] = {1, 4}, few_y[] = {1, 3};
    const sumi_line all = {sizeof all, "a", 7, x, y}, few = {sizeof few, "a", 2, few_x, few_y};
    CHECK_OK(scene.context, sumi_draw_lines(scene.context, &all, 1, "", "", "", scene.path));
    picture with = picture_read(scene.path);
    CHECK_OK(scene.context, sumi_draw_lines(scene.context, &few, 1, "", "", "", scene.path));
    picture without = picture_read(scene.path);
    assert_memory_equal(with.pixels, without.pixels, (size_t)with.stride * (size_t)with.height);
    picture_free(&without);
    picture_free(&with);
    scene_close(&scene);
}

/* Names that would lie on one another are written one below the other. */
static void names_of_curves_that_end_together_are_apart(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    const double x[] = {1, 10}, y[] = {1, 10};
    const sumi_line lines[] = {{sizeof *lines, "HHH", 2, x, y},
                               {sizeof *lines, "HHH", 2, x, y},
                               {sizeof *lines, "HHH", 2, x, y}};
    CHECK_OK(scene.context, sumi_draw_lines(scene.context, lines, 3, NULL, NULL, NULL, scene.path));
    picture drawn = picture_read(scene.path);
    int names = 0;
    bool before = false;
    for (int y_at = TOP; y_at < BOTTOM; y_at++) {
        bool ink = false;
        for (int x_at = RIGHT + 14; x_at < WIDTH; x_at++)
            ink |= picture_colour(&drawn, x_at, y_at) != picture_colour(&drawn, WIDTH - 1, 0);
        names += ink && !before;
        before = ink;
    }
    assert_int_equal(names, 3);
    picture_free(&drawn);
    scene_close(&scene);
}

static void impossible_requests_are_refused(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    const double x[] = {1};
    const sumi_line good = {sizeof good, "a", 1, x, x}, nameless = {sizeof good, NULL, 1, x, x},
                    less = {sizeof good, "a", -1, x, x};
    CHECK_REFUSED(&scene, sumi_draw_lines(scene.context, &good, 0, "", "", "", scene.path),
                  SUMI_ERROR_ARGUMENT, "from 1 to 64 lines, not 0");
    CHECK_REFUSED(&scene, sumi_draw_lines(scene.context, &good, 65, "", "", "", scene.path),
                  SUMI_ERROR_ARGUMENT, "not 65");
    CHECK_REFUSED(&scene, sumi_draw_lines(scene.context, &nameless, 1, "", "", "", scene.path),
                  SUMI_ERROR_ARGUMENT, "line 0");
    CHECK_REFUSED(&scene, sumi_draw_lines(scene.context, &less, 1, "", "", "", scene.path),
                  SUMI_ERROR_ARGUMENT, "line 0");
    CHECK_REFUSED(&scene, sumi_draw_lines(scene.context, &good, 1, "", "", "", "/nowhere/a.png"),
                  SUMI_ERROR_FILE, "/nowhere/a.png");
    assert_int_equal(scene_files(&scene), 0);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_is_a_straight_line),
        cmocka_unit_test(numbers_that_are_not_above_zero_are_left_out),
        cmocka_unit_test(names_of_curves_that_end_together_are_apart),
        cmocka_unit_test(impossible_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

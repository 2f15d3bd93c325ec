/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/draw/points.c: what lies where in the two panels. */
#include "drawing.h"

/* Of the panels, as points.c lays them out. */
enum { LEFT = 56, RIGHT = 688, TOP = 12, SIDE = 560 };

/* How much of a square around (x, y) is of the colour of lines and arrows, a red. */
static int reds(const picture *drawn, int x, int y, int half)
{
    int count = 0;
    for (int row = y - half; row <= y + half; row++) {
        for (int column = x - half; column <= x + half; column++) {
            uint32_t colour = picture_colour(drawn, column, row);
            int red = (int)(colour >> 16), green = (int)(colour >> 8 & 0xff);
            count += red > green + 60;
        }
    }
    return count;
}

/* The column or row of -1 .. 1 in a panel whose margin is 5 % at both ends. */
static int place(int start, double value)
{
    return start + (int)((value + 1.1) / 2.2 * SIDE);
}

static void points_are_drawn_as_they_are_and_as_a_density(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float corners[8] = {-1, -1, 1, 1, -1, 1, -1, 1}; /* two of them in one place */
    sumi_array points = {.rank = 2, .shape = {4, 2}, .data = corners};
    CHECK_OK(scene.context, sumi_draw_points(scene.context, &points, NULL, NULL, scene.path));
    picture drawn = picture_read(scene.path);
    int low = place(0, -1), high = place(0, 1);
    assert_true(
        picture_ink(&drawn, LEFT + low - 3, TOP + high - 3, LEFT + low + 3, TOP + high + 3));
    assert_true(
        picture_ink(&drawn, LEFT + high - 3, TOP + low - 3, LEFT + high + 3, TOP + low + 3));
    assert_int_equal(
        picture_ink(&drawn, LEFT + high - 9, TOP + high - 9, LEFT + high + 3, TOP + high + 3), 0);
    uint32_t twice = picture_colour(&drawn, RIGHT + low, TOP + low) >> 16;
    uint32_t once = picture_colour(&drawn, RIGHT + high, TOP + low) >> 16;
    uint32_t none = picture_colour(&drawn, RIGHT + high, TOP + high) >> 16;
    assert_true(twice < once && once < none);
    picture_free(&drawn);
    scene_close(&scene);
}

static void lines_and_arrows_lie_over_the_density(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float corners[4] = {-1, -1, 1, 1};
    float way[8] = {-1, 1, 0, 1, 0, NAN, 1, 1}; /* from the upper left; breaks off in the middle */
    float field[12] = {0.5f, 0, 1, 0, -0.5f, 0, 0, -1, NAN, 0, 1, 1};
    sumi_array points = {.rank = 2, .shape = {2, 2}, .data = corners};
    sumi_array paths = {.rank = 3, .shape = {4, 1, 2}, .data = way};
    sumi_array arrows = {.rank = 2, .shape = {3, 4}, .data = field};
    CHECK_OK(scene.context, sumi_draw_points(scene.context, &points, &paths, NULL, scene.path));
    picture drawn = picture_read(scene.path);
    assert_true(reds(&drawn, place(RIGHT, -0.5), place(TOP, -1), 3) > 0);
    assert_int_equal(reds(&drawn, place(RIGHT, 0.5), place(TOP, -1), 3), 0);
    assert_int_equal(reds(&drawn, place(LEFT, -0.5), place(TOP, -1), 3), 0);
    picture_free(&drawn);
    CHECK_OK(scene.context, sumi_draw_points(scene.context, &points, NULL, &arrows, scene.path));
    drawn = picture_read(scene.path);
    /* the first arrow goes right of its place, the second down from it */
    assert_true(reds(&drawn, place(RIGHT, 0.6), place(TOP, 0), 3) > 0);
    assert_int_equal(reds(&drawn, place(RIGHT, 0.4), place(TOP, 0), 3), 0);
    assert_true(reds(&drawn, place(RIGHT, -0.5), place(TOP, 0.1), 3) > 0);
    assert_int_equal(reds(&drawn, place(RIGHT, -0.5), place(TOP, -0.1), 3), 0);
    picture_free(&drawn);
    scene_close(&scene);
}

static void what_is_no_set_of_points_is_refused(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float numbers[8] = {0};
    sumi_array points = {.rank = 2, .shape = {4, 2}, .data = numbers};
    sumi_array triples = {.rank = 2, .shape = {2, 3}, .data = numbers};
    sumi_array flat = {.rank = 2, .shape = {4, 2}, .data = numbers};
    CHECK_REFUSED(&scene, sumi_draw_points(scene.context, &triples, NULL, NULL, scene.path),
                  SUMI_ERROR_ARGUMENT, "[n,2]");
    CHECK_REFUSED(&scene, sumi_draw_points(scene.context, &points, &flat, NULL, scene.path),
                  SUMI_ERROR_ARGUMENT, "[steps,n,2]");
    CHECK_REFUSED(&scene, sumi_draw_points(scene.context, &points, NULL, &triples, scene.path),
                  SUMI_ERROR_ARGUMENT, "[n,4]");
    CHECK_REFUSED(&scene, sumi_draw_points(scene.context, &points, NULL, NULL, "points.jpg"),
                  SUMI_ERROR_ARGUMENT, ".png");
    assert_int_equal(scene_files(&scene), 0);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_drawn_as_they_are_and_as_a_density),
        cmocka_unit_test(lines_and_arrows_lie_over_the_density),
        cmocka_unit_test(what_is_no_set_of_points_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

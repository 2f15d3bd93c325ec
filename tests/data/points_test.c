/* SPDX-License-Identifier: Apache-2.0 */
/* Points in the plane: each is on its curve, and labels are the number of the curve. */
#include "opening.h"

#define PI 3.14159265358979323846

enum { COUNT = 1000 };

static void swiss_roll_points_lie_on_the_spiral(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = swissroll\ncount = 1000\n", NULL);
    float point[2];
    for (int i = 0; i < COUNT; i++) {
        read_one(data, i, point, NULL);
        double angle = 4.5 * PI * hypot(point[0], point[1]);
        assert_true(angle >= 1.5 * PI - 1e-4 && angle <= 4.5 * PI + 1e-4);
        CHECK_CLOSE(remainder(atan2(point[1], point[0]) - angle, 2 * PI), 0, 1e-4);
    }
    sumi_data_free(data);
}

static void moons_are_two_half_circles(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = moons\ncount = 1000\nlabels = yes\n", NULL);
    assert_int_equal(sumi_data_classes(data), 2);
    float point[2];
    int32_t label;
    for (int i = 0; i < COUNT; i++) {
        read_one(data, i, point, &label);
        double side = label ? -1 : 1;
        double x = 1.5 * point[0] * side + 0.5, y = 1.5 * point[1] * side + 0.25;
        CHECK_CLOSE(hypot(x, y), 1, 1e-5);
        assert_true(y > -1e-5);
    }
    sumi_data_free(data);
}

static void gaussians_gather_about_eight_places(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = gaussians\ncount = 1000\nlabels = yes\n", NULL);
    assert_int_equal(sumi_data_classes(data), 8);
    float point[2];
    int32_t label;
    double squares = 0;
    for (int i = 0; i < COUNT; i++) {
        read_one(data, i, point, &label);
        double angle = 2 * PI * label / 8;
        squares += pow(point[0] - 0.75 * cos(angle), 2) + pow(point[1] - 0.75 * sin(angle), 2);
    }
    double variance = squares / (2 * COUNT);
    CHECK_CLOSE(variance, 0.0025, 5 * 0.0025 * sqrt(2.0 / (2 * COUNT)));
    sumi_data_free(data);
}

static void a_checkerboard_has_points_on_its_dark_squares_only(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = checkerboard\ncount = 1000\n", NULL);
    float point[2];
    int counts[4][4] = {{0}};
    for (int i = 0; i < COUNT; i++) {
        read_one(data, i, point, NULL);
        int column = (int)floor(2 * (point[0] + 1)), row = (int)floor(2 * (point[1] + 1));
        assert_true(column >= 0 && column < 4 && row >= 0 && row < 4 && (column + row) % 2 == 0);
        counts[row][column]++;
    }
    for (int i = 0; i < 16; i++) {
        assert_int_equal(counts[i / 4][i % 4], (i / 4 + i) % 2 ? 0 : COUNT / 8);
    }
    sumi_data_free(data);
}

static void rings_are_two_circles(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = rings\ncount = 1000\nlabels = yes\n", NULL);
    float point[2];
    int32_t label;
    for (int i = 0; i < COUNT; i++) {
        read_one(data, i, point, &label);
        CHECK_CLOSE(hypot(point[0], point[1]), label ? 0.5 : 1, 1e-5);
    }
    sumi_data_free(data);
}

static void measured_noise_is_added_to_points(void **state)
{
    (void)state;
    sumi_data *clean = open_data("[data]\nkind = swissroll\ncount = 1000\n", NULL);
    sumi_data *noisy = open_data("[data]\nkind = swissroll\ncount = 1000\nnoise = 0.02\n", NULL);
    float point[2], other[2];
    double squares = 0;
    for (int i = 0; i < COUNT; i++) {
        read_one(clean, i, point, NULL);
        read_one(noisy, i, other, NULL);
        squares += pow(point[0] - other[0], 2) + pow(point[1] - other[1], 2);
    }
    CHECK_CLOSE(squares / (2 * COUNT), 0.0004, 5 * 0.0004 * sqrt(2.0 / (2 * COUNT)));
    sumi_data_free(clean);
    sumi_data_free(noisy);
}

static void items_are_scaled_whether_in_memory_or_not(void **state)
{
    (void)state;
    static const char *const recipes[] = {
        "[data]\nkind = moons\ncount = 100\nscale = 2.5\n",
        "[data]\nkind = moons\ncount = 100\nscale = 2.5\nmemory = 0\n"};
    sumi_data *plain = open_data("[data]\nkind = moons\ncount = 100\n", NULL);
    float point[2], other[2];
    for (int k = 0; k < 2; k++) {
        sumi_data *scaled = open_data(recipes[k], NULL);
        for (int i = 0; i < 100; i++) {
            read_one(plain, i, point, NULL);
            read_one(scaled, i, other, NULL);
            CHECK_CLOSE(other[0], 2.5 * point[0], 1e-6);
            CHECK_CLOSE(other[1], 2.5 * point[1], 1e-6);
        }
        sumi_data_free(scaled);
    }
    sumi_data_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swiss_roll_points_lie_on_the_spiral),
        cmocka_unit_test(moons_are_two_half_circles),
        cmocka_unit_test(gaussians_gather_about_eight_places),
        cmocka_unit_test(a_checkerboard_has_points_on_its_dark_squares_only),
        cmocka_unit_test(rings_are_two_circles),
        cmocka_unit_test(measured_noise_is_added_to_points),
        cmocka_unit_test(items_are_scaled_whether_in_memory_or_not),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Generated digits: reproducible, inside the frame, and classified by their nearest neighbours. */
#include "data/digits.h"

#include "opening.h"

enum { PIXELS = DIGITS_SIDE * DIGITS_SIDE };

static void a_digit_is_the_same_each_time_and_unlike_the_next(void **state)
{
    (void)state;
    uint8_t first[PIXELS], again[PIXELS], other[PIXELS];
    for (int i = 0; i < 100; i++) {
        digits_draw(1, i, first);
        digits_draw(1, i, again);
        assert_memory_equal(first, again, PIXELS);
        digits_draw(1, i + 10, other);
        assert_memory_not_equal(first, other, PIXELS);
        digits_draw(2, i, other);
        assert_memory_not_equal(first, other, PIXELS);
    }
}

static void digits_keep_inside_the_frame_and_leave_it_mostly_black(void **state)
{
    (void)state;
    uint8_t pixels[PIXELS];
    int edge = 0;
    double ink = 0;
    for (int i = 0; i < 2000; i++) {
        digits_draw(1, i, pixels);
        int brightest = 0;
        for (int k = 0; k < PIXELS; k++) {
            int x = k % DIGITS_SIDE, y = k / DIGITS_SIDE;
            bool at_edge = x == 0 || y == 0 || x == DIGITS_SIDE - 1 || y == DIGITS_SIDE - 1;
            edge += at_edge && pixels[k] > 128;
            ink += pixels[k] / 255.0 / 2000 / PIXELS;
            if (pixels[k] > brightest) brightest = pixels[k];
        }
        assert_true(brightest > 200);
    }
    assert_in_range(edge, 0, 20);
    assert_true(ink > 0.08 && ink < 0.2); /* MNIST has 0.131 */
}

static int nearest_label(const uint8_t *pixels, const uint8_t (*known)[PIXELS], int count)
{
    int64_t shortest = INT64_MAX;
    int label = -1;
    for (int i = 0; i < count; i++) {
        int64_t distance = 0;
        for (int k = 0; k < PIXELS; k++) {
            int difference = pixels[k] - known[i][k];
            distance += difference * difference;
        }
        if (distance >= shortest) continue;
        shortest = distance;
        label = i % 10;
    }
    return label;
}

static void the_nearest_neighbour_finds_the_digit(void **state)
{
    (void)state;
    enum { KNOWN = 3000, ASKED = 500 };
    static uint8_t known[KNOWN][PIXELS], pixels[PIXELS];
    for (int i = 0; i < KNOWN; i++) digits_draw(1, i, known[i]);
    int right = 0;
    for (int i = 0; i < ASKED; i++) {
        digits_draw(2, i, pixels);
        right += nearest_label(pixels, (const uint8_t(*)[PIXELS])known, KNOWN) == i % 10;
    }
    assert_true(right > 0.95 * ASKED);
}

static void the_set_has_labels_when_asked(void **state)
{
    (void)state;
    sumi_data *data = open_data("[data]\nkind = digits\ncount = 30\nlabels = yes\n", NULL);
    int64_t shape[SUMI_MAX_RANK];
    float item[PIXELS];
    uint8_t pixels[PIXELS];
    int32_t label = -1;
    assert_int_equal(sumi_data_classes(data), 10);
    assert_int_equal(sumi_data_shape(data, shape), 3);
    assert_int_equal(shape[0] * shape[1] * shape[2], PIXELS);
    for (int i = 0; i < 30; i++) {
        read_one(data, i, item, &label);
        digits_draw(1, i, pixels);
        assert_int_equal(label, i % 10);
        for (int k = 0; k < PIXELS; k++) CHECK_CLOSE(item[k], pixels[k] / 127.5 - 1, 1e-6);
    }
    sumi_data_free(data);
    data = open_data("[data]\nkind = digits\ncount = 30\n", NULL);
    assert_int_equal(sumi_data_classes(data), 0);
    sumi_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digit_is_the_same_each_time_and_unlike_the_next),
        cmocka_unit_test(digits_keep_inside_the_frame_and_leave_it_mostly_black),
        cmocka_unit_test(the_nearest_neighbour_finds_the_digit),
        cmocka_unit_test(the_set_has_labels_when_asked),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

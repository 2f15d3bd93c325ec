/* SPDX-License-Identifier: Apache-2.0 */
/* Augmentation: every changed picture is one of those that the options allow, and all of these
   turn up. The expected pictures are computed pixel by pixel from the definition. */
#include "check.h"
#include "data/augment.h"

enum { HEIGHT = 3, WIDTH = 4, CHANNELS = 2, SIZE = HEIGHT * WIDTH * CHANNELS };

static const int64_t shape[3] = {HEIGHT, WIDTH, CHANNELS};

static int64_t clamp(int64_t value, int64_t largest)
{
    return value < 0 ? 0 : value > largest ? largest : value;
}

/* The picture whose pixels are 0, 1, 2 ... mirrored, then moved with its edge repeated. */
static void expected_picture(bool across_mirror, bool down_mirror, int64_t down, int64_t across,
                             float *item)
{
    for (int64_t y = 0; y < HEIGHT; y++) {
        for (int64_t x = 0; x < WIDTH; x++) {
            int64_t from_y = clamp(y - down, HEIGHT - 1), from_x = clamp(x - across, WIDTH - 1);
            if (down_mirror) from_y = HEIGHT - 1 - from_y;
            if (across_mirror) from_x = WIDTH - 1 - from_x;
            for (int64_t c = 0; c < CHANNELS; c++) {
                item[(y * WIDTH + x) * CHANNELS + c] =
                    (float)((from_y * WIDTH + from_x) * CHANNELS + c);
            }
        }
    }
}

/* Whether `item` is an allowed picture; sets its bit in *seen. */
static bool find_picture(const struct augment *augment, const float *item, uint64_t *seen)
{
    int bit = 0;
    for (int mirrors = 0; mirrors < 4; mirrors++) {
        if ((mirrors & 1 && !augment->flip) || (mirrors & 2 && !augment->flip_vertical)) continue;
        for (int64_t down = -augment->shift; down <= augment->shift; down++) {
            for (int64_t across = -augment->shift; across <= augment->shift; across++, bit++) {
                float expected[SIZE];
                expected_picture(mirrors & 1, mirrors & 2, down, across, expected);
                if (memcmp(item, expected, sizeof expected) != 0) continue;
                *seen |= (uint64_t)1 << bit;
                return true;
            }
        }
    }
    return false;
}

static void check_augment(struct augment augment, int kinds)
{
    uint64_t seen = 0;
    for (int64_t position = 0; position < 4000; position++) {
        float item[SIZE];
        for (int i = 0; i < SIZE; i++) item[i] = (float)i;
        augment_item(&augment, 11, position, shape, item);
        assert_true(find_picture(&augment, item, &seen));
    }
    assert_int_equal(__builtin_popcountll(seen), kinds);
}

static void pictures_are_mirrored_and_shifted_only_as_requested(void **state)
{
    (void)state;
    check_augment((struct augment){0}, 1);
    check_augment((struct augment){.flip = true}, 2);
    check_augment((struct augment){.flip_vertical = true}, 2);
    check_augment((struct augment){.shift = 1}, 9);
    check_augment((struct augment){.flip = true, .flip_vertical = true, .shift = 1}, 36);
}

static void a_shift_beyond_the_picture_stays_inside_it(void **state)
{
    (void)state;
    struct augment wide = {.shift = 1000}, inside = {.shift = WIDTH - 1};
    uint64_t seen = 0;
    for (int64_t position = 0; position < 500; position++) {
        float item[SIZE];
        for (int i = 0; i < SIZE; i++) item[i] = (float)i;
        augment_item(&wide, 2, position, shape, item);
        assert_true(find_picture(&inside, item, &seen));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_mirrored_and_shifted_only_as_requested),
        cmocka_unit_test(a_shift_beyond_the_picture_stays_inside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

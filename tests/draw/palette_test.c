/* SPDX-License-Identifier: Apache-2.0 */
/* Counting a picture's colours. */
#include "draw/palette.h"

#include "check.h"

enum { COUNT = 4096 };

static uint32_t colour_of(const struct palette *palette, int index)
{
    const uint8_t *colour = palette->colours[index];
    return (uint32_t)colour[0] << 16 | (uint32_t)colour[1] << 8 | colour[2];
}

static void up_to_256_colours_are_kept(void **state)
{
    (void)state;
    uint32_t pixels[COUNT];
    uint8_t indices[COUNT];
    struct palette palette;
    for (int i = 0; i < COUNT; i++) pixels[i] = 0xff000000u | (uint32_t)(i % 256) * 0x10301u;
    assert_true(palette_index(pixels, COUNT, true, &palette, indices));
    assert_int_equal(palette.count, 256);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(colour_of(&palette, indices[i]), pixels[i] & 0xffffffu);
}

static void pictures_of_more_colours_are_refused(void **state)
{
    (void)state;
    uint32_t pixels[257];
    uint8_t indices[257];
    struct palette palette;
    for (int i = 0; i < 257; i++) pixels[i] = (uint32_t)i;
    assert_true(palette_index(pixels, 256, true, &palette, indices));
    assert_false(palette_index(pixels, 257, true, &palette, indices));
}

/* White and the inks are unchanged among the shades between them, and no colour changes much. */
static void of_a_figure_neighbours_become_the_most_frequent(void **state)
{
    (void)state;
    uint32_t pixels[COUNT];
    uint8_t indices[COUNT];
    struct palette palette;
    for (uint32_t i = 0; i < COUNT; i++)
        pixels[i] = i % 2 ? 0xffffffu : (0xffu - i / 16) << 16 | (0xffu - i / 32) << 8 | i % 256;
    assert_true(palette_index(pixels, COUNT, false, &palette, indices));
    assert_true(palette.count <= 256);
    for (int i = 0; i < COUNT; i++) {
        uint32_t colour = colour_of(&palette, indices[i]);
        if (i % 2) assert_int_equal(colour, 0xffffffu);
        for (int shift = 0; shift < 24; shift += 8) {
            int before = pixels[i] >> shift & 0xff, after = colour >> shift & 0xff;
            assert_true(abs(before - after) < 32);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_256_colours_are_kept),
        cmocka_unit_test(pictures_of_more_colours_are_refused),
        cmocka_unit_test(of_a_figure_neighbours_become_the_most_frequent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

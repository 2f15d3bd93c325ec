/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/draw/sheet.c through filmstrips and tables. */
#include "drawing.h"

enum { MARGIN = 12, GAP = 4, TITLES = 30 };

static void a_filmstrip_has_a_column_a_step_and_a_row_an_item(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    sumi_array frames = {0}; /* three steps of two images */
    int64_t shape[] = {3, 2, 16, 16, 1};
    CHECK_OK(scene.context, sumi_array_create(scene.context, 5, shape, &frames));
    for (int i = 0; i < 6 * 256; i++) frames.data[i] = -1 + 2.0f * (float)(i / 256) / 5;
    const char *labels[] = {"t = 999", NULL, "t = 0"};
    CHECK_OK(scene.context, sumi_draw_filmstrip(scene.context, &frames, labels, scene.path));
    picture drawn = picture_read(scene.path);
    int cell = 16 * 8;
    assert_int_equal(drawn.width, 2 * MARGIN + 3 * cell + 2 * GAP);
    assert_int_equal(drawn.height, 2 * MARGIN + TITLES + 2 * cell + GAP);
    for (int step = 0; step < 3; step++) {
        for (int item = 0; item < 2; item++) {
            uint32_t grey = (uint32_t)(step * 2 + item) * 51;
            assert_int_equal(picture_colour(&drawn, MARGIN + 5 + step * (cell + GAP),
                                            MARGIN + TITLES + 5 + item * (cell + GAP)),
                             grey * 0x010101);
        }
        int label = picture_ink(&drawn, MARGIN + step * (cell + GAP), 0,
                                MARGIN + step * (cell + GAP) + cell, MARGIN + TITLES);
        if (labels[step]) assert_true(label > 50);
        else assert_int_equal(label, 0);
    }
    picture_free(&drawn);
    sumi_array_release(scene.context, &frames);
    scene_close(&scene);
}

static void a_filmstrip_of_points_is_one_row_of_plots(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[4 * 50 * 2];
    for (int i = 0; i < 400; i++) values[i] = sinf((float)i);
    sumi_array frames = {3, {4, 50, 2}, values};
    CHECK_OK(scene.context, sumi_draw_filmstrip(scene.context, &frames, NULL, scene.path));
    picture drawn = picture_read(scene.path);
    assert_true(drawn.width > 3 * drawn.height);
    picture_free(&drawn);
    scene_close(&scene);
}

static void a_table_reads_by_rows_with_titles_above_and_left(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    sumi_array cells = {0};
    int64_t shape[] = {2, 3, 8, 8, 1};
    CHECK_OK(scene.context, sumi_array_create(scene.context, 5, shape, &cells));
    for (int i = 0; i < 6 * 64; i++) cells.data[i] = -1 + 2.0f * (float)(i / 64) / 5;
    const char *columns[] = {"original", "noised", "denoised"}, *rows[] = {"t = 250", "t = 500"};
    CHECK_OK(scene.context, sumi_draw_table(scene.context, &cells, columns, rows, scene.path));
    picture drawn = picture_read(scene.path);
    int cell = 64, left = drawn.width - MARGIN - 3 * cell - 2 * GAP;
    assert_true(left > 2 * MARGIN);
    for (int row = 0; row < 2; row++) {
        int y = MARGIN + TITLES + row * (cell + GAP);
        for (int column = 0; column < 3; column++) {
            assert_int_equal(picture_colour(&drawn, left + 2 + column * (cell + GAP), y + 2),
                             (uint32_t)(row * 3 + column) * 51 * 0x010101);
        }
        assert_true(picture_ink(&drawn, 0, y, left, y + cell) > 50);
    }
    assert_true(picture_ink(&drawn, left, 0, drawn.width, MARGIN + TITLES) > 150);
    picture_free(&drawn);
    CHECK_OK(scene.context, sumi_draw_table(scene.context, &cells, NULL, NULL, scene.path));
    sumi_array_release(scene.context, &cells);
    scene_close(&scene);
}

static void items_of_every_shape_have_a_filmstrip_and_a_table(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[2 * 3 * 1024];
    const char *labels[] = {"noise", "sample"}, *rows[] = {"one", "two", "three"};
    for (int i = 0; i < 6 * 1024; i++) values[i] = sinf((float)i);
    const struct {
        int rank;
        int64_t shape[4];
    } items[] = {{1, {1}},         {1, {2}},          {1, {3}},         {1, {4}},
                 {1, {20}},        {2, {32, 1}},      {2, {16, 64}},    {2, {4, 65}},
                 {3, {16, 16, 1}}, {3, {8, 8, 2}},    {3, {8, 8, 3}},   {3, {8, 8, 5}},
                 {3, {8, 8, 9}},   {4, {4, 8, 8, 1}}, {4, {2, 4, 8, 5}}};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        sumi_array cells = {2 + items[i].rank, {2, 3}, values};
        memcpy(cells.shape + 2, items[i].shape, (size_t)items[i].rank * sizeof *cells.shape);
        CHECK_OK(scene.context, sumi_draw_filmstrip(scene.context, &cells, labels, scene.path));
        picture drawn = picture_read(scene.path);
        assert_true(picture_ink(&drawn, 0, 0, drawn.width, drawn.height) > 100);
        picture_free(&drawn);
        CHECK_OK(scene.context, sumi_draw_table(scene.context, &cells, rows, labels, scene.path));
        drawn = picture_read(scene.path);
        assert_true(picture_ink(&drawn, 0, 0, drawn.width, drawn.height) > 100);
        picture_free(&drawn);
    }
    scene_close(&scene);
}

static void shapes_without_a_picture_are_refused_with_a_sentence(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float values[64] = {0};
    sumi_array pair = {2, {4, 2}, values};
    sumi_array long_strip = {5, {5000, 1, 28, 28, 1}, values};
    const char *labels[5000] = {"t"};
    CHECK_REFUSED(&scene, sumi_draw_filmstrip(scene.context, &pair, NULL, scene.path),
                  SUMI_ERROR_ARGUMENT, "rank 2");
    CHECK_REFUSED(&scene, sumi_draw_filmstrip(scene.context, &long_strip, labels, scene.path),
                  SUMI_ERROR_ARGUMENT, "draw fewer or smaller items");
    CHECK_REFUSED(&scene, sumi_draw_table(scene.context, &pair, NULL, NULL, scene.path),
                  SUMI_ERROR_ARGUMENT, "rank 2");
    assert_int_equal(scene_files(&scene), 0);
    scene_close(&scene);
}

static void the_labels_are_only_for_those_who_write_utf8(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    float value = 0;
    sumi_array frames = {5, {1, 1, 1, 1, 1}, &value};
    const char *wrong[] = {"\xc3\x28"}, *right[] = {"σ = 80"};
    CHECK_REFUSED(&scene, sumi_draw_filmstrip(scene.context, &frames, wrong, scene.path),
                  SUMI_ERROR_BACKEND, "cairo could not draw");
    assert_int_equal(scene_files(&scene), 0);
    CHECK_OK(scene.context, sumi_draw_filmstrip(scene.context, &frames, right, scene.path));
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filmstrip_has_a_column_a_step_and_a_row_an_item),
        cmocka_unit_test(a_filmstrip_of_points_is_one_row_of_plots),
        cmocka_unit_test(a_table_reads_by_rows_with_titles_above_and_left),
        cmocka_unit_test(items_of_every_shape_have_a_filmstrip_and_a_table),
        cmocka_unit_test(shapes_without_a_picture_are_refused_with_a_sentence),
        cmocka_unit_test(the_labels_are_only_for_those_who_write_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

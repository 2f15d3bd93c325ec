/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/draw/canvas.c on a machine without any font. */
#include "drawing.h"

static void texts_are_drawn_where_no_font_is_installed(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    char settings[128];
    snprintf(settings, sizeof settings, "%s/fonts.conf", scene.folder);
    FILE *stream = fopen(settings, "w");
    assert_non_null(stream);
    fputs("<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig/>", stream);
    fclose(stream);
    setenv("FONTCONFIG_FILE", settings, 1); /* read when cairo draws its first text */
    float value = 1;
    sumi_array frames = {5, {1, 1, 1, 1, 1}, &value};
    const char *labels[] = {"t = 999"};
    CHECK_OK(scene.context, sumi_draw_filmstrip(scene.context, &frames, labels, scene.path));
    picture drawn = picture_read(scene.path);
    assert_true(picture_ink(&drawn, 0, 0, drawn.width, 40) > 10);
    picture_free(&drawn);
    unlink(settings);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_drawn_where_no_font_is_installed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

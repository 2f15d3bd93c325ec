/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes as a data set: sizes, labels, names of classes, and pixels as drawn. */
#include "data/scene.h"

#include "opening.h"

static void check_size(int64_t side, const char *text)
{
    static float item[128 * 128 * 3];
    static uint8_t pixels[128 * 128 * 3];
    sumi_data *data = open_data(text, NULL);
    int64_t shape[SUMI_MAX_RANK];
    int32_t label = -1;
    assert_int_equal(sumi_data_shape(data, shape), 3);
    assert_int_equal(shape[0], side);
    assert_int_equal(shape[1], side);
    assert_int_equal(shape[2], 3);
    assert_int_equal(sumi_data_classes(data), SCENE_CLASSES);
    assert_string_equal(sumi_data_class_name(data, 0), "red circle");
    for (int i = 0; i < 25; i++) {
        struct scene scene;
        scene_describe(4, i, 2, side, side, &scene);
        scene_draw(&scene, side, side, pixels);
        read_one(data, i, item, &label);
        assert_int_equal(label, scene_class(&scene));
        for (int64_t k = 0; k < side * side * 3; k++)
            CHECK_CLOSE(item[k], pixels[k] / 127.5 - 1, 1e-6);
    }
    sumi_data_free(data);
}

static void scenes_are_of_the_size_asked_for_with_their_classes(void **state)
{
    (void)state;
    static const char more[] = "[data]\nkind = shapes\ncount = 25\nlabels = yes\nseed = 4\n"
                               "objects = 2\n";
    char text[sizeof more + 16];
    check_size(32, more);
    for (int side = 64; side <= 128; side *= 2) {
        snprintf(text, sizeof text, "%ssize = %d\n", more, side);
        check_size(side, text);
    }
}

static void other_sizes_are_refused(void **state)
{
    (void)state;
    sumi_recipe *recipe = NULL;
    assert_int_equal(
        sumi_recipe_parse(here.context, "[data]\nkind = shapes\nsize = 48\n", "t.ini", &recipe),
        SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(here.context), "data.size"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenes_are_of_the_size_asked_for_with_their_classes),
        cmocka_unit_test(other_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Generated scenes: reproducible, laid out as their description says, and drawn as described. */
#include "data/scene.h"

#include "opening.h"

enum { SCENES = 3000 };
static const int64_t sizes[][2] = {{32, 32}, {128, 128}, {24, 40}, {64, 32}};

static void a_scene_is_the_same_each_time_and_unlike_others(void **state)
{
    (void)state;
    enum { SIDE = 32, BYTES = SIDE * SIDE * 3 };
    uint8_t first[BYTES], again[BYTES], next[BYTES], other[BYTES];
    for (int i = 0; i < 100; i++) {
        struct scene scene;
        uint8_t *const into[] = {first, again, next, other};
        for (int k = 0; k < 4; k++) {
            scene_describe(k == 3 ? 2 : 1, k == 2 ? i + SCENE_CLASSES : i, 4, SIDE, SIDE, &scene);
            scene_draw(&scene, SIDE, SIDE, into[k]);
        }
        assert_memory_equal(first, again, BYTES);
        assert_memory_not_equal(first, next, BYTES);
        assert_memory_not_equal(first, other, BYTES);
    }
}

static void classes_come_in_turn_and_have_names(void **state)
{
    (void)state;
    struct scene scene;
    char name[SCENE_NAME];
    for (int i = 0; i < 3 * SCENE_CLASSES; i++) {
        scene_describe(5, i, 4, 32, 32, &scene);
        assert_int_equal(scene_class(&scene), i % SCENE_CLASSES);
    }
    scene_class_name(SCENE_CIRCLE * SCENE_COLOURS + SCENE_RED, name);
    assert_string_equal(name, "red circle");
    scene_class_name(SCENE_CROSS * SCENE_COLOURS + SCENE_PURPLE, name);
    assert_string_equal(name, "purple cross");
}

/* Half of the box around an object at its angle. */
static double box_of(const struct scene_object *object)
{
    return object->size * (cos(object->angle) + fabs(sin(object->angle)));
}

static void check_layout(const struct scene *scene, double height, double width)
{
    for (int i = 0; i < scene->count; i++) {
        const struct scene_object *a = &scene->objects[i];
        double box = box_of(a);
        assert_true(a->x >= box && a->x <= width - box && a->y >= box && a->y <= height - box);
        assert_true(i == 0 || 1.4 * a->size <= scene->objects[0].size);
        for (int k = 0; k < i; k++) {
            const struct scene_object *b = &scene->objects[k];
            double apart = box + box_of(b);
            assert_true(fabs(a->x - b->x) >= apart || fabs(a->y - b->y) >= apart);
        }
    }
}

static void check_relation(const struct scene *scene)
{
    const struct scene_object *a = &scene->objects[0], *b = &scene->objects[1];
    double apart = box_of(a) + box_of(b);
    switch (scene->relation) {
    case SCENE_LEFT_OF: assert_true(b->x - a->x >= apart); break;
    case SCENE_RIGHT_OF: assert_true(a->x - b->x >= apart); break;
    case SCENE_ABOVE: assert_true(b->y - a->y >= apart); break;
    case SCENE_BELOW: assert_true(a->y - b->y >= apart); break;
    case SCENE_RELATIONS: fail();
    }
}

static void objects_are_whole_and_apart_and_in_their_relation(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int64_t height = sizes[s][0], width = sizes[s][1];
        double side = (double)(height < width ? height : width);
        for (int i = 0; i < SCENES; i++) {
            struct scene scene;
            scene_describe(1, i, 4, height, width, &scene);
            check_layout(&scene, (double)height / side, (double)width / side);
            if (scene.count > 1) check_relation(&scene);
        }
    }
}

static void counts_kinds_colours_and_relations_are_all_frequent(void **state)
{
    (void)state;
    int counts[SCENE_OBJECTS + 1] = {0}, relations[SCENE_RELATIONS] = {0};
    int seconds[SCENE_CLASSES] = {0};
    for (int i = 0; i < SCENES; i++) {
        struct scene scene;
        scene_describe(3, i, 4, 32, 32, &scene);
        counts[scene.count]++;
        if (scene.count == 1) continue;
        relations[scene.relation]++;
        seconds[(int)scene.objects[1].kind * SCENE_COLOURS + (int)scene.objects[1].colour]++;
    }
    for (int i = 1; i <= SCENE_OBJECTS; i++) assert_in_range(counts[i], SCENES / 6, SCENES / 3);
    for (int i = 0; i < SCENE_RELATIONS; i++) assert_in_range(relations[i], SCENES / 8, SCENES / 4);
    for (int i = 0; i < SCENE_CLASSES; i++) assert_in_range(seconds[i], SCENES / 50, SCENES / 15);
}

/* The area of each kind of size 1 by plane geometry; that of what is drawn is the sum of the
   coverages, which edges that fade over a pixel keep except at the corners. */
static void an_object_covers_its_area(void **state)
{
    (void)state;
    enum { SIDE = 128 };
    static uint8_t pixels[SIDE * SIDE * 3];
    const double areas[SCENE_KINDS] = {3.14159265358979, 4 * 0.88 * 0.88, 2,
                                       4 * (2 * 0.36 - 0.36 * 0.36)};
    for (int kind = 0; kind < SCENE_KINDS; kind++) {
        const struct scene scene = {.count = 1,
                                    .objects = {{.kind = (enum scene_kind)kind,
                                                 .colour = SCENE_YELLOW,
                                                 .size = 0.3,
                                                 .x = 0.45,
                                                 .y = 0.52,
                                                 .angle = 0.15,
                                                 .bright = 1}}};
        double area = 0, x = 0;
        scene_draw(&scene, SIDE, SIDE, pixels);
        for (int i = 0; i < SIDE * SIDE; i++) {
            area += pixels[3 * i] / 245.0 / (SIDE * SIDE); /* the red of yellow */
            x += (i % SIDE + 0.5) / SIDE * pixels[3 * i] / 245.0 / (SIDE * SIDE);
        }
        CHECK_CLOSE(area, areas[kind] * 0.09, 0.0015);
        if (kind != SCENE_TRIANGLE) CHECK_CLOSE(x / area, 0.45, 0.001);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scene_is_the_same_each_time_and_unlike_others),
        cmocka_unit_test(classes_come_in_turn_and_have_names),
        cmocka_unit_test(objects_are_whole_and_apart_and_in_their_relation),
        cmocka_unit_test(counts_kinds_colours_and_relations_are_all_frequent),
        cmocka_unit_test(an_object_covers_its_area),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}

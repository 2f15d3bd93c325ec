/* SPDX-License-Identifier: Apache-2.0 */
/* Random scenes by seed and number; see scene.h. The second object is placed on the side of the
   first that the relation says, and the others wherever they fit. */
#include "data/scene.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/philox.h"

enum { DRAWS = 512, PLACES_TRIED = 48, STREAM = 6, ASPECT_STREAM = 7 };

static const double MOST_ANGLE = 0.2;
static const double REACH = 1.2; /* of a square at that angle, for a size of 1 */
static const double GAP = 0.02;  /* between objects, and to the edge */

/* The random numbers of one scene, in the order in which they are used. */
struct dice {
    philox_stream stream;
    uint64_t next;
};

static double between(struct dice *dice, double low, double high)
{
    return low + philox_uniform(&dice->stream, dice->next++) * (high - low);
}

static int below(struct dice *dice, int limit)
{
    return (int)philox_below(&dice->stream, dice->next++, (uint64_t)limit);
}

static double reach_of(const struct scene_object *object)
{
    return REACH * object->size + GAP;
}

/* Everything but the place. */
static void make_object(struct dice *dice, int class, double least, double most,
                        struct scene_object *object)
{
    object->kind = (enum scene_kind)(class / SCENE_COLOURS);
    object->colour = (enum scene_colour)(class % SCENE_COLOURS);
    object->size = between(dice, least, most);
    object->angle = between(dice, -MOST_ANGLE, MOST_ANGLE);
    object->bright = between(dice, 0.85, 1);
}

/* Places the first two objects along one axis: `frame` is the picture's length along it and
   `across` that of the other axis; the first one comes first if `before`. */
static void place_pair(struct dice *dice, double frame, double across, bool before,
                       const double reach[2], double along[2], double beside[2])
{
    double first = between(dice, reach[0], frame - reach[0] - 2 * reach[1]);
    along[0] = first;
    along[1] = between(dice, first + reach[0] + reach[1], frame - reach[1]);
    for (int i = 0; i < 2 && !before; i++) along[i] = frame - along[i];
    beside[0] = between(dice, reach[0], across - reach[0]);
    double low = fmax(beside[0] - reach[0], reach[1]);
    double high = fmin(beside[0] + reach[0], across - reach[1]);
    beside[1] = between(dice, low, high);
}

static void place_two(struct dice *dice, double height, double width, struct scene *scene)
{
    struct scene_object *a = &scene->objects[0], *b = &scene->objects[1];
    const double reach[2] = {reach_of(a), reach_of(b)};
    double along[2], beside[2];
    bool level = scene->relation == SCENE_LEFT_OF || scene->relation == SCENE_RIGHT_OF;
    bool before = scene->relation == SCENE_LEFT_OF || scene->relation == SCENE_ABOVE;
    place_pair(dice, level ? width : height, level ? height : width, before, reach, along, beside);
    a->x = level ? along[0] : beside[0];
    a->y = level ? beside[0] : along[0];
    b->x = level ? along[1] : beside[1];
    b->y = level ? beside[1] : along[1];
}

static bool is_free(const struct scene *scene, const struct scene_object *object)
{
    for (int i = 0; i < scene->count; i++) {
        const struct scene_object *other = &scene->objects[i];
        double apart = reach_of(object) + reach_of(other) - GAP;
        if (fabs(object->x - other->x) < apart && fabs(object->y - other->y) < apart) return false;
    }
    return true;
}

/* Adds an object of any class where it fits; false if no such place was found. */
static bool add_small(struct dice *dice, double height, double width, struct scene *scene)
{
    struct scene_object *object = &scene->objects[scene->count];
    make_object(dice, below(dice, SCENE_CLASSES), 0.07, 0.12, object);
    double reach = reach_of(object);
    for (int i = 0; i < PLACES_TRIED; i++) {
        object->x = between(dice, reach, width - reach);
        object->y = between(dice, reach, height - reach);
        if (!is_free(scene, object)) continue;
        scene->count++;
        return true;
    }
    return false;
}

void scene_describe(uint64_t seed, int64_t number, int most, int64_t height, int64_t width,
                    struct scene *scene)
{
    struct dice dice = {{seed, PURPOSE_DATA, STREAM}, (uint64_t)number * DRAWS};
    double side = (double)(height < width ? height : width);
    double tall = (double)height / side, wide = (double)width / side;
    struct scene_object *main = &scene->objects[0];
    *scene = (struct scene){.count = 1};
    int wanted = 1 + below(&dice, most);
    scene->ground = between(&dice, 0.05, 0.25);
    make_object(&dice, (int)(number % SCENE_CLASSES), 0.17, 0.24, main);
    if (wanted == 1) {
        main->x = between(&dice, reach_of(main), wide - reach_of(main));
        main->y = between(&dice, reach_of(main), tall - reach_of(main));
        return;
    }
    scene->relation = (enum scene_relation)below(&dice, SCENE_RELATIONS);
    make_object(&dice, below(&dice, SCENE_CLASSES), 0.07, 0.12, &scene->objects[1]);
    place_two(&dice, tall, wide, scene);
    scene->count = 2;
    while (scene->count < wanted && add_small(&dice, tall, wide, scene)) {
    }
}

void scene_aspect(uint64_t seed, int64_t number, int64_t size[2])
{
    const double side = 4096;
    const philox_stream stream = {seed, PURPOSE_DATA, ASPECT_STREAM};
    double stretch = exp2(philox_uniform(&stream, (uint64_t)number) - 0.5); /* of the width */
    size[0] = (int64_t)(side / stretch);
    size[1] = (int64_t)(side * stretch);
}

int scene_class(const struct scene *scene)
{
    return (int)scene->objects[0].kind * SCENE_COLOURS + (int)scene->objects[0].colour;
}

void scene_class_name(int number, char name[SCENE_NAME])
{
    static const char *const kinds[] = {"circle", "square", "triangle", "cross"};
    static const char *const colours[] = {"red", "green", "blue", "yellow", "purple"};
    snprintf(name, SCENE_NAME, "%s %s", colours[number % SCENE_COLOURS],
             kinds[number / SCENE_COLOURS]);
}

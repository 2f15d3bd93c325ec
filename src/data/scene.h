/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes of one to four plain objects, described by numbers and drawn from them: the description
   says what a picture shows, for its class now and for captions.

   Lengths are in units of the picture's shorter side; x is from its left edge and y from its
   top. */
#ifndef SUMI_DATA_SCENE_H
#define SUMI_DATA_SCENE_H

#include <stdint.h>

enum scene_kind { SCENE_CIRCLE, SCENE_SQUARE, SCENE_TRIANGLE, SCENE_CROSS, SCENE_KINDS };
enum scene_colour { SCENE_RED, SCENE_GREEN, SCENE_BLUE, SCENE_YELLOW, SCENE_PURPLE, SCENE_COLOURS };
/* Where the first object is, as seen from the second. */
enum scene_relation { SCENE_LEFT_OF, SCENE_RIGHT_OF, SCENE_ABOVE, SCENE_BELOW, SCENE_RELATIONS };

enum { SCENE_OBJECTS = 4, SCENE_CLASSES = SCENE_KINDS * SCENE_COLOURS, SCENE_NAME = 32 };

struct scene_object {
    enum scene_kind kind;
    enum scene_colour colour;
    double size;   /* half of the side of the box that it fills */
    double x, y;   /* its centre */
    double angle;  /* radians, clockwise */
    double bright; /* factor of its colour */
};

/* The first object, the main one, is at least 1.4 times as large as each of the others. Objects do
   not overlap, and none is cut by the edge. */
struct scene {
    int count; /* of objects */
    struct scene_object objects[SCENE_OBJECTS];
    enum scene_relation relation; /* of the first to the second, if count > 1 */
    double ground;                /* grey of the background: 0 black to 1 white */
};

/* Describes scene `number` of the set that `seed` keys, of one to `most` objects, for pictures of
   height x width pixels. The main object is of class `number` % SCENE_CLASSES. */
void scene_describe(uint64_t seed, int64_t number, int most, int64_t height, int64_t width,
                    struct scene *scene);

/* Draws an aspect ratio for scene `number`, from 1:2 to 2:1 and even in its logarithm, as a height
   and a width of the same area. */
void scene_aspect(uint64_t seed, int64_t number, int64_t size[2]);

/* The class of a scene: kind * SCENE_COLOURS + colour of its main object. */
int scene_class(const struct scene *scene);
/* Writes the name of a class, such as "red circle". */
void scene_class_name(int number, char name[SCENE_NAME]);

/* Draws a scene to pixels[height, width, 3], 0 to 255, with smooth edges (scene_draw.c). */
void scene_draw(const struct scene *scene, int64_t height, int64_t width, uint8_t *pixels);

#endif

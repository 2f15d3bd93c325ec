/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing scenes: each object covers the share of a pixel that follows from the distance between
   the pixel's centre and the object's edge, so that edges fade over one pixel. */
#include <math.h>

#include "data/scene.h"

/* The half side of a square, and of a cross's bars, for a size of 1; these make the areas of all
   kinds similar. */
static const double SQUARE = 0.88, CROSS = 0.36;

static const uint8_t colours[SCENE_COLOURS][3] = {
    {230, 50, 50}, {60, 180, 70}, {60, 110, 240}, {245, 215, 60}, {195, 75, 200}};

/* Distances from a point of an object of size 1, its centre at 0, to its edge; negative inside.
   Outside, near corners, they are those to the nearest extended side. */
static double box_distance(double x, double y, double half_width, double half_height)
{
    return fmax(fabs(x) - half_width, fabs(y) - half_height);
}

/* Corners at (0, -1), (1, 1) and (-1, 1). */
static double triangle_distance(double x, double y)
{
    return fmax(y - 1, (2 * fabs(x) - y - 1) / sqrt(5));
}

static double distance(enum scene_kind kind, double x, double y)
{
    switch (kind) {
    case SCENE_CIRCLE: return hypot(x, y) - 1;
    case SCENE_SQUARE: return box_distance(x, y, SQUARE, SQUARE);
    case SCENE_TRIANGLE: return triangle_distance(x, y);
    case SCENE_CROSS: return fmin(box_distance(x, y, 1, CROSS), box_distance(x, y, CROSS, 1));
    case SCENE_KINDS: break;
    }
    return INFINITY;
}

/* The share of a pixel that an object covers; `side` is the length of the unit in pixels. */
static double coverage(const struct scene_object *object, double side, double x, double y)
{
    double right = x / side - object->x, down = y / side - object->y;
    double c = cos(object->angle), s = sin(object->angle);
    double away = distance(object->kind, (c * right + s * down) / object->size,
                           (c * down - s * right) / object->size);
    return fmin(fmax(0.5 - away * object->size * side, 0), 1);
}

static int64_t pixel_below(double place, int64_t limit)
{
    return (int64_t)fmin(fmax(floor(place), 0), (double)(limit - 1));
}

static void draw_object(const struct scene_object *object, int64_t height, int64_t width,
                        uint8_t *pixels)
{
    double side = (double)(height < width ? height : width), reach = 1.5 * object->size * side + 1;
    int64_t left = pixel_below(side * object->x - reach, width);
    int64_t right = pixel_below(side * object->x + reach, width);
    int64_t top = pixel_below(side * object->y - reach, height);
    int64_t bottom = pixel_below(side * object->y + reach, height);
    for (int64_t y = top; y <= bottom; y++) {
        for (int64_t x = left; x <= right; x++) {
            double share = coverage(object, side, (double)x + 0.5, (double)y + 0.5);
            uint8_t *pixel = pixels + 3 * (y * width + x);
            for (int c = 0; c < 3 && share > 0; c++) {
                double level = object->bright * colours[object->colour][c];
                pixel[c] = (uint8_t)(pixel[c] + share * (level - pixel[c]) + 0.5);
            }
        }
    }
}

void scene_draw(const struct scene *scene, int64_t height, int64_t width, uint8_t *pixels)
{
    for (int64_t i = 0; i < 3 * height * width; i++)
        pixels[i] = (uint8_t)(255 * scene->ground + 0.5);
    for (int i = 0; i < scene->count; i++) draw_object(&scene->objects[i], height, width, pixels);
}

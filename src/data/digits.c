/* SPDX-License-Identifier: Apache-2.0 */
/* Digits 0 to 9 from strokes through a few points of a unit box (y down). Each picture chooses one
   form of the digit, deforms the box smoothly (so that strokes that meet still meet), then scales,
   slants, rotates and shifts it, and draws with a random pen width. */
#include "data/digits.h"

#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "data/data.h"

enum { STROKE_POINTS = 13, PIECES = 6, DRAWS = 32 };

struct stroke {
    int digit, variant, count;
    float points[STROKE_POINTS][2];
};

static const int variants[10] = {1, 3, 1, 1, 2, 1, 1, 2, 1, 2};

/* {digit, variant, number of points, {{x, y}, ...}} */
/* clang-format off */
static const struct stroke strokes[] = {
    {0, 0, 13, {{.5f, 0}, {.28f, .07f}, {.14f, .27f}, {.1f, .5f}, {.15f, .75f}, {.28f, .93f},
                {.5f, 1}, {.72f, .93f}, {.86f, .75f}, {.9f, .5f}, {.86f, .27f}, {.72f, .07f},
                {.5f, 0}}},
    {1, 0, 2, {{.5f, 0}, {.5f, 1}}},
    {1, 1, 2, {{.5f, 0}, {.5f, 1}}},
    {1, 1, 2, {{.5f, 0}, {.22f, .24f}}},
    {1, 2, 2, {{.5f, 0}, {.5f, 1}}},
    {1, 2, 2, {{.5f, 0}, {.24f, .22f}}},
    {1, 2, 2, {{.2f, 1}, {.8f, 1}}},
    {2, 0, 8, {{.12f, .26f}, {.24f, .06f}, {.5f, 0}, {.78f, .08f}, {.84f, .3f}, {.68f, .54f},
               {.38f, .78f}, {.1f, 1}}},
    {2, 0, 2, {{.1f, 1}, {.92f, .98f}}},
    {3, 0, 6, {{.14f, .12f}, {.44f, 0}, {.76f, .08f}, {.78f, .3f}, {.62f, .44f}, {.38f, .48f}}},
    {3, 0, 6, {{.38f, .48f}, {.7f, .53f}, {.87f, .73f}, {.74f, .94f}, {.44f, 1}, {.1f, .88f}}},
    {4, 0, 2, {{.64f, 0}, {.06f, .66f}}},
    {4, 0, 2, {{.06f, .66f}, {.94f, .66f}}},
    {4, 0, 2, {{.64f, 0}, {.64f, 1}}},
    {4, 1, 3, {{.22f, 0}, {.15f, .3f}, {.1f, .56f}}},
    {4, 1, 2, {{.1f, .56f}, {.92f, .54f}}},
    {4, 1, 2, {{.76f, 0}, {.68f, 1}}},
    {5, 0, 2, {{.84f, 0}, {.24f, 0}}},
    {5, 0, 2, {{.24f, 0}, {.18f, .44f}}},
    {5, 0, 7, {{.18f, .44f}, {.48f, .37f}, {.8f, .48f}, {.88f, .7f}, {.72f, .93f}, {.42f, 1},
               {.1f, .9f}}},
    {6, 0, 11, {{.74f, .01f}, {.4f, .18f}, {.18f, .48f}, {.13f, .74f}, {.28f, .95f}, {.54f, 1},
                {.8f, .89f}, {.85f, .7f}, {.68f, .54f}, {.4f, .56f}, {.16f, .72f}}},
    {7, 0, 2, {{.08f, 0}, {.9f, 0}}},
    {7, 0, 3, {{.9f, 0}, {.6f, .46f}, {.4f, 1}}},
    {7, 1, 2, {{.08f, 0}, {.9f, 0}}},
    {7, 1, 3, {{.9f, 0}, {.6f, .46f}, {.4f, 1}}},
    {7, 1, 2, {{.3f, .5f}, {.84f, .5f}}},
    {8, 0, 13, {{.5f, .47f}, {.22f, .35f}, {.2f, .14f}, {.5f, 0}, {.8f, .14f}, {.76f, .35f},
                {.5f, .47f}, {.2f, .62f}, {.15f, .85f}, {.5f, 1}, {.86f, .85f}, {.8f, .62f},
                {.5f, .47f}}},
    {9, 0, 8, {{.82f, .28f}, {.6f, .49f}, {.3f, .47f}, {.15f, .27f}, {.28f, .06f}, {.57f, 0},
               {.8f, .11f}, {.82f, .28f}}},
    {9, 0, 3, {{.82f, .28f}, {.8f, .62f}, {.7f, 1}}},
    {9, 1, 8, {{.82f, .28f}, {.6f, .49f}, {.3f, .47f}, {.15f, .27f}, {.28f, .06f}, {.57f, 0},
               {.8f, .11f}, {.82f, .28f}}},
    {9, 1, 4, {{.82f, .28f}, {.84f, .62f}, {.68f, .92f}, {.3f, 1}}},
};
/* clang-format on */

/* The random parameters of one picture. */
struct writing {
    int variant;
    float matrix[2][2], origin[2]; /* from the box, its centre at 0, to pixels */
    float bend[2][2][3];           /* axis, wave: cycles along x and y, start */
    float bend_height;             /* in boxes */
    float pen;                     /* half of the width, in pixels */
};

static float between(float low, float high, float share)
{
    return low + share * (high - low);
}

static struct writing draw_writing(uint64_t seed, int64_t number, int digit)
{
    philox_stream stream = {seed, PURPOSE_DATA, 2};
    float share[DRAWS];
    for (int i = 0; i < DRAWS; i++) {
        share[i] = philox_uniform(&stream, (uint64_t)number * DRAWS + (uint64_t)i);
    }
    struct writing writing = {.variant = (int)(share[0] * (float)variants[digit])};
    float turn = between(-0.2f, 0.2f, share[1]), slant = between(-0.1f, 0.3f, share[2]);
    float width = between(11.0f, 16.5f, share[3]), height = between(16.0f, 19.0f, share[4]);
    float c = cosf(turn), s = sinf(turn);
    writing.matrix[0][0] = c * width;
    writing.matrix[1][0] = s * width;
    writing.matrix[0][1] = (-slant * c - s) * height;
    writing.matrix[1][1] = (-slant * s + c) * height;
    for (int axis = 0; axis < 2; axis++) {
        writing.origin[axis] = 0.5f * DIGITS_SIDE + between(-1.2f, 1.2f, share[5 + axis]);
        for (int wave = 0; wave < 2; wave++) {
            const float *wave_share = share + 8 + 6 * axis + 3 * wave;
            writing.bend[axis][wave][0] = between(-1, 1, wave_share[0]);
            writing.bend[axis][wave][1] = between(-1, 1, wave_share[1]);
            writing.bend[axis][wave][2] = wave_share[2];
        }
    }
    writing.bend_height = between(0, 0.05f, share[20]);
    writing.pen = between(0.75f, 1.7f, share[21]);
    return writing;
}

/* Maps a point of the box to pixels. */
static void place(const struct writing *writing, const float point[2], float pixel[2])
{
    float bent[2];
    for (int axis = 0; axis < 2; axis++) {
        bent[axis] = point[axis] - 0.5f;
        for (int wave = 0; wave < 2; wave++) {
            const float *bend = writing->bend[axis][wave];
            float cycles = bend[0] * point[0] + bend[1] * point[1] + bend[2];
            bent[axis] += writing->bend_height * sinf(6.2831853f * cycles);
        }
    }
    for (int axis = 0; axis < 2; axis++) {
        pixel[axis] = writing->origin[axis] + writing->matrix[axis][0] * bent[0]
                      + writing->matrix[axis][1] * bent[1];
    }
}

/* The Catmull-Rom spline through the stroke's points, at the fraction t between points i and i +
   1. */
static void spline(const struct stroke *stroke, int i, float t, float point[2])
{
    const float *b = stroke->points[i], *c = stroke->points[i + 1];
    const float *a = i > 0 ? stroke->points[i - 1] : b;
    const float *d = i + 2 < stroke->count ? stroke->points[i + 2] : c;
    for (int axis = 0; axis < 2; axis++) {
        float slope = 0.5f * (c[axis] - a[axis]), next_slope = 0.5f * (d[axis] - b[axis]);
        float rise = c[axis] - b[axis];
        float square = 3 * rise - 2 * slope - next_slope, cube = slope + next_slope - 2 * rise;
        point[axis] = b[axis] + t * (slope + t * (square + t * cube));
    }
}

static float distance_to_line(float x, float y, const float a[2], const float b[2])
{
    float along_x = b[0] - a[0], along_y = b[1] - a[1];
    float square = along_x * along_x + along_y * along_y;
    float share = square > 0 ? ((x - a[0]) * along_x + (y - a[1]) * along_y) / square : 0;
    share = fminf(fmaxf(share, 0), 1);
    return hypotf(x - a[0] - share * along_x, y - a[1] - share * along_y);
}

static int pixel_below(float place)
{
    return (int)fminf(fmaxf(floorf(place), 0), DIGITS_SIDE - 1);
}

/* Brightens the pixels near the line from a to b; the edge fades over one pixel. */
static void draw_line(const float a[2], const float b[2], float pen, uint8_t *pixels)
{
    float reach = pen + 1;
    int left = pixel_below(fminf(a[0], b[0]) - reach);
    int right = pixel_below(fmaxf(a[0], b[0]) + reach);
    int top = pixel_below(fminf(a[1], b[1]) - reach);
    int bottom = pixel_below(fmaxf(a[1], b[1]) + reach);
    for (int y = top; y <= bottom; y++) {
        for (int x = left; x <= right; x++) {
            float distance = distance_to_line((float)x + 0.5f, (float)y + 0.5f, a, b);
            float ink = fminf(fmaxf(pen + 0.5f - distance, 0), 1);
            uint8_t *pixel = &pixels[y * DIGITS_SIDE + x], level = (uint8_t)(255 * ink + 0.5f);
            if (level > *pixel) *pixel = level;
        }
    }
}

static void draw_stroke(const struct stroke *stroke, const struct writing *writing, uint8_t *pixels)
{
    float point[2], from[2], to[2];
    place(writing, stroke->points[0], from);
    for (int i = 0; i + 1 < stroke->count; i++) {
        for (int piece = 1; piece <= PIECES; piece++) {
            spline(stroke, i, (float)piece / PIECES, point);
            place(writing, point, to);
            draw_line(from, to, writing->pen, pixels);
            memcpy(from, to, sizeof from);
        }
    }
}

void digits_draw(uint64_t seed, int64_t number, uint8_t *pixels)
{
    int digit = (int)(number % 10);
    struct writing writing = draw_writing(seed, number, digit);
    memset(pixels, 0, DIGITS_SIDE * DIGITS_SIDE);
    for (size_t i = 0; i < sizeof strokes / sizeof *strokes; i++) {
        if (strokes[i].digit != digit || strokes[i].variant != writing.variant) continue;
        draw_stroke(&strokes[i], &writing, pixels);
    }
}

static sumi_status open_digits(sumi_data *data, const sumi_recipe *recipe)
{
    uint64_t *seed = context_allocate(data->context, 1, sizeof *seed);
    if (!seed) return SUMI_ERROR_MEMORY;
    *seed = recipe_seed(recipe, "data.seed");
    data->source = seed;
    data->count = recipe_int(recipe, "data.count");
    data->rank = 3;
    data->shape[0] = data->shape[1] = DIGITS_SIDE;
    data->shape[2] = 1;
    data->classes = 10;
    return SUMI_OK;
}

static sumi_status read_digit(sumi_data *data, int64_t index, uint8_t *item)
{
    const uint64_t *seed = data->source;
    digits_draw(*seed, index, item);
    return SUMI_OK;
}

static sumi_status read_digit_label(sumi_data *data, int64_t index, int32_t *label)
{
    (void)data;
    *label = (int32_t)(index % 10);
    return SUMI_OK;
}

static void close_digits(sumi_data *data)
{
    context_release(data->context, data->source);
}

const struct data_kind data_digits = {.name = "digits",
                                      .open = open_digits,
                                      .read_bytes = read_digit,
                                      .read_label = read_digit_label,
                                      .close = close_digits};

/* SPDX-License-Identifier: Apache-2.0 */
/* Curves and points as braille patterns, 2 x 4 dots a character; see graphics.h. */
#include "graphics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PANEL_WIDTH = 38,
    PANEL_HEIGHT = 5,
    PANEL_GAP = 2,
    ACROSS_MAX = 4,
    LINES_MAX = 200,
    COLUMNS_MAX = 1000,
    MOST_COORDINATES = 4 /* of points; longer rows are not points */
};

/* Characters of a picture, each a set of dots. */
typedef struct dots {
    int columns, lines;
    unsigned char *sets; /* [lines, columns] */
} dots;

/* Sets dot (x, y), counted in dots from the upper left. */
static void set_dot(const dots *to, int x, int y)
{
    static const unsigned char BITS[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || y < 0 || x >= 2 * to->columns || y >= 4 * to->lines) return;
    to->sets[y / 4 * to->columns + x / 2] |= BITS[y % 4][x % 2];
}

typedef struct range {
    double low, high;
} range;

static range range_of(const float *values, int64_t count, int64_t stride)
{
    range found = {INFINITY, -INFINITY};
    for (int64_t i = 0; i < count; i++) {
        double value = (double)values[i * stride];
        if (!isfinite(value)) continue;
        found.low = fmin(found.low, value);
        found.high = fmax(found.high, value);
    }
    if (found.low > found.high) return (range){-1, 1};
    if (found.low == found.high) return (range){found.low - 1, found.high + 1};
    return found;
}

/* The dot, of `count`, for a finite value. */
static int place(range in, double value, int count)
{
    double part = (value - in.low) / (in.high - in.low);
    return isfinite(part) ? (int)lrint(fmin(fmax(part, 0), 1) * (count - 1)) : 0;
}

/* Draws one channel of a signal into the panel whose first character is `left`, `top`. Each column
   of dots covers the range of its values and connects to the previous column. */
static void draw_curve(const dots *to, int left, int top, int width, int height, range in,
                       const float *values, int64_t length, int64_t stride)
{
    int last = -1;
    for (int x = 0; x < 2 * width; x++) {
        int64_t begin = (int64_t)x * length / (2 * width);
        int64_t end = (int64_t)(x + 1) * length / (2 * width);
        int low = 4 * height, high = -1;
        for (int64_t i = begin; i < (end > begin ? end : begin + 1); i++) {
            double value = (double)values[i * stride];
            if (!isfinite(value)) continue;
            int y = 4 * height - 1 - place(in, value, 4 * height);
            if (y < low) low = y;
            if (y > high) high = y;
        }
        if (high < 0) {
            last = -1;
            continue;
        }
        int middle = (low + high) / 2;
        if (last >= 0 && last < low) low = last + 1;
        if (last >= 0 && last > high) high = last - 1;
        for (int y = low; y <= high; y++) set_dot(to, 2 * left + x, 4 * top + y);
        last = middle;
    }
}

static void draw_signals(const dots *to, const sumi_array *signals, int across, int width)
{
    int64_t length = signals->shape[1], channels = signals->shape[2];
    int down = (to->lines + 1) / (PANEL_HEIGHT + 1);
    int64_t shown = signals->shape[0] < across * down ? signals->shape[0] : across * down;
    range in = range_of(signals->data, shown * length * channels, 1);
    for (int64_t i = 0; i < shown; i++) {
        for (int64_t c = 0; c < channels; c++) {
            draw_curve(to, (int)(i % across) * (width + PANEL_GAP),
                       (int)(i / across) * (PANEL_HEIGHT + 1), width, PANEL_HEIGHT, in,
                       signals->data + i * length * channels + c, length, channels);
        }
    }
}

/* The first two of the coordinates. */
static void draw_points(const dots *to, const sumi_array *points)
{
    int64_t stride = points->shape[1];
    range x = range_of(points->data, points->shape[0], stride);
    range y = range_of(points->data + 1, points->shape[0], stride);
    for (int64_t i = 0; i < points->shape[0]; i++) {
        double px = (double)points->data[stride * i], py = (double)points->data[stride * i + 1];
        if (!isfinite(px) || !isfinite(py)) continue;
        set_dot(to, place(x, px, 2 * to->columns), 4 * to->lines - 1 - place(y, py, 4 * to->lines));
    }
}

/* Draws a histogram with a bar of dots, two dots wide, for each character. */
static void draw_numbers(const dots *to, const sumi_array *numbers)
{
    int64_t counts[COLUMNS_MAX] = {0}, most = 1;
    range in = range_of(numbers->data, numbers->shape[0], 1);
    for (int64_t i = 0; i < numbers->shape[0]; i++) {
        if (!isfinite(numbers->data[i])) continue;
        int64_t *count = &counts[place(in, (double)numbers->data[i], to->columns)];
        if (++*count > most) most = *count;
    }
    for (int x = 0; x < 2 * to->columns; x++) {
        int64_t high = counts[x / 2] * 4 * to->lines / most;
        for (int y = 0; y < high; y++) set_dot(to, x, 4 * to->lines - 1 - y);
    }
}

static void put_dots(FILE *stream, const dots *from)
{
    for (int line = 0; line < from->lines; line++) {
        for (int column = 0; column < from->columns; column++) {
            unsigned char set = from->sets[line * from->columns + column];
            if (set == 0) fputc(' ', stream);
            else fprintf(stream, "\342%c%c", 0xa0 + (set >> 6), 0x80 + (set & 63));
        }
        fputs("\033[K\n", stream);
    }
}

static int least(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

int graphics_put_braille(FILE *stream, const sumi_array *items, int across, int columns, int lines)
{
    bool points = items->rank == 2 && items->shape[1] <= MOST_COORDINATES;
    if (!items->data || (!points && items->rank != 3)) return 0;
    for (int i = 0; i < items->rank; i++) {
        if (items->shape[i] < 1) return 0;
    }
    columns = least(columns, COLUMNS_MAX);
    lines = least(lines, LINES_MAX);
    if (columns < 4 || lines < 2) return 0;
    dots picture = {0};
    int width = columns;
    if (points) {
        picture.lines = least(lines, columns / 2);
        picture.columns = 2 * picture.lines; /* a character is twice as high as wide */
    } else {
        if (across < 1) across = least(ACROSS_MAX, (columns + PANEL_GAP) / PANEL_WIDTH);
        across = least(across, least(items->shape[0], (columns + PANEL_GAP) / (4 + PANEL_GAP)));
        if (across < 1) across = 1;
        width = (columns - (across - 1) * PANEL_GAP) / across;
        int down = least((items->shape[0] - 1) / across + 1, (lines + 1) / (PANEL_HEIGHT + 1));
        picture.lines = (down > 0 ? down : 1) * (PANEL_HEIGHT + 1) - 1;
        picture.columns = columns;
    }
    picture.sets = calloc((size_t)picture.lines, (size_t)picture.columns);
    if (!picture.sets) return 0;
    if (points && items->shape[1] == 1) draw_numbers(&picture, items);
    else if (points) draw_points(&picture, items);
    else draw_signals(&picture, items, across, width);
    put_dots(stream, &picture);
    free(picture.sets);
    return picture.lines;
}

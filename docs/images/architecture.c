/* SPDX-License-Identifier: Apache-2.0 */
/* Draws docs/images/architecture.png: the folders of src/ in their layers, a training step and a
   sampling call. Run from the root of the sources:
   cc docs/images/architecture.c -o /tmp/architecture $(pkg-config --cflags --libs cairo) -lm
   /tmp/architecture /tmp/architecture.png
   convert /tmp/architecture.png +dither -colors 32 PNG8:docs/images/architecture.png */
#include <cairo.h>
#include <math.h>
#include <stdio.h>

enum { WIDTH = 1000, HEIGHT = 994 };
static const double SCALE = 1.4;

typedef struct colour {
    double red, green, blue;
} colour;

static const colour INK = {0.13, 0.17, 0.22}, FAINT = {0.42, 0.47, 0.53}, LINE = {0.62, 0.67, 0.72};
static const colour STONE = {0.91, 0.92, 0.93}, BLUE = {0.86, 0.92, 0.98},
                    GREEN = {0.88, 0.95, 0.87}, SAND = {0.98, 0.94, 0.84},
                    ROSE = {0.98, 0.89, 0.87}, VIOLET = {0.92, 0.89, 0.97}, PAPER = {1, 1, 1};

/* A box with a name and a line or two about it. Units are those of the drawing, not pixels. */
struct box {
    double x, y, width, height;
    colour fill;
    const char *name, *lines[2];
};

/* A folder is above those that it uses; see docs/architecture.md. */
static const struct box FOLDERS[] = {
    {40, 24, 450, 54, PAPER, "tool/", {"the command sumi"}},
    {510, 24, 450, 54, PAPER, "your program", {"C or C++"}},
    {40,
     94,
     920,
     40,
     VIOLET,
     "include/sumi.h, sumi_graph.h",
     {"the public headers; the command uses only the first"}},
    {40, 214, 720, 54, ROSE, "learn/", {"objectives, AdamW, checkpoints, the training loop"}},
    {40, 150, 350, 54, ROSE, "recipes/", {"the table of all keys; built-in recipes"}},
    {400, 150, 360, 54, ROSE, "measure/", {"likelihoods, order of solvers"}},
    {40,
     278,
     720,
     54,
     ROSE,
     "models/",
     {"parts of a model folder, read-only; sessions that run them"}},
    {40, 342, 160, 118, BLUE, "nets/", {"networks as graphs:", "U-Nets, MLP ..."}},
    {210, 342, 160, 54, BLUE, "backend/", {"chooses the backend"}},
    {210, 406, 160, 54, BLUE, "cpu/", {"kernels, oneDNN"}},
    {40, 470, 330, 54, BLUE, "ops/", {"one op per file; differentiation"}},
    {40, 534, 330, 54, BLUE, "graph/", {"nodes, plans, weights"}},
    {380, 342, 185, 54, GREEN, "guides/", {"conditions, wrappers"}},
    {380, 406, 185, 54, GREEN, "solvers/", {"from noise to data"}},
    {380, 470, 185, 54, GREEN, "noise/", {"schedules, predictions"}},
    {380, 534, 185, 54, GREEN, "vectors/", {"weighted sums of rows"}},
    {575, 342, 185, 118, SAND, "data/", {"data sets:", "files and generators"}},
    {770, 150, 190, 310, SAND, "draw/", {"grids, curves, filmstrips,", "tables, as PNG"}},
    {575,
     470,
     385,
     118,
     SAND,
     "files/",
     {"safetensors, npy, png, jpeg, csv, idx,", "recipes, downloads"}},
    {40,
     598,
     920,
     44,
     STONE,
     "base/",
     {"context, messages, memory, threads, options, JSON, Philox"}},
};

static const struct box TRAINING[] = {
    {40, 714, 150, 66, SAND, "data", {"a batch x0"}},
    {228, 714, 190, 66, GREEN, "noise", {"x = a(t) x0 + s(t) e,", "and the target"}},
    {456, 714, 216, 66, BLUE, "plan", {"network, loss, and the", "gradient of every weight"}},
    {710,
     714,
     250,
     66,
     ROSE,
     "optimizer",
     {"clipping, AdamW, average", "in one pass over the weights"}},
};

static const struct box SAMPLING[] = {
    {40, 868, 130, 66, GREEN, "start", {"noise from a seed"}},
    {206,
     868,
     214,
     66,
     BLUE,
     "session",
     {"the network's plan with the", "condition; or your denoiser"}},
    {456, 868, 146, 66, GREEN, "guides", {"wrap the denoiser", "(optional)"}},
    {638, 868, 168, 66, GREEN, "solver step", {"from time t to the", "next of the list"}},
    {842, 868, 118, 66, SAND, "samples", {"an array, or a", "PNG, npy, csv"}},
};

static void set_colour(cairo_t *drawing, colour c)
{
    cairo_set_source_rgb(drawing, c.red, c.green, c.blue);
}

static void put_text(cairo_t *drawing, double x, double y, double size, int bold, colour c,
                     const char *text)
{
    cairo_text_extents_t extents;
    cairo_select_font_face(drawing, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(drawing, size);
    cairo_text_extents(drawing, text, &extents);
    set_colour(drawing, c);
    cairo_move_to(drawing, x - extents.x_advance / 2, y);
    cairo_show_text(drawing, text);
}

static void draw_box(cairo_t *drawing, const struct box *box)
{
    const double radius = 6, x = box->x, y = box->y, w = box->width, h = box->height;
    int lines = box->lines[1] ? 2 : 1;
    double middle = x + w / 2, first = y + h / 2 - 8.5 * lines + 6.5;
    cairo_new_sub_path(drawing);
    cairo_arc(drawing, x + w - radius, y + radius, radius, -M_PI / 2, 0);
    cairo_arc(drawing, x + w - radius, y + h - radius, radius, 0, M_PI / 2);
    cairo_arc(drawing, x + radius, y + h - radius, radius, M_PI / 2, M_PI);
    cairo_arc(drawing, x + radius, y + radius, radius, M_PI, 3 * M_PI / 2);
    cairo_close_path(drawing);
    set_colour(drawing, box->fill);
    cairo_fill_preserve(drawing);
    set_colour(drawing, LINE);
    cairo_set_line_width(drawing, 1);
    cairo_stroke(drawing);
    put_text(drawing, middle, first, 15, 1, INK, box->name);
    for (int i = 0; i < lines; i++)
        put_text(drawing, middle, first + 17 * (i + 1), 12.5, 0, INK, box->lines[i]);
}

/* A line through points[count][2] with a head at its end. */
static void draw_arrow(cairo_t *drawing, int count, const double (*points)[2])
{
    const double *end = points[count - 1], *before = points[count - 2];
    double angle = atan2(end[1] - before[1], end[0] - before[0]);
    set_colour(drawing, FAINT);
    cairo_set_line_width(drawing, 1.6);
    cairo_move_to(drawing, points[0][0], points[0][1]);
    for (int i = 1; i < count; i++) cairo_line_to(drawing, points[i][0], points[i][1]);
    cairo_stroke(drawing);
    cairo_move_to(drawing, end[0], end[1]);
    for (int side = -1; side <= 1; side += 2)
        cairo_line_to(drawing, end[0] - 9 * cos(angle + side * 0.45),
                      end[1] - 9 * sin(angle + side * 0.45));
    cairo_close_path(drawing);
    cairo_fill(drawing);
}

/* A row of boxes, an arrow from each to the next, and one back from box `from` to box `to`. */
static void draw_lane(cairo_t *drawing, const struct box *boxes, int count, int from, int to,
                      const char *title, const char *back)
{
    double low = boxes->y + boxes->height, start = boxes[from].x + boxes[from].width / 2,
           end = boxes[to].x + boxes[to].width / 2;
    put_text(drawing, WIDTH / 2.0, boxes->y - 18, 14, 1, INK, title);
    for (int i = 0; i < count; i++) draw_box(drawing, &boxes[i]);
    for (int i = 0; i + 1 < count; i++) {
        double y = boxes[i].y + boxes[i].height / 2;
        draw_arrow(
            drawing, 2,
            (const double[][2]){{boxes[i].x + boxes[i].width + 4, y}, {boxes[i + 1].x - 4, y}});
    }
    draw_arrow(
        drawing, 4,
        (const double[][2]){{start, low + 3}, {start, low + 20}, {end, low + 20}, {end, low + 3}});
    put_text(drawing, (start + end) / 2, low + 36, 12, 0, FAINT, back);
}

int main(int count, char **arguments)
{
    if (count != 2) return fputs("usage: architecture FILE.png\n", stderr), 2;
    cairo_surface_t *paper =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(WIDTH * SCALE), (int)(HEIGHT * SCALE));
    cairo_t *drawing = cairo_create(paper);
    cairo_scale(drawing, SCALE, SCALE);
    set_colour(drawing, PAPER);
    cairo_paint(drawing);
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) draw_box(drawing, &FOLDERS[i]);
    draw_arrow(drawing, 2, (const double[][2]){{22, 30}, {22, 638}});
    cairo_save(drawing);
    cairo_translate(drawing, 15, 334);
    cairo_rotate(drawing, -M_PI / 2);
    put_text(drawing, 0, 0, 12, 0, FAINT, "uses");
    cairo_restore(drawing);
    draw_lane(drawing, TRAINING, 4, 3, 2, "a training step", "the next step reads the new weights");
    draw_lane(drawing, SAMPLING, 5, 3, 1, "a sampling call",
              "the new state, for every time of the list");
    cairo_status_t status = cairo_surface_write_to_png(paper, arguments[1]);
    cairo_destroy(drawing);
    cairo_surface_destroy(paper);
    if (status) fprintf(stderr, "%s: %s\n", arguments[1], cairo_status_to_string(status));
    return status ? 1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_draw_losses: every loss in a faint line and their running mean in a bold one, over the
   steps. */
#include <math.h>

#include "draw/plot.h"

static const double WIDTH = 1440, HEIGHT = 860;
static const double LEFT = 130, RIGHT = 40, TOP = 84;

enum { MEAN_POINTS = 600 };

/* The mean of the finite values around each of MEAN_POINTS positions, or NAN where there is none.
   The window is a fiftieth of the run, so that smoothness does not depend on its length. Returns
   the number of means; mean i is at step 1 + (i + 0.5) * count / means. */
static int running_mean(const float *losses, int64_t count, float means[MEAN_POINTS])
{
    int number = count < MEAN_POINTS ? (int)count : MEAN_POINTS;
    int64_t half = count / 100;
    for (int i = 0; i < number; i++) {
        int64_t middle = (int64_t)(((double)i + 0.5) * (double)count / number);
        int64_t distance = middle < count - 1 - middle ? middle : count - 1 - middle;
        /* Narrower near the ends, where a one-sided window would lag behind a steep curve. */
        int64_t reach = distance > half ? half : distance > half / 4 ? distance : half / 4;
        int64_t first = middle > reach ? middle - reach : 0;
        int64_t last = middle + reach < count ? middle + reach : count - 1;
        double sum = 0;
        int64_t used = 0;
        for (int64_t j = first; j <= last; j++) {
            if (!isfinite(losses[j])) continue;
            sum += (double)losses[j];
            used++;
        }
        means[i] = used ? (float)(sum / (double)used) : NAN;
    }
    return number;
}

/* A logarithmic axis helps when all losses are positive and span more than a factor of 20. */
static void choose_axes(const float *losses, int64_t count, struct axis *x, struct axis *y)
{
    *x = (struct axis){{1, (double)count}, false, LEFT, WIDTH - RIGHT};
    if (count < 2) x->values = (struct range){0, 2};
    *y = (struct axis){range_empty(), false, HEIGHT - PLOT_BELOW, TOP};
    range_include(&y->values, losses, count, 1);
    if (y->values.low > y->values.high) y->values = (struct range){0, 1};
    y->logarithmic = y->values.low > 0 && y->values.high > 20 * y->values.low;
    if (y->logarithmic) {
        double extra = pow(y->values.high / y->values.low, 0.03);
        y->values.low /= extra;
        y->values.high *= extra;
        return;
    }
    bool positive = y->values.low >= 0;
    range_settle(&y->values, 0, 0.04);
    if (positive && y->values.low < 0.25 * y->values.high) y->values.low = 0;
}

static void draw_losses(struct canvas *canvas, const float *losses, int64_t count,
                        const char *title)
{
    const struct plot_frame frame = {.title = title ? title : "",
                                     .x_title = "step",
                                     .y_title = "loss",
                                     .x_ticks = 8,
                                     .y_ticks = 6,
                                     .whole = true};
    struct axis x, y;
    choose_axes(losses, count, &x, &y);
    plot_frame(canvas, &x, &y, &frame);
    if (count == 0) {
        canvas_use(canvas, INK_SOFT, 1);
        canvas_text(canvas, (x.start + x.end) / 2, (y.start + y.end) / 2, SIDE_CENTRE,
                    PLOT_TEXT_SIZE, "no losses yet");
        return;
    }
    float means[MEAN_POINTS];
    int number = running_mean(losses, count, means);
    bool smoothed = count >= 100; /* with fewer, the window is a single value */
    canvas_use(canvas, INK_DARK, smoothed ? 0.22 : 1);
    plot_curve(canvas, &x, &y, losses, count, 1, 1, smoothed ? 1.2 : count == 1 ? 12 : 3);
    if (!smoothed) return;
    struct axis means_x = x; /* mean i is at step 1 + (i + 0.5) * count / number */
    double each = (double)count / number;
    means_x.values.low = (x.values.low - 1) / each - 0.5;
    means_x.values.high = (x.values.high - 1) / each - 0.5;
    canvas_use(canvas, INK_DARK, 1);
    plot_curve(canvas, &means_x, &y, means, number, 1, 0, 3.5);
}

sumi_status sumi_draw_losses(sumi_context *context, const float *losses, int64_t count,
                             const char *title, const char *path)
{
    TRY(canvas_check_path(context, path));
    if (count < 0 || (count > 0 && !losses)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "%lld losses at %p cannot be drawn",
                            (long long)count, (const void *)losses);
    }
    struct canvas canvas;
    sumi_status status = canvas_open(context, WIDTH, HEIGHT, &canvas);
    if (status == SUMI_OK) draw_losses(&canvas, losses, count, title);
    if (status == SUMI_OK) status = canvas_write(&canvas, path);
    canvas_close(&canvas);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Peak signal-to-noise ratio and structural similarity. */
#include "quality/picture.h"

#include <math.h>

#include "quality/measure.h"

enum { LARGEST_WINDOW = 11 };

int64_t similarity_size(enum similarity_window window)
{
    return window == SIMILARITY_GAUSSIAN ? 11 : 7;
}

/* Weights along one axis, with sum 1. */
static void fill_weights(enum similarity_window window, double weights[LARGEST_WINDOW])
{
    int64_t size = similarity_size(window);
    double sum = 0;
    for (int64_t i = 0; i < size; i++) {
        double away = (double)(i - size / 2) / 1.5;
        weights[i] = window == SIMILARITY_GAUSSIAN ? exp(-away * away / 2) : 1;
        sum += weights[i];
    }
    for (int64_t i = 0; i < size; i++) weights[i] /= sum;
}

/* Weighted means in a window: of x, y, x^2, y^2, x y. */
struct means {
    double x, y, xx, yy, xy;
};

static void add_pixel(struct means *m, double weight, double x, double y)
{
    m->x += weight * x;
    m->y += weight * y;
    m->xx += weight * x * x;
    m->yy += weight * y * y;
    m->xy += weight * x * y;
}

/* Eq. 13 of the window's means; `divisor` corrects variances. */
static double similarity_of(const struct means *m, double range, double divisor)
{
    double c1 = 0.01 * range * 0.01 * range, c2 = 0.03 * range * 0.03 * range;
    double vx = divisor * (m->xx - m->x * m->x), vy = divisor * (m->yy - m->y * m->y);
    double vxy = divisor * (m->xy - m->x * m->y);
    return (2 * m->x * m->y + c1) * (2 * vxy + c2)
           / ((m->x * m->x + m->y * m->y + c1) * (vx + vy + c2));
}

/* Adds the similarities of all windows of a row of places; rows[width] are the means along columns
   (the first pass of the separable window). */
static double add_row(int64_t places, int64_t size, const double *weights, const struct means *rows,
                      double range, double divisor)
{
    double sum = 0;
    for (int64_t x = 0; x < places; x++) {
        struct means m = {0};
        for (int64_t i = 0; i < size; i++) {
            const struct means *column = &rows[x + i];
            m.x += weights[i] * column->x, m.y += weights[i] * column->y;
            m.xx += weights[i] * column->xx, m.yy += weights[i] * column->yy;
            m.xy += weights[i] * column->xy;
        }
        sum += similarity_of(&m, range, divisor);
    }
    return sum;
}

sumi_status picture_similarity(sumi_context *context, const int64_t shape[3], const double *a,
                               const double *b, double range, enum similarity_window window,
                               double *similarity)
{
    int64_t width = shape[1], channels = shape[2], size = similarity_size(window);
    int64_t down = shape[0] - size + 1, across = width - size + 1;
    double weights[LARGEST_WINDOW], sum = 0, pixels = (double)(size * size);
    double divisor = window == SIMILARITY_UNIFORM ? pixels / (pixels - 1) : 1;
    struct means *rows = context_allocate(context, (size_t)width, sizeof *rows);
    if (!rows) return SUMI_ERROR_MEMORY;
    fill_weights(window, weights);
    for (int64_t place = 0; place < down * channels; place++) {
        int64_t y = place / channels, c = place % channels;
        for (int64_t x = 0; x < width; x++) {
            rows[x] = (struct means){0};
            for (int64_t i = 0; i < size; i++) {
                int64_t at = ((y + i) * width + x) * channels + c;
                add_pixel(&rows[x], weights[i], a[at], b[at]);
            }
        }
        sum += add_row(across, size, weights, rows, range, divisor);
    }
    *similarity = sum / (double)(down * across * channels);
    context_release(context, rows);
    return SUMI_OK;
}

double picture_mean_square(int64_t count, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum / (double)count;
}

double picture_peak_ratio(double mean_square, double range)
{
    return 10 * log10(range * range / mean_square);
}

/* ---- The measures psnr and ssim ---- */

struct settings {
    double range;
    int window;
};

#define RANGE_ROW                                                                                  \
    {                                                                                              \
        NUMBER_OPTION("range", "2", 1e-30, 1e30, "largest possible difference of two numbers"),    \
            offsetof(struct settings, range)                                                       \
    }

static const struct option ratio_options[] = {RANGE_ROW, {.name = NULL}};
static const struct option similarity_options[] = {
    RANGE_ROW,
    {CHOICE_OPTION("window", "gaussian", "gaussian|uniform",
                   "a Gaussian of deviation 1.5 over 11x11, or 7x7 equal weights"),
     offsetof(struct settings, window)},
    {.name = NULL},
};

/* Mean over pairs of items of what `value` gives, in panels a and b of an item. */
typedef sumi_status (*pair_function)(sumi_measure *measure, const struct measured_sets *sets,
                                     const double *a, const double *b, double *value);

static sumi_status each_pair(sumi_measure *measure, struct work *work,
                             const struct measured_sets *sets, pair_function function, double *mean)
{
    int64_t size = sets->samples.columns;
    double *a = context_allocate(measure->context, 2 * (size_t)size, sizeof *a);
    if (!a) return SUMI_ERROR_MEMORY;
    sumi_status status = SUMI_OK;
    *mean = 0;
    work_begin(work, sets->samples.rows);
    for (int64_t i = 0; i < sets->samples.rows && status == SUMI_OK; i++) {
        double value = 0;
        samples_panel(&sets->samples, i, 1, a);
        samples_panel(&sets->reference, i, 1, a + size);
        status = function(measure, sets, a, a + size, &value);
        *mean += value / (double)sets->samples.rows;
        if (status == SUMI_OK) status = work_advance(work, 1);
    }
    context_release(measure->context, a);
    return status;
}

static sumi_status pair_square(sumi_measure *measure, const struct measured_sets *sets,
                               const double *a, const double *b, double *value)
{
    (void)measure;
    *value = picture_mean_square(sets->samples.columns, a, b);
    return SUMI_OK;
}

static sumi_status pair_ratio(sumi_measure *measure, const struct measured_sets *sets,
                              const double *a, const double *b, double *value)
{
    const struct settings *settings = measure->settings;
    double square = picture_mean_square(sets->samples.columns, a, b);
    *value = picture_peak_ratio(square, settings->range);
    return SUMI_OK;
}

static sumi_status run_ratio(sumi_measure *measure, struct work *work,
                             const struct measured_sets *sets)
{
    double ratio = 0, square = 0;
    TRY(each_pair(measure, work, sets, pair_ratio, &ratio));
    TRY(each_pair(measure, work, sets, pair_square, &square));
    TRY(measure_add_number(measure, "psnr", ratio));
    return measure_add_number(measure, "mean_square", square);
}

static sumi_status pair_similarity(sumi_measure *measure, const struct measured_sets *sets,
                                   const double *a, const double *b, double *value)
{
    const struct settings *settings = measure->settings;
    return picture_similarity(measure->context, sets->shape, a, b, settings->range,
                              (enum similarity_window)settings->window, value);
}

static sumi_status run_similarity(sumi_measure *measure, struct work *work,
                                  const struct measured_sets *sets)
{
    const struct settings *settings = measure->settings;
    int64_t size = similarity_size((enum similarity_window)settings->window);
    double similarity = 0;
    if (sets->shape[0] < size || sets->shape[1] < size) {
        return context_fail(measure->context, SUMI_ERROR_ARGUMENT,
                            "ssim: pictures of %lldx%lld are smaller than the window of %lldx%lld",
                            (long long)sets->shape[0], (long long)sets->shape[1], (long long)size,
                            (long long)size);
    }
    TRY(each_pair(measure, work, sets, pair_similarity, &similarity));
    return measure_add_number(measure, "ssim", similarity);
}

const struct measure_type measure_psnr = {
    .name = "psnr",
    .meaning = "peak signal-to-noise ratio of paired items in dB, mean over pairs",
    .paper = "Wang & Bovik 2009, Mean squared error: love it or leave it?",
    .best = MEASURE_MOST,
    .sets = 2,
    .paired = true,
    .options = ratio_options,
    .size = sizeof(struct settings),
    .run = run_ratio,
};

const struct measure_type measure_ssim = {
    .name = "ssim",
    .meaning = "structural similarity of paired pictures, mean over pairs",
    .paper = "Wang et al. 2004, Image quality assessment: from error visibility to structural "
             "similarity",
    .best = MEASURE_MOST,
    .sets = 2,
    .paired = true,
    .items = MEASURE_PICTURES,
    .options = similarity_options,
    .size = sizeof(struct settings),
    .run = run_similarity,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Power spectra of fields and signals. */
#include "quality/spectrum.h"

#include <math.h>

#include "quality/fourier.h"

static const double PI = 3.14159265358979323846;

struct spectrum {
    sumi_context *context;
    int64_t height, width;
    struct fourier *along_rows, *along_columns;
    double complex *fields[2], *column; /* [height, width] each, [height] */
};

/* ---- Fields ---- */

sumi_status spectrum_create(sumi_context *context, int64_t height, int64_t width,
                            struct spectrum **spectrum)
{
    *spectrum = NULL;
    struct spectrum *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    size_t size = (size_t)(height * width), item = sizeof(double complex);
    *made = (struct spectrum){.context = context, .height = height, .width = width};
    made->fields[0] = context_allocate(context, size, item);
    made->fields[1] = context_allocate(context, size, item);
    made->column = context_allocate(context, (size_t)height, item);
    bool reserved = made->fields[0] && made->fields[1] && made->column;
    sumi_status status = reserved ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = fourier_create(context, width, &made->along_rows);
    if (status == SUMI_OK) status = fourier_create(context, height, &made->along_columns);
    if (status == SUMI_OK) *spectrum = made;
    else spectrum_free(made);
    return status;
}

void spectrum_free(struct spectrum *spectrum)
{
    if (!spectrum) return;
    fourier_free(spectrum->along_rows);
    fourier_free(spectrum->along_columns);
    context_release(spectrum->context, spectrum->fields[0]);
    context_release(spectrum->context, spectrum->fields[1]);
    context_release(spectrum->context, spectrum->column);
    context_release(spectrum->context, spectrum);
}

int64_t spectrum_rings(const struct spectrum *spectrum)
{
    return (spectrum->height < spectrum->width ? spectrum->height : spectrum->width) / 2;
}

/* |k| of a mode in whole waves: indices past the middle are negative. */
static double wave_number(const struct spectrum *spectrum, int64_t y, int64_t x)
{
    int64_t ky = 2 * y > spectrum->height ? y - spectrum->height : y;
    int64_t kx = 2 * x > spectrum->width ? x - spectrum->width : x;
    return sqrt((double)(ky * ky + kx * kx));
}

/* The place of a mode's ring in arrays, or -1. */
static int64_t ring_of(const struct spectrum *spectrum, double wave)
{
    int64_t ring = (int64_t)floor(wave + 0.5) - 1;
    return ring < spectrum_rings(spectrum) ? ring : -1;
}

void spectrum_modes(const struct spectrum *spectrum, double *modes, double *waves)
{
    int64_t count = spectrum_rings(spectrum);
    for (int64_t i = 0; i < count; i++) modes[i] = waves[i] = 0;
    for (int64_t y = 0; y < spectrum->height; y++) {
        for (int64_t x = 0; x < spectrum->width; x++) {
            double wave = wave_number(spectrum, y, x);
            int64_t ring = ring_of(spectrum, wave);
            if (ring < 0) continue;
            modes[ring]++;
            waves[ring] += wave;
        }
    }
    for (int64_t i = 0; i < count; i++) waves[i] /= modes[i];
}

/* The transform of a field without its mean. */
static void transform_field(struct spectrum *spectrum, const double *field, double complex *result)
{
    int64_t height = spectrum->height, width = spectrum->width, size = height * width;
    double mean = 0;
    for (int64_t i = 0; i < size; i++) mean += field[i];
    mean /= (double)size;
    for (int64_t i = 0; i < size; i++) result[i] = field[i] - mean;
    for (int64_t y = 0; y < height; y++)
        fourier_transform(spectrum->along_rows, result + y * width);
    for (int64_t x = 0; x < width; x++) {
        for (int64_t y = 0; y < height; y++) spectrum->column[y] = result[y * width + x];
        fourier_transform(spectrum->along_columns, spectrum->column);
        for (int64_t y = 0; y < height; y++) result[y * width + x] = spectrum->column[y];
    }
}

static double product(double complex a, double complex b)
{
    return creal(a) * creal(b) + cimag(a) * cimag(b);
}

void spectrum_add(struct spectrum *spectrum, const double *first, const double *second,
                  const struct ring_sums *sums)
{
    double size = (double)(spectrum->height * spectrum->width), scale = 1 / (size * size);
    transform_field(spectrum, first, spectrum->fields[0]);
    if (second) transform_field(spectrum, second, spectrum->fields[1]);
    for (int64_t y = 0; y < spectrum->height; y++) {
        for (int64_t x = 0; x < spectrum->width; x++) {
            int64_t ring = ring_of(spectrum, wave_number(spectrum, y, x));
            if (ring < 0) continue;
            double complex a = spectrum->fields[0][y * spectrum->width + x];
            sums->first[ring] += scale * product(a, a);
            if (!second) continue;
            double complex b = spectrum->fields[1][y * spectrum->width + x];
            sums->second[ring] += scale * product(b, b);
            sums->cross[ring] += scale * product(a, b);
        }
    }
}

/* ---- Signals ---- */

struct segments {
    int64_t length, step, count;
    double *window;
    double complex *x;
    struct fourier *fourier;
};

/* Adds |FFT|^2 of one segment without its mean. */
static void add_segment(const struct segments *s, const double *signal, double *density)
{
    double mean = 0;
    for (int64_t i = 0; i < s->length; i++) mean += signal[i] / (double)s->length;
    for (int64_t i = 0; i < s->length; i++) s->x[i] = (signal[i] - mean) * s->window[i];
    fourier_transform(s->fourier, s->x);
    for (int64_t k = 0; k <= s->length / 2; k++) density[k] += product(s->x[k], s->x[k]);
}

static double fill_window(const struct segments *s, bool hann)
{
    double squares = 0;
    for (int64_t i = 0; i < s->length; i++) {
        s->window[i] = hann ? 0.5 - 0.5 * cos(2 * PI * (double)i / (double)s->length) : 1;
        squares += s->window[i] * s->window[i];
    }
    return squares;
}

static void add_segments(const struct segments *s, const double *signal, double scale,
                         double *density)
{
    for (int64_t k = 0; k <= s->length / 2; k++) density[k] = 0;
    for (int64_t i = 0; i < s->count; i++) add_segment(s, signal + i * s->step, density);
    for (int64_t k = 0; k <= s->length / 2; k++) {
        bool once = k == 0 || 2 * k == s->length; /* others stand for negative frequencies too */
        density[k] *= (once ? 1 : 2) * scale / (double)s->count;
    }
}

sumi_status signal_density(sumi_context *context, int64_t length, const double *signal, double rate,
                           int64_t segment, bool hann, double *density)
{
    struct segments s = {.length = segment, .step = segment - segment / 2};
    s.count = (length - segment) / s.step + 1;
    s.window = context_allocate(context, (size_t)segment, sizeof *s.window);
    s.x = context_allocate(context, (size_t)segment, sizeof *s.x);
    sumi_status status = s.window && s.x ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = fourier_create(context, segment, &s.fourier);
    if (status == SUMI_OK) {
        double squares = fill_window(&s, hann);
        add_segments(&s, signal, 1 / (rate * squares), density);
    }
    context_release(context, s.window);
    context_release(context, s.x);
    fourier_free(s.fourier);
    return status;
}

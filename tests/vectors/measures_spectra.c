/* SPDX-License-Identifier: Apache-2.0 */
/* Fields and signals made by formula, and their spectra. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quality/mel.h"
#include "quality/spectrum.h"
#include "vectors/formula.h"
#include "vectors/measures.h"

static const double PI = 3.14159265358979323846;

/* ---- Fields ---- */

struct wave {
    int rows, columns, kx, ky, n;
};

static void fill_field(const struct wave *wave, double *field)
{
    double w = wave->columns, h = wave->rows;
    for (int y = 0; y < wave->rows; y++) {
        for (int x = 0; x < wave->columns; x++) {
            int i = y * wave->columns + x;
            field[i] = sin(2 * PI * (wave->kx * x / w + wave->ky * y / h))
                       + 0.5 * cos(2 * PI * (2 * wave->ky * x / w - wave->kx * y / h) + 0.7)
                       + 0.3 * formula_mix((uint32_t)wave->n, (uint32_t)i);
        }
    }
}

/* Sums become the record's numbers. */
static void compare_rings(struct measures *measures, struct spectrum *spectrum, double *block)
{
    json_object *record = measures->row->record;
    int64_t rings = spectrum_rings(spectrum);
    double *modes = block, *waves = block + rings, *first = block + 2 * rings;
    double *second = first + rings, *cross = second + rings, box = vectors_number(record, "box");
    spectrum_modes(spectrum, modes, waves);
    for (int64_t i = 0; i < rings; i++) {
        cross[i] /= sqrt(first[i] * second[i]);
        first[i] *= box * box / modes[i];
        second[i] *= box * box / modes[i];
    }
    if ((int64_t)json_object_array_length(vectors_get(record, "modes")) != rings) {
        vectors_fail(measures->row, "the record has not %lld rings", (long long)rings);
        return;
    }
    measures_compare_list(measures, "modes", vectors_get(record, "modes"), modes);
    measures_compare_list(measures, "mean_wavenumber", vectors_get(record, "mean_wavenumber"),
                          waves);
    measures_compare_list(measures, "power", vectors_get(record, "power"), first);
    measures_compare_list(measures, "power_second", vectors_get(record, "power_second"), second);
    measures_compare_list(measures, "coherence", vectors_get(record, "coherence"), cross);
}

void measures_field(struct measures *measures)
{
    json_object *record = measures->row->record;
    struct wave wave = {0}, other;
    if (sscanf(vectors_text(record, "field"), "rows %d, columns %d, kx %d, ky %d, n %d", &wave.rows,
               &wave.columns, &wave.kx, &wave.ky, &wave.n)
            != 5
        || wave.rows < 2 || wave.columns < 2 || wave.rows > 4096 || wave.columns > 4096) {
        vectors_fail(measures->row, "field: not of the form \"rows 32, columns 32, kx 3, ...\"");
        return;
    }
    other = wave;
    other.kx += 1;
    other.n += 10;
    size_t size = (size_t)(wave.rows * wave.columns);
    double *fields = malloc(2 * size * sizeof *fields);
    double *block = calloc(5 * 2048, sizeof *block);
    struct spectrum *spectrum = NULL;
    fill_field(&wave, fields);
    fill_field(&other, fields + size);
    if (measures_succeed(measures,
                         spectrum_create(measures->context, wave.rows, wave.columns, &spectrum))) {
        int64_t rings = spectrum_rings(spectrum);
        const struct ring_sums sums = {block + 2 * rings, block + 3 * rings, block + 4 * rings};
        spectrum_add(spectrum, fields, fields + size, &sums);
        compare_rings(measures, spectrum, block);
    }
    spectrum_free(spectrum);
    free(fields);
    free(block);
}

/* ---- Signals ---- */

static void compare_density(struct measures *measures, const char *name, int64_t length,
                            const double *signal, double rate, int64_t segment, bool hann)
{
    json_object *expected = vectors_get(measures->row->record, name);
    double *density = malloc((size_t)(segment / 2 + 1) * sizeof *density), sum = 0;
    if (measures_succeed(measures, signal_density(measures->context, length, signal, rate, segment,
                                                  hann, density))) {
        for (int64_t k = 0; k <= segment / 2; k++) sum += density[k];
        measures_compare(measures, name, sum, vectors_number(expected, "sum"));
        measures_compare_list(measures, name, vectors_get(expected, "first8"), density);
    }
    free(density);
}

/* To 1e-6 of each number, and 1e-12 of the rms for those that are zero up to rounding. */
static void compare_at(struct measures *measures, const char *name, json_object *expected,
                       int64_t count, const double *values, double rms)
{
    for (int64_t i = 0; i < count; i++) {
        double number = vectors_number_at(expected, i);
        vectors_compare(measures->row, values[i], number, 1e-6 * fabs(number) + 1e-12 * rms,
                        "%s[%lld]", name, (long long)i);
    }
}

/* Compares double numbers with the figures of a list. */
static void compare_figures(struct measures *measures, const char *name, int64_t count,
                            const double *values)
{
    json_object *expected = vectors_get(measures->row->record, name);
    double sum = 0, absolute = 0, squares = 0, rms = vectors_number(expected, "rms");
    for (int64_t i = 0; i < count; i++) {
        sum += values[i];
        absolute += fabs(values[i]) / (double)count;
        squares += values[i] * values[i] / (double)count;
    }
    measures_compare(measures, name, sum, vectors_number(expected, "sum"));
    measures_compare(measures, name, absolute, vectors_number(expected, "mean_abs"));
    measures_compare(measures, name, sqrt(squares), rms);
    compare_at(measures, name, vectors_get(expected, "first8"), 8, values, rms);
    compare_at(measures, name, vectors_get(expected, "last2"), 2, values + count - 2, rms);
}

static void compare_mel(struct measures *measures, const struct mel_settings *settings,
                        int64_t length, const double *signal)
{
    json_object *record = measures->row->record;
    int64_t bins = settings->fft / 2 + 1, count = mel_frame_count(settings, length);
    int64_t mels = settings->mels;
    double *filters = malloc((size_t)(bins * mels) * sizeof *filters);
    double *frames = malloc((size_t)(count * mels) * sizeof *frames);
    double *list = calloc((size_t)mels, sizeof *list);
    mel_filters(settings, filters);
    compare_figures(measures, "filters", bins * mels, filters);
    for (int64_t i = 0; i < bins * mels; i++) list[i % mels] += filters[i];
    measures_compare_list(measures, "filters_row_sums", vectors_get(record, "filters_row_sums"),
                          list);
    if (measures_succeed(measures,
                         mel_frames(measures->context, settings, length, signal, frames))) {
        compare_figures(measures, "log_mel", count * mels, frames);
        for (int64_t m = 0; m < mels; m++) list[m] = frames[m * count + 3];
        measures_compare_list(measures, "log_mel_column_3", vectors_get(record, "log_mel_column_3"),
                              list);
    }
    free(filters);
    free(frames);
    free(list);
}

/* Settings of a record; false where frames of that kind do not exist here. */
static bool read_settings(json_object *record, double rate, struct mel_settings *settings)
{
    json_object *given = vectors_get(record, "settings");
    *settings = (struct mel_settings){
        .rate = rate,
        .floor = vectors_number(given, "floor"),
        .fft = (int64_t)vectors_number(given, "fft"),
        .hop = (int64_t)vectors_number(given, "hop"),
        .mels = (int64_t)vectors_number(given, "mels"),
        .scale = strcmp(vectors_text(given, "mel_scale"), "htk") == 0 ? MEL_HTK : MEL_SLANEY,
        .norm = *vectors_text(given, "norm") ? MEL_NORM_SLANEY : MEL_NORM_NONE};
    return settings->fft >= 4 && settings->hop > 0 && settings->mels > 1
           && vectors_number(given, "power") == 1;
}

void measures_signal(struct measures *measures)
{
    json_object *record = measures->row->record;
    struct mel_settings settings;
    int length = 0;
    double rate = 0;
    if (sscanf(vectors_text(record, "signal"), "n %d, rate %lf", &length, &rate) != 2
        || length < 256 || length > 1 << 24 || !read_settings(record, rate, &settings)) {
        vectors_fail(measures->row, "signal or settings are of another form than the known rows'");
        return;
    }
    double *signal = malloc((size_t)length * sizeof *signal);
    for (int i = 0; i < length; i++) {
        double t = i / rate;
        signal[i] =
            (float)(0.5 * sin(2 * PI * 440 * t) + 0.25 * sin(2 * PI * (800 * t + 900 * t * t))
                    + 0.05 * formula_mix(4400, (uint32_t)i));
    }
    compare_mel(measures, &settings, length, signal);
    compare_density(measures, "periodogram", length, signal, rate, length, false);
    compare_density(measures, "welch_256", length, signal, rate, 256, true);
    free(signal);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The measures power-spectrum, coherence and spectrum: of fields by wave number, and of signals by
   frequency. */
#include <math.h>
#include <string.h>

#include "quality/measure.h"
#include "quality/spectrum.h"

/* The root mean square of log10(a / b) over bins where both are above 0. */
static double log_difference(int64_t count, const double *a, const double *b)
{
    double sum = 0, bins = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!(a[i] > 0 && b[i] > 0)) continue;
        double difference = log10(a[i] / b[i]);
        sum += difference * difference;
        bins++;
    }
    return bins > 0 ? sqrt(sum / bins) : 0;
}

/* ---- Fields ---- */

struct field_settings {
    double box;
};

static const struct option field_options[] = {
    {NUMBER_OPTION("box", "1", 1e-30, 1e30, "length of a side of the field, for the unit of power"),
     offsetof(struct field_settings, box)},
    {.name = NULL},
};

/* The sums of a measurement, in one block of memory. */
struct fields {
    sumi_context *context;
    struct spectrum *spectrum;
    int64_t rings;
    struct ring_sums sums;
    double *modes, *waves;  /* [rings] */
    double *first, *second; /* [height, width]: a channel of an item */
};

static sumi_status open_fields(sumi_context *context, const struct measured_sets *sets,
                               struct fields *fields)
{
    int64_t height = sets->shape[0], width = sets->shape[1];
    *fields = (struct fields){.context = context};
    if (height < 2 || width < 2) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a spectrum needs fields of at least 2x2 numbers, not %lldx%lld",
                            (long long)height, (long long)width);
    }
    TRY(spectrum_create(context, height, width, &fields->spectrum));
    int64_t rings = fields->rings = spectrum_rings(fields->spectrum);
    double *block =
        context_allocate_zeroed(context, (size_t)(5 * rings + 2 * height * width), sizeof *block);
    if (!block) return SUMI_ERROR_MEMORY;
    fields->modes = block, fields->waves = block + rings;
    fields->sums.first = block + 2 * rings, fields->sums.second = block + 3 * rings;
    fields->sums.cross = block + 4 * rings;
    fields->first = block + 5 * rings, fields->second = fields->first + height * width;
    spectrum_modes(fields->spectrum, fields->modes, fields->waves);
    return SUMI_OK;
}

static void close_fields(struct fields *fields)
{
    spectrum_free(fields->spectrum);
    context_release(fields->context, fields->modes);
}

/* Channel `channel` of item `item` of [rows, height, width, channels]. */
static void take_channel(const struct samples *set, const struct measured_sets *sets, int64_t item,
                         int64_t channel, double *field)
{
    int64_t channels = sets->shape[2], size = sets->shape[0] * sets->shape[1];
    for (int64_t i = 0; i < size; i++) {
        int64_t at = item * set->columns + i * channels + channel;
        field[i] = set->narrow ? set->narrow[at] : set->wide[at];
    }
}

/* Adds all fields of a set to sums->first; with `pairs` also those of the other and their cross. */
static sumi_status add_set(struct work *work, const struct measured_sets *sets,
                           struct fields *fields, const struct samples *set,
                           const struct samples *pairs, const struct ring_sums *sums)
{
    for (int64_t i = 0; i < set->rows; i++) {
        for (int64_t c = 0; c < sets->shape[2]; c++) {
            take_channel(set, sets, i, c, fields->first);
            if (pairs) take_channel(pairs, sets, i, c, fields->second);
            spectrum_add(fields->spectrum, fields->first, pairs ? fields->second : NULL, sums);
        }
        TRY(work_advance(work, 1));
    }
    return SUMI_OK;
}

/* Sums become means over modes and fields. */
static void average(const struct fields *fields, double *sums, double number, double box)
{
    for (int64_t i = 0; i < fields->rings; i++) sums[i] *= box * box / (fields->modes[i] * number);
}

static sumi_status add_power(sumi_measure *measure, const struct fields *fields)
{
    int64_t rings = fields->rings;
    TRY(measure_add_number(measure, "log10_difference",
                           log_difference(rings, fields->sums.first, fields->sums.second)));
    TRY(measure_add_list(measure, "waves", rings, fields->waves));
    TRY(measure_add_list(measure, "modes", rings, fields->modes));
    TRY(measure_add_list(measure, "power", rings, fields->sums.first));
    return measure_add_list(measure, "reference_power", rings, fields->sums.second);
}

static sumi_status run_power(sumi_measure *measure, struct work *work,
                             const struct measured_sets *sets)
{
    const struct field_settings *settings = measure->settings;
    const struct samples *set = &sets->samples, *reference = &sets->reference;
    double channels = (double)sets->shape[2];
    struct fields fields;
    work_begin(work, set->rows + reference->rows);
    sumi_status status = open_fields(measure->context, sets, &fields);
    const struct ring_sums second = {.first = fields.sums.second};
    if (status == SUMI_OK) status = add_set(work, sets, &fields, set, NULL, &fields.sums);
    if (status == SUMI_OK) status = add_set(work, sets, &fields, reference, NULL, &second);
    if (status == SUMI_OK) {
        average(&fields, fields.sums.first, (double)set->rows * channels, settings->box);
        average(&fields, fields.sums.second, (double)reference->rows * channels, settings->box);
        status = add_power(measure, &fields);
    }
    close_fields(&fields);
    return status;
}

const struct measure_type measure_power = {
    .name = "power-spectrum",
    .meaning = "isotropic power of fields in rings of the wave number, mean over a set",
    .paper = "Peebles 1980, The large-scale structure of the universe",
    .best = MEASURE_LEAST,
    .sets = 2,
    .items = MEASURE_PICTURES,
    .options = field_options,
    .size = sizeof(struct field_settings),
    .run = run_power,
};

static sumi_status add_coherence(sumi_measure *measure, const struct fields *fields)
{
    double *coherence = fields->sums.cross, mean = 0, modes = 0;
    for (int64_t i = 0; i < fields->rings; i++) {
        double root = sqrt(fields->sums.first[i] * fields->sums.second[i]);
        coherence[i] = root > 0 ? coherence[i] / root : 0;
        mean += coherence[i] * fields->modes[i];
        modes += fields->modes[i];
    }
    TRY(measure_add_number(measure, "mean", mean / modes));
    TRY(measure_add_list(measure, "waves", fields->rings, fields->waves));
    return measure_add_list(measure, "coherence", fields->rings, coherence);
}

static sumi_status run_coherence(sumi_measure *measure, struct work *work,
                                 const struct measured_sets *sets)
{
    struct fields fields;
    work_begin(work, sets->samples.rows);
    sumi_status status = open_fields(measure->context, sets, &fields);
    if (status == SUMI_OK)
        status = add_set(work, sets, &fields, &sets->samples, &sets->reference, &fields.sums);
    if (status == SUMI_OK) status = add_coherence(measure, &fields);
    close_fields(&fields);
    return status;
}

const struct measure_type measure_coherence = {
    .name = "coherence",
    .meaning = "correlation of the modes of paired fields in rings of the wave number",
    .paper = "Peebles 1980, The large-scale structure of the universe",
    .best = MEASURE_MOST,
    .sets = 2,
    .paired = true,
    .items = MEASURE_PICTURES,
    .run = run_coherence,
};

/* ---- Signals ---- */

struct signal_settings {
    double rate;
    int64_t segment;
    int window;
};

static const struct option signal_options[] = {
    {NUMBER_OPTION("rate", "1", 1e-30, 1e30, "samples of the signal per second"),
     offsetof(struct signal_settings, rate)},
    {WHOLE_OPTION("segment", "256", 2, 1 << 28,
                  "length of a segment; signals that are shorter are one segment"),
     offsetof(struct signal_settings, segment)},
    {CHOICE_OPTION("window", "hann", "none|hann", "window of a segment"),
     offsetof(struct signal_settings, window)},
    {.name = NULL},
};

/* Adds the mean density over all signals of a set to total[bins]; `signal` and `density` are
   scratch. */
static sumi_status add_signals(struct work *work, const struct measured_sets *sets,
                               const struct samples *set, const struct signal_settings *settings,
                               double *signal, double *density, double *total)
{
    int64_t length = sets->shape[0], channels = sets->shape[1];
    int64_t segment = settings->segment < length ? settings->segment : length;
    for (int64_t i = 0; i < set->rows * channels; i++) {
        for (int64_t t = 0; t < length; t++) {
            int64_t at = i / channels * set->columns + t * channels + i % channels;
            signal[t] = set->narrow ? set->narrow[at] : set->wide[at];
        }
        TRY(signal_density(work->context, length, signal, settings->rate, segment, settings->window,
                           density));
        for (int64_t k = 0; k <= segment / 2; k++)
            total[k] += density[k] / (double)(set->rows * channels);
        if (i % channels == 0) TRY(work_advance(work, 1));
    }
    return SUMI_OK;
}

static sumi_status add_densities(sumi_measure *measure, int64_t bins, double step,
                                 double *frequencies, const double *ours, const double *theirs)
{
    for (int64_t k = 0; k < bins; k++) frequencies[k] = (double)k * step;
    TRY(measure_add_number(measure, "log10_difference",
                           log_difference(bins - 1, ours + 1, theirs + 1)));
    TRY(measure_add_list(measure, "frequencies", bins, frequencies));
    TRY(measure_add_list(measure, "density", bins, ours));
    return measure_add_list(measure, "reference_density", bins, theirs);
}

static sumi_status run_spectrum(sumi_measure *measure, struct work *work,
                                const struct measured_sets *sets)
{
    const struct signal_settings *settings = measure->settings;
    int64_t length = sets->shape[0];
    int64_t segment = settings->segment < length ? settings->segment : length;
    int64_t bins = segment / 2 + 1;
    if (length < 2)
        return context_fail(measure->context, SUMI_ERROR_ARGUMENT,
                            "spectrum: signals of one number have no frequencies");
    double *signal =
        context_allocate_zeroed(measure->context, (size_t)(length + 3 * bins), sizeof *signal);
    if (!signal) return SUMI_ERROR_MEMORY;
    double *density = signal + length, *ours = density + bins, *theirs = ours + bins;
    work_begin(work, sets->samples.rows + sets->reference.rows);
    sumi_status status = add_signals(work, sets, &sets->samples, settings, signal, density, ours);
    if (status == SUMI_OK)
        status = add_signals(work, sets, &sets->reference, settings, signal, density, theirs);
    if (status == SUMI_OK)
        status =
            add_densities(measure, bins, settings->rate / (double)segment, density, ours, theirs);
    context_release(measure->context, signal);
    return status;
}

const struct measure_type measure_spectrum = {
    .name = "spectrum",
    .meaning = "power density of signals by frequency, mean over a set",
    .paper = "Welch 1967, The use of fast Fourier transform for the estimation of power spectra",
    .best = MEASURE_LEAST,
    .sets = 2,
    .items = MEASURE_SIGNALS,
    .options = signal_options,
    .size = sizeof(struct signal_settings),
    .run = run_spectrum,
};

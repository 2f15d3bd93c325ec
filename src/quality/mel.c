/* SPDX-License-Identifier: Apache-2.0 */
/* Mel filters and frames, and the measure mel of signals. */
#include "quality/mel.h"

#include <math.h>

#include "quality/fourier.h"
#include "quality/measure.h"

static const double PI = 3.14159265358979323846;

/* ---- The scale ---- */

/* Slaney's: linear below 1000 Hz, then 27 steps for each factor of 6.4. */
static double to_mel(int scale, double hertz)
{
    if (scale == MEL_HTK) return 2595 * log10(1 + hertz / 700);
    return hertz < 1000 ? 3 * hertz / 200 : 15 + log(hertz / 1000) * 27 / log(6.4);
}

static double to_hertz(int scale, double mel)
{
    if (scale == MEL_HTK) return 700 * (pow(10, mel / 2595) - 1);
    return mel < 15 ? 200 * mel / 3 : 1000 * exp((mel - 15) * log(6.4) / 27);
}

static double corner(const struct mel_settings *settings, int64_t number)
{
    double last = to_mel(settings->scale, settings->rate / 2);
    return to_hertz(settings->scale, last * (double)number / (double)(settings->mels + 1));
}

void mel_filters(const struct mel_settings *settings, double *filters)
{
    int64_t bins = settings->fft / 2 + 1;
    for (int64_t m = 0; m < settings->mels; m++) {
        double left = corner(settings, m), top = corner(settings, m + 1);
        double right = corner(settings, m + 2);
        double factor = settings->norm == MEL_NORM_SLANEY ? 2 / (right - left) : 1;
        for (int64_t k = 0; k < bins; k++) {
            double hertz = settings->rate / 2 * (double)k / (double)(bins - 1);
            double rise = (hertz - left) / (top - left), fall = (right - hertz) / (right - top);
            filters[k * settings->mels + m] = factor * fmax(0, fmin(rise, fall));
        }
    }
}

/* ---- Frames ---- */

int64_t mel_frame_count(const struct mel_settings *settings, int64_t length)
{
    return length / settings->hop + 1;
}

/* Sample i of the signal continued by reflection at its first and last samples. */
static double reflected(int64_t length, const double *signal, int64_t i)
{
    if (i < 0) i = -i;
    if (i >= length) i = 2 * (length - 1) - i;
    return signal[i < 0 ? 0 : i];
}

struct framing {
    const struct mel_settings *settings;
    struct fourier *fourier;
    double *filters, *window;
    double complex *x;
};

static void write_frame(const struct framing *f, int64_t length, const double *signal,
                        int64_t frame, int64_t count, double *frames)
{
    const struct mel_settings *settings = f->settings;
    int64_t fft = settings->fft, start = frame * settings->hop - fft / 2;
    for (int64_t i = 0; i < fft; i++) f->x[i] = f->window[i] * reflected(length, signal, start + i);
    fourier_transform(f->fourier, f->x);
    for (int64_t m = 0; m < settings->mels; m++) {
        double sum = 0;
        for (int64_t k = 0; k <= fft / 2; k++)
            sum += f->filters[k * settings->mels + m] * cabs(f->x[k]);
        frames[m * count + frame] = log(fmax(settings->floor, sum));
    }
}

sumi_status mel_frames(sumi_context *context, const struct mel_settings *settings, int64_t length,
                       const double *signal, double *frames)
{
    size_t fft = (size_t)settings->fft, mels = (size_t)settings->mels;
    struct framing f = {.settings = settings};
    f.filters = context_allocate(context, fft / 2 + 1, mels * sizeof(double));
    f.window = context_allocate(context, fft, sizeof(double));
    f.x = context_allocate(context, fft, sizeof *f.x);
    sumi_status status = f.filters && f.window && f.x ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = fourier_create(context, settings->fft, &f.fourier);
    if (status == SUMI_OK) {
        int64_t count = mel_frame_count(settings, length);
        mel_filters(settings, f.filters);
        for (size_t i = 0; i < fft; i++)
            f.window[i] = 0.5 - 0.5 * cos(2 * PI * (double)i / (double)fft);
        for (int64_t i = 0; i < count; i++) write_frame(&f, length, signal, i, count, frames);
    }
    context_release(context, f.filters);
    context_release(context, f.window);
    context_release(context, f.x);
    fourier_free(f.fourier);
    return status;
}

/* ---- The measure ---- */

static const struct option options[] = {
    {NUMBER_OPTION("rate", "16000", 1, 1e9, "samples per second"),
     offsetof(struct mel_settings, rate)},
    {WHOLE_OPTION("fft", "256", 4, 1 << 20, "samples of a frame"),
     offsetof(struct mel_settings, fft)},
    {WHOLE_OPTION("hop", "64", 1, 1 << 20, "samples from one frame to the next"),
     offsetof(struct mel_settings, hop)},
    {WHOLE_OPTION("mels", "20", 2, 4096, "number of filters"), offsetof(struct mel_settings, mels)},
    {CHOICE_OPTION("scale", "slaney", "slaney|htk", "the formula of the mel scale"),
     offsetof(struct mel_settings, scale)},
    {CHOICE_OPTION("norm", "slaney", "slaney|none", "filters of area 2 / width, or of height 1"),
     offsetof(struct mel_settings, norm)},
    {NUMBER_OPTION("floor", "1e-5", 1e-30, 1, "least magnitude of which a logarithm is taken"),
     offsetof(struct mel_settings, floor)},
    {.name = NULL},
};

enum { CEPSTRA = 13 }; /* coefficients after the zeroth, which is loudness */

/* Cepstral coefficient c of a frame: DCT-II with orthonormal rows. */
static double cepstrum(int64_t mels, int64_t count, const double *frame, int c)
{
    double sum = 0;
    for (int64_t m = 0; m < mels; m++)
        sum += frame[m * count] * cos(PI * c * ((double)m + 0.5) / (double)mels);
    return sum * sqrt(2 / (double)mels);
}

/* Sums over frames of root mean square differences in dB: of log spectra, and of cepstra as
   (10 / ln 10) sqrt(2 sum of squares) (Kubichek 1993). */
static void add_frames(int64_t mels, int64_t count, const double *a, const double *b, double *log,
                       double *cepstral)
{
    const double decibel = 20 / 2.302585092994046; /* of a natural logarithm of magnitude */
    for (int64_t t = 0; t < count; t++) {
        double squares = 0, cepstra = 0;
        for (int64_t m = 0; m < mels; m++) {
            double d = decibel * (a[m * count + t] - b[m * count + t]);
            squares += d * d / (double)mels;
        }
        for (int c = 1; c <= CEPSTRA && c < mels; c++) {
            double d = cepstrum(mels, count, a + t, c) - cepstrum(mels, count, b + t, c);
            cepstra += d * d;
        }
        *log += sqrt(squares) / (double)count;
        *cepstral += decibel / 2 * sqrt(2 * cepstra) / (double)count;
    }
}

static void take_signal(const struct samples *set, int64_t length, int64_t channels, int64_t number,
                        double *signal)
{
    for (int64_t t = 0; t < length; t++) {
        int64_t at = number / channels * set->columns + t * channels + number % channels;
        signal[t] = set->narrow ? set->narrow[at] : set->wide[at];
    }
}

static sumi_status compare(sumi_measure *measure, struct work *work,
                           const struct measured_sets *sets, double *signal, double *frames)
{
    const struct mel_settings *settings = measure->settings;
    int64_t length = sets->shape[0], channels = sets->shape[1];
    int64_t count = mel_frame_count(settings, length), size = settings->mels * count;
    double log = 0, cepstral = 0, signals = (double)(sets->samples.rows * channels);
    work_begin(work, sets->samples.rows * channels);
    for (int64_t i = 0; i < sets->samples.rows * channels; i++) {
        take_signal(&sets->samples, length, channels, i, signal);
        TRY(mel_frames(work->context, settings, length, signal, frames));
        take_signal(&sets->reference, length, channels, i, signal);
        TRY(mel_frames(work->context, settings, length, signal, frames + size));
        add_frames(settings->mels, count, frames, frames + size, &log, &cepstral);
        TRY(work_advance(work, 1));
    }
    TRY(measure_add_number(measure, "log_spectral_distance", log / signals));
    return measure_add_number(measure, "mel_cepstral_distance", cepstral / signals);
}

static sumi_status run(sumi_measure *measure, struct work *work, const struct measured_sets *sets)
{
    const struct mel_settings *settings = measure->settings;
    sumi_context *context = measure->context;
    int64_t length = sets->shape[0];
    if (length <= settings->fft / 2) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "mel: signals of %lld samples are too short for frames of %lld; they "
                            "need more than half as many: set fft",
                            (long long)length, (long long)settings->fft);
    }
    size_t count = (size_t)mel_frame_count(settings, length);
    double *signal = context_allocate(context, (size_t)length, sizeof *signal);
    double *frames = context_allocate(context, count, 2 * (size_t)settings->mels * sizeof *frames);
    sumi_status status = signal && frames ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = compare(measure, work, sets, signal, frames);
    context_release(context, signal);
    context_release(context, frames);
    return status;
}

const struct measure_type measure_mel = {
    .name = "mel",
    .meaning = "log-spectral and mel-cepstral distance of paired signals, in dB",
    .paper = "Kubichek 1993, Mel-cepstral distance measure for objective speech quality assessment",
    .best = MEASURE_LEAST,
    .sets = 2,
    .paired = true,
    .items = MEASURE_SIGNALS,
    .options = options,
    .size = sizeof(struct mel_settings),
    .run = run,
};

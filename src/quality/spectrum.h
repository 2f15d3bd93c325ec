/* SPDX-License-Identifier: Apache-2.0 */
/* Power spectra: of fields in rings of the wave number, and of signals by frequency. */
#ifndef SUMI_QUALITY_SPECTRUM_H
#define SUMI_QUALITY_SPECTRUM_H

#include "base/context.h"

/* Sums over a ring's modes, for averages over modes and fields: of the two powers, and of the real
   part of the cross power. */
struct ring_sums {
    double *first, *second, *cross; /* [rings] */
};

/* A plan for fields [height, width], whose modes are summed in rings: ring i (from 1) has those
   with floor(|k| + 1/2) = i, k in whole waves over the field's sides; there are min(height, width)
   / 2. */
struct spectrum;
sumi_status spectrum_create(sumi_context *context, int64_t height, int64_t width,
                            struct spectrum **spectrum);
void spectrum_free(struct spectrum *spectrum); /* accepts NULL */
int64_t spectrum_rings(const struct spectrum *spectrum);

/* Writes modes[rings] and the mean |k| of each ring. */
void spectrum_modes(const struct spectrum *spectrum, double *modes, double *waves);

/* Adds |FFT of the field minus its mean|^2 / (height width)^2 of a field, and with `second` (or
   NULL) of another and their cross power, to sums of each ring's modes. */
void spectrum_add(struct spectrum *spectrum, const double *first, const double *second,
                  const struct ring_sums *sums);

/* Power density of a real signal by frequency, one-sided, by segments of `segment` numbers that
   overlap by half (Welch 1967), each without its mean: density[segment / 2 + 1]. `hann` is the
   periodic Hann window, else none; one segment of the whole signal without a window is the
   periodogram. The signal is at least as long as a segment. */
sumi_status signal_density(sumi_context *context, int64_t length, const double *signal, double rate,
                           int64_t segment, bool hann, double *density);

#endif

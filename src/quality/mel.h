/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a signal on the mel scale: magnitudes of short-time Fourier transforms, summed by
   triangular filters. */
#ifndef SUMI_QUALITY_MEL_H
#define SUMI_QUALITY_MEL_H

#include "base/context.h"

enum mel_scale { MEL_SLANEY, MEL_HTK };
enum mel_norm { MEL_NORM_SLANEY, MEL_NORM_NONE }; /* slaney: filters of area 2 / width */

struct mel_settings {
    double rate, floor; /* samples per second; least sum of which a logarithm is taken */
    int64_t fft, hop, mels;
    int scale, norm;
};

/* Writes filters[fft/2+1, mels]: triangles between neighbours of mels + 2 frequencies, which are
   evenly spaced in mel from 0 to rate/2. */
void mel_filters(const struct mel_settings *settings, double *filters);

/* Number of frames of a signal: one in the middle of each hop, with the ends reflected. */
int64_t mel_frame_count(const struct mel_settings *settings, int64_t length);

/* Writes ln max(floor, filters^T |STFT|) to frames[mels, count], with the periodic Hann window.
   The signal has more than fft / 2 numbers. */
sumi_status mel_frames(sumi_context *context, const struct mel_settings *settings, int64_t length,
                       const double *signal, double *frames);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The family of Morlet wavelets, wave(x) = amplitude cos(frequency u + phase) exp(-u^2/2) with
   u = (x - centre)/scale on a grid of x from -1 to 1, and the fit of a wave to it. */
#ifndef SUMI_DATA_MORLET_H
#define SUMI_DATA_MORLET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct morlet_parameters {
    double centre, scale; /* in units of x */
    double frequency;     /* w0: radians per scale */
    double amplitude, phase;
} morlet_parameters;

/* The ranges of the parameters of generated waves: uniform, the scale log-uniform, the phase over
   the whole circle. Amplitudes of at most 1 keep every wave in [-1, 1]. */
extern const morlet_parameters morlet_lowest, morlet_highest;

/* The parameters of wave `number` for a seed. */
morlet_parameters morlet_draw(uint64_t seed, int64_t number);

/* Writes wave[length] with the given parameters. */
void morlet_wave(const morlet_parameters *parameters, int64_t length, float *wave);

/* The member of the family nearest to wave[length] in least squares, and the relative residual
   |wave - fit| / |wave| (1 for a wave of zeros). `parameters` may be NULL. */
double morlet_fit(const float *wave, int64_t length, morlet_parameters *parameters);

#endif

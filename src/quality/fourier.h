/* SPDX-License-Identifier: Apache-2.0 */
/* The discrete Fourier transform of any length in double: by powers of two, and for other lengths
   as a convolution of such a length (Bluestein 1970). It is our own code because libraries do not
   fit: FFTW's licence is the GPL and its planner is shared by all threads, and Debian has KissFFT
   for float32 alone, in which power spectra of a wide range lose their small values. */
#ifndef SUMI_QUALITY_FOURIER_H
#define SUMI_QUALITY_FOURIER_H

#include <complex.h>

#include "base/context.h"

struct fourier;

/* Prepares transforms of `length` numbers. A plan has scratch memory: one thread at a time. */
sumi_status fourier_create(sumi_context *context, int64_t length, struct fourier **fourier);
void fourier_free(struct fourier *fourier); /* accepts NULL */

/* x_k = sum of x_j exp(-2 pi i j k / length), in place. */
void fourier_transform(struct fourier *fourier, double complex *x);

#endif

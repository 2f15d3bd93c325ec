/* SPDX-License-Identifier: Apache-2.0 */
/* The linear power spectrum of matter in a flat universe with a cosmological constant, by the fits
   of Eisenstein & Hu 1998: the truth against which fields of it are compared. */
#ifndef SUMI_QUALITY_MATTER_H
#define SUMI_QUALITY_MATTER_H

#include "base/context.h"

/* The transfer function at k in h/Mpc; `wiggles` has the acoustic oscillations (eqs. 2 to 24), else
   their mean (eqs. 26 to 31). */
double matter_transfer(const sumi_cosmology *cosmology, bool wiggles, double k);

/* The growth of fluctuations up to a redshift, 1 at redshift 0. */
double matter_growth(const sumi_cosmology *cosmology, double redshift);

/* The root mean square of fluctuations in spheres of a radius in Mpc/h for an amplitude of 1:
   P = k^ns T(k)^2. */
double matter_deviation(const sumi_cosmology *cosmology, bool wiggles, double radius);

#endif

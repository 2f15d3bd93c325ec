/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of classifier-free guidance for the output of one item, and its derivative. From the
   prediction c under the condition and n under the null condition

       g = n + w (c - n),    z = (phi std(c) / std(g) + 1 - phi) g

   (Ho and Salimans 2022; the rescale by Lin et al. 2023, section 3.4), with deviations over the
   item's prediction, divisor N - 1. */
#ifndef SUMI_GUIDES_COMBINE_H
#define SUMI_GUIDES_COMBINE_H

#include "guides/guide.h"

/* w, phi, and where the prediction lies in an output: of the `width` numbers at each position the
   first `channels` are the prediction, and the first `guided` of these become g; all others stay c.
 */
struct combination {
    double scale, rescale;
    int64_t positions, width, channels, guided;
};

/* The layout of the outputs of a call, all channels guided with scale 1. */
struct combination combination_of(const struct denoising *inner, const struct guide_call *call,
                                  double rescale);

/* output holds g, and z = (phi std(c) / std(g) + 1 - phi) g afterwards. */
void combine_rescale(const struct combination *rule, const float *condition, float *output);

/* v^T dz = guided_vector^T dg + condition_vector^T dc, with v in guided_vector before. */
void combine_pull_rescale(const struct combination *rule, const float *condition,
                          const float *guided, float *guided_vector, float *condition_vector);

/* output[positions, width] holds c, and z afterwards. */
void combine(const struct combination *rule, const float *null, float *output);

/* v^T dz = condition_vector^T dc + null_vector^T dn, with v in condition_vector before. All arrays
   are [positions, width]; `scratch` is written. */
void combine_pull(const struct combination *rule, const float *condition, const float *null,
                  float *condition_vector, float *null_vector, float *scratch);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* "Denoising diffusion null-space models", Wang, Yu and Zhang 2023: each estimate becomes
   A^+ y + (I - A^+ A) x0hat. With noise in y, a component of singular value s is replaced only by
   the share min(1, (sigma_t / noise) s), so that near the end, where the noise of y is above that
   of the state, the estimate of the network remains (their section 3.3; a solver that adds no noise
   needs no other change). */
#include <math.h>

#include "inverse/inverse.h"

static sumi_status correct(void *user, int64_t count, int64_t item_size, double signal,
                           double noise, float *clean)
{
    struct inverse *inverse = user;
    double sigma = signal > 0 ? noise / signal : INFINITY, error = inverse->options->noise;
    double share = error > 0 ? sigma / error : INFINITY;
    for (int64_t row = 0; row < count; row++) {
        float *item = clean + row * item_size;
        TRY(inverse_residual(inverse, row, item));
        TRY(operator_inverse(inverse->operator, row % inverse->items, share, inverse->residual,
                             inverse->change));
        for (int64_t i = 0; i < item_size; i++) item[i] += inverse->change[i];
    }
    return SUMI_OK;
}

const struct method_type method_ddnm = {
    .name = "ddnm",
    .paper = "Wang, Yu, Zhang 2023, Denoising diffusion null-space models",
    .evaluations = 1,
    .needs_inverse = true,
    .correct = correct,
};

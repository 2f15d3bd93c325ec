/* SPDX-License-Identifier: Apache-2.0 */
/* "Diffusion posterior sampling", Chung et al. 2023, algorithm 1: after each step

       x -= zeta / |y - A D(x)|  grad |y - A D(x)|^2

   with the gradient by the state before the step. It is meant for states sqrt(abar) x0 + ..., so
   both states are measured in units of (a^2 + s^2)^1/2. */
#include <math.h>

#include "inverse/inverse.h"
#include "vectors/rows.h"

/* change = A^T (y - A D), with the norms of the residuals in distance. */
static sumi_status take_residuals(struct inverse *inverse, const struct guide_call *call)
{
    for (int64_t row = 0; row < call->count; row++) {
        double square = 0;
        TRY(inverse_residual(inverse, row, inverse->clean + row * call->item_size));
        for (int64_t i = 0; i < inverse->operator->measured_size; i++)
            square += (double)inverse->residual[i] * inverse->residual[i];
        inverse->distance[row] = sqrt(square);
        TRY(operator_adjoint(inverse->operator, row % inverse->items, inverse->residual,
                             inverse->change + row * call->item_size));
    }
    return SUMI_OK;
}

/* Predicts as the denoiser does, and keeps the move of the state. */
static sumi_status predict(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output)
{
    struct inverse *inverse = user;
    TRY(guide_call_predict(inner, call, output));
    inverse_estimate(inverse, call, output);
    TRY(take_residuals(inverse, call));
    TRY(inverse_pull(inverse, inner, call));
    for (int64_t row = 0; row < call->count; row++) {
        struct noise_level level = path_level(inverse->path, call->times[row]);
        double norm = inverse->distance[row], unit = hypot(level.signal, level.noise);
        double factor = norm > 0 ? 2 * inverse->options->zeta * unit / norm : 0;
        float *change = inverse->change + row * call->item_size;
        for (int64_t i = 0; i < call->item_size; i++) change[i] = (float)(factor * change[i]);
    }
    return SUMI_OK;
}

static sumi_status shift(void *user, const struct solver_run *run, const struct level *level)
{
    const struct inverse *inverse = user;
    rows_combine(
        run->threads, run->total, run->x, 2,
        (struct row_term[]){{1, run->x}, {hypot(level->signal, level->noise), inverse->change}});
    return SUMI_OK;
}

const struct method_type method_dps = {
    .name = "dps",
    .paper = "Chung et al. 2023, Diffusion posterior sampling",
    .evaluations = 3,
    .needs_product = true,
    .predict = predict,
    .shift = shift,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* "Pseudoinverse-guided diffusion models", Song, Vahdat, Mardani and Kautz 2023: the data of a
   state are taken as normal around the estimate D with variance r^2, so that

       score += (dD/dx)^T A^T (r^2 A A^T + noise^2 I)^-1 (y - A D)

   which is exact for Gaussian data of variance v I, with r^2 = v s^2 / (a^2 v + s^2). There the
   change of the estimate, (s^2 / a) (dD/dx)^T u with u = A^T (...)^-1 (y - A D), is r^2 u. Data
   that vary by v at most in any direction change it by less, but a trained network's derivative may
   be wrong by much more at high noise, where it is multiplied by s^2 / a; so a change longer than
   r^2 u is made as long as that. */
#include <math.h>

#include "inverse/inverse.h"
#include "vectors/rows.h"

/* Above this noise level s / a the derivative of D, which is near zero, is lost in rounding; it is
   replaced by a r^2 / s^2, that of data of variance v I. */
static const double RATIO_MOST = 100;

/* change = A^T (r^2 A A^T + noise^2 I)^-1 (y - A D), and the distance. */
static sumi_status weigh_residuals(struct inverse *inverse, const struct guide_call *call)
{
    double noise = inverse->options->noise * inverse->options->noise;
    for (int64_t row = 0; row < call->count; row++) {
        struct noise_level level = path_level(inverse->path, call->times[row]);
        int64_t item = inverse->item >= 0 ? inverse->item : row % inverse->items;
        double spread = inverse_spread(inverse, &level);
        TRY(inverse_residual(inverse, row, inverse->clean + row * call->item_size));
        TRY(operator_solve(inverse->operator, item, spread, noise, inverse->residual,
                           inverse->change + row * call->item_size));
        if (noise > 0)
            TRY(operator_distance(inverse->operator, item, spread, noise, inverse->residual,
                                  &inverse->distance[row]));
    }
    return SUMI_OK;
}

static double length_of(int64_t count, const float *row)
{
    double squares = 0;
    for (int64_t i = 0; i < count; i++) squares += (double)row[i] * row[i];
    return sqrt(squares);
}

/* Changes of the estimates from their derivatives, none longer than longest[count]. */
static void scale_changes(struct inverse *inverse, const struct guide_call *call, double factor,
                          const double *longest)
{
    for (int64_t row = 0; row < call->count; row++) {
        float *change = inverse->change + row * call->item_size;
        double length = factor * length_of(call->item_size, change);
        double kept = length > longest[row] ? factor * longest[row] / length : factor;
        for (int64_t i = 0; i < call->item_size; i++) change[i] = (float)(kept * change[i]);
    }
}

sumi_status inverse_steer(struct inverse *inverse, const struct denoising *inner,
                          const struct guide_call *call, const float *output)
{
    /* all rows of a call of a solver have one time */
    const struct noise_level level = path_level(inverse->path, call->times[0]);
    bool far = level.noise > RATIO_MOST * level.signal;
    double spread = inverse_spread(inverse, &level);
    inverse_estimate(inverse, call, output);
    TRY(weigh_residuals(inverse, call));
    for (int64_t row = 0; row < call->count; row++)
        inverse->longest[row] =
            spread * length_of(call->item_size, inverse->change + row * call->item_size);
    if (!far) TRY(inverse_pull(inverse, inner, call));
    scale_changes(inverse, call, far ? spread : level.noise * level.noise / level.signal,
                  inverse->longest);
    return SUMI_OK;
}

static sumi_status predict(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output)
{
    struct inverse *inverse = user;
    TRY(guide_call_predict(inner, call, output));
    TRY(inverse_steer(inverse, inner, call, output));
    rows_combine(inverse->context->threads, call->count * call->item_size, inverse->clean, 2,
                 (struct row_term[]){{1, inverse->clean}, {1, inverse->change}});
    inverse_write(inverse, call, output);
    return SUMI_OK;
}

const struct method_type method_pigdm = {
    .name = "pigdm",
    .paper = "Song et al. 2023, Pseudoinverse-guided diffusion models",
    .evaluations = 3,
    .needs_product = true,
    .predict = predict,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* "Deep unsupervised learning using nonequilibrium thermodynamics", Sohl-Dickstein et al. 2015,
   section 2.5: the density of each step times r(x0) = N(y; A x0, noise^2 I). With the estimate
   normal of variance (s/a)^2, the mean of the product is

       x0hat + A^T (A A^T + (noise a / s)^2 I)^-1 (y - A x0hat) */
#include <math.h>

#include "inverse/inverse.h"

static sumi_status correct(void *user, int64_t count, int64_t item_size, double signal,
                           double noise, float *clean)
{
    struct inverse *inverse = user;
    double error = inverse->options->noise;
    double relative = error == 0 || signal == 0 ? 0 : error * signal / noise;
    for (int64_t row = 0; row < count && isfinite(relative); row++) {
        float *item = clean + row * item_size;
        TRY(inverse_residual(inverse, row, item));
        TRY(operator_solve(inverse->operator, row % inverse->items, 1, relative * relative,
                           inverse->residual, inverse->change));
        for (int64_t i = 0; i < item_size; i++) item[i] += inverse->change[i];
    }
    return SUMI_OK;
}

const struct method_type method_product = {
    .name = "product",
    .paper = "Sohl-Dickstein et al. 2015, section 2.5, Multiplying distributions",
    .evaluations = 1,
    .correct = correct,
};

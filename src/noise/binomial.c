/* SPDX-License-Identifier: Apache-2.0 */
/* The closed forms of binomial diffusion; see binomial.h. */
#include "noise/binomial.h"

#include <math.h>

double binomial_flipped(double product)
{
    return (1 - product) / 2;
}

struct binomial_back binomial_back(double product, double previous)
{
    double alpha = previous > 0 ? product / previous : 0;
    double step = binomial_flipped(alpha), before = binomial_flipped(previous);
    double now = step * (1 - before) + (1 - step) * before; /* equals binomial_flipped(product),
                                                               with the same rounding as its two
                                                               terms */
    struct binomial_back back = {step * before / (1 - now), 1};
    if (now > 0) back.flipped = step * (1 - before) / now;
    return back;
}

double binomial_flip(const struct binomial_back *back, double log_odds)
{
    double share = 1 / (1 + exp(-log_odds));
    return back->kept + (back->flipped - back->kept) * share;
}

/* q log(q / p), which is 0 at q = 0. */
static double part(double q, double p)
{
    return q > 0 ? q * log(q / p) : 0;
}

double binomial_entropy(double probability)
{
    return -part(probability, 1) - part(1 - probability, 1);
}

double binomial_divergence(double q, double p)
{
    return part(q, p) + part(1 - q, 1 - p);
}

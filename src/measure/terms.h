/* SPDX-License-Identifier: Apache-2.0 */
/* The terms of the variational bound in closed form, for a Gaussian chain of T steps (Ho et al.
   2020, eq. 5; the same sum as K of Sohl-Dickstein et al. 2015, eq. 14, negated)

       -log p(x0) <= L_T + sum_{t > 1} L_{t-1} + L_0
       L_T     = KL(q(x_T | x0) || p(x_T))
       L_{t-1} = KL(q(x_{t-1} | x_t, x0) || p(x_{t-1} | x_t))
       L_0     = -log p(x0 | x_1), by one of the decoders

   and for a binomial chain. Everything is in nats, and a sum over the numbers of one item. Times
   count from 0, so that time t here is t + 1 in the papers, and L_t here is the papers' L_t. */
#ifndef SUMI_MEASURE_TERMS_H
#define SUMI_MEASURE_TERMS_H

#include "noise/binomial.h"
#include "noise/path.h"

/* A schedule in double. 1 - abar is computed as a sum of positive numbers, and so stays exact where
   beta is too small to compute it from the float32 product. */
struct chain {
    int64_t count;
    double *betas, *variances; /* [count]; variances are 1 - abar */
    double *times, *scales;    /* [count]: the network's time, and the factor of the state in the
                                  path's own state */
};

sumi_status chain_create(sumi_context *context, const struct schedule *schedule,
                         struct chain *chain);
/* The chain of `count` steps on a path in continuous time, whose states are divided by
   sqrt(a^2 + s^2): at equal steps of the path's own time, or of the logarithm of sigma where the
   path is one of sigmas (Kingma et al. 2021, section 3). */
sumi_status chain_of_path(sumi_context *context, const struct noise_path *path, int64_t count,
                          struct chain *chain);
void chain_release(sumi_context *context, struct chain *chain); /* accepts zeros */

/* 1 - abar at a time, 0 at -1. */
double chain_variance(const struct chain *chain, int64_t time);

/* q(x_{time-1} | x_time, x0): Ho et al. 2020, eqs. 6 and 7. */
struct posterior chain_posterior(const struct chain *chain, int64_t time);

/* The same for a binomial chain. */
struct binomial_back chain_back(const struct chain *chain, int64_t time);

/* The form of p(x_0 | x_1). */
enum decoder {
    DECODER_AUTO,
    DECODER_DISCRETISED, /* Ho et al. 2020, eq. 13: data are 256 levels from -1 to 1 */
    DECODER_GAUSSIAN,    /* a density */
    DECODER_FORWARD,     /* q(x_1 | x_0) pi(x_0) / pi(x_1): Sohl-Dickstein et al. 2015, eq. 35 */
    DECODER_COIN         /* bits that the network predicts */
};

/* ---- Gaussian ---- */

/* KL(N(sqrt(1 - variance) clean, variance) || N(0, 1)) over clean[count]. */
double gaussian_prior_term(int64_t count, const float *clean, double variance);

/* KL(N(mean, variance) || N(mean + difference, other variance)) of one number. */
double gaussian_divergence(double difference, double variance, double other_variance);

/* -log of the probability under N(mean, deviation^2) of the interval within 1/255 of the level x;
   the intervals of -1 and 1 are open outwards. */
double gaussian_level_term(double x, double mean, double deviation);

/* -log N(x; mean, deviation^2). */
double gaussian_density_term(double x, double mean, double deviation);

/* L_0 of the forward decoder, the mean over x_1: H_q(x_1 | x_0) plus the mean change of log pi. */
double gaussian_forward_term(int64_t count, const float *clean, double variance);

/* ---- Binomial ---- */

/* The prior term KL(q(x_T | x_0) || fair bits), and L_0 of the forward decoder, of `count` bits. */
double binomial_prior_term(int64_t count, double variance);
double binomial_forward_term(int64_t count, double variance);

#endif

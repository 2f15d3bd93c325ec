/* SPDX-License-Identifier: Apache-2.0 */
/* Binomial diffusion (Sohl-Dickstein et al. 2015): data are bits, and each step brings a bit to a
   fair coin's with probability beta_t. Bits are -1 and 1 here, so that the inputs of networks are
   centred on 0.

       q(x_t | x_{t-1}):  a bit flips with probability beta_t / 2               (their table C.1)
       q(x_t | x_0):      x_t differs from x_0 with probability (1 - abar_t) / 2

   abar_t = prod (1 - beta) is the same running product as that of a Gaussian schedule; the paper's
   beta_t = 1/(T - t + 1) is the schedule "binomial", for which abar_t = 1 - t/T. */
#ifndef SUMI_NOISE_BINOMIAL_H
#define SUMI_NOISE_BINOMIAL_H

#include <stdbool.h>

/* The probability that a bit of x_t differs from that of x_0, at running product abar_t. */
double binomial_flipped(double product);

/* q(x_{t-1} != x_t | x_t, x_0) by Bayes' rule, for x_t equal to x_0 and for x_t different from it.
   `previous` is abar_{t-1}, which is 1 for t = 1. */
struct binomial_back {
    double kept, flipped;
};
struct binomial_back binomial_back(double product, double previous);

/* The network's output for a bit is z, the log-odds that the bit differs from the data's. The
   probability that the reverse step flips it, f_b of the paper, lies between the two of
   binomial_back. */
double binomial_flip(const struct binomial_back *back, double log_odds);

/* In nats: the entropy of a coin, and the divergence of a coin p from a coin q, KL(q || p). */
double binomial_entropy(double probability);
double binomial_divergence(double q, double p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Noise schedules: the signal and noise coefficients at each time of the diffusion. A schedule is a
   table of T betas and their running product abar_t = prod (1 - beta); noised data are x_t = a(t)
   x0 + s(t) e with a = sqrt(abar_t), s = sqrt(1 - abar_t). Times count from 0 as in diffusers: time
   t here is t + 1 in Ho et al. 2020. */
#ifndef SUMI_NOISE_SCHEDULE_H
#define SUMI_NOISE_SCHEDULE_H

#include "base/context.h"
#include "noise/prediction.h"

/* What a schedule is built from, with diffusers' names and defaults. */
struct schedule_options {
    int64_t num_train_timesteps;
    double beta_start, beta_end;
    const char *beta_schedule;   /* one of schedule_name() */
    const double *trained_betas; /* or NULL; their number replaces the number of times */
    int64_t trained_count;
    bool rescale_betas_zero_snr;
    double snr_shift_scale; /* the SNR is divided by it; 0 or 1 for none */
};

struct schedule {
    int64_t count;         /* T */
    float *betas;          /* [T], in (0,1] */
    float *alphas_cumprod; /* [T], accumulated in double and rounded to float32 entry by entry */
};

/* Names of the beta schedules by number from 0; NULL past the last. */
const char *schedule_name(int number);

/* Builds the tables. On failure nothing is left to release. */
sumi_status schedule_create(sumi_context *context, const struct schedule_options *options,
                            struct schedule *schedule);
void schedule_release(sumi_context *context, struct schedule *schedule); /* accepts zeros */

/* a(t) and s(t) for a time 0 <= t < T, and their slopes by (t + 1) / T, which are T times the
   differences from the previous time. */
double schedule_signal(const struct schedule *schedule, int64_t time);
double schedule_noise(const struct schedule *schedule, int64_t time);
struct noise_level schedule_level(const struct schedule *schedule, int64_t time);

/* The variance of the reverse step, sigma_t^2, by diffusers' names. */
enum variance_type {
    VARIANCE_FIXED_SMALL,
    VARIANCE_FIXED_SMALL_LOG,
    VARIANCE_FIXED_LARGE,
    VARIANCE_FIXED_LARGE_LOG,
    VARIANCE_LEARNED,
    VARIANCE_LEARNED_RANGE
};

/* q(x_previous | x_t, x0) (Ho et al. 2020, eqs. 6 and 7): the mean is clean x0 + state x_t. Holds
   for any earlier time, not only the one before, with beta = 1 - abar_t / abar_previous. That
   quotient is rounded to float32, as in diffusers: where beta is small this changes results (by
   5e-5 of the state in a last step), and published numbers include it. */
struct posterior {
    double clean, state;
    double variance; /* btilde */
    double beta;     /* for the step from the earlier time to t */
};
struct posterior posterior_between(float alphas_cumprod, float previous_alphas_cumprod);

/* The same from `time` to an earlier one, -INFINITY for clean data, as unCLIP has it: between
   neighbouring times beta is read from the table. With the cosine schedule's first beta of 4e-5 the
   float32 rounding of the two differs noticeably. */
struct posterior schedule_posterior(const struct schedule *schedule, int64_t time, double previous);

/* The standard deviation of a step where the network does not predict it. sigma^2 is btilde (Ho et
   al. eq. 7) or beta (section 3.2); the "_log" names differ only in how a program stores them. */
double posterior_deviation(enum variance_type type, const struct posterior *posterior);

/* The weight of the squared error in the term L_{t-1} of the variational bound (Ho et al. 2020, eq.
   8), for the network's type of prediction; for epsilon it is eq. 12's
   beta^2 / (2 sigma^2 alpha (1 - abar)). At t = 0, where btilde is zero, sigma^2 is beta for every
   variance type: the Gaussian decoder. A learned variance has the weight of the fixed small one. */
double schedule_bound_weight(const struct schedule *schedule, int64_t time,
                             enum prediction_type prediction, enum variance_type variance);

/* log btilde and log beta, the bounds of a learned variance, exp(v log beta + (1 - v) log btilde)
   (Nichol & Dhariwal 2021, eq. 15). At time 0, where btilde is zero, its value at time 1. */
struct variance_range {
    double log_least, log_most;
};
struct variance_range schedule_variance_range(const struct schedule *schedule, int64_t time);

/* The same of a posterior; 1e-20 stands for variances of zero. */
struct variance_range posterior_range(const struct posterior *posterior);

/* The standard deviation where the network gives v in [-1, 1] for a place in the range. */
double range_deviation(const struct variance_range *range, double v);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The closed forms behind the bound; see terms.h. */
#include "measure/terms.h"

#include <math.h>

static const double log_two_pi = 1.83787706640934548356;
static const double root_half = 0.70710678118654752440;

/* ---- The chain ---- */

static sumi_status chain_reserve(sumi_context *context, int64_t count, struct chain *chain)
{
    *chain = (struct chain){.count = count};
    chain->betas = context_allocate(context, 4 * (size_t)count, sizeof *chain->betas);
    if (!chain->betas) return SUMI_ERROR_MEMORY;
    chain->variances = chain->betas + count;
    chain->times = chain->variances + count;
    chain->scales = chain->times + count;
    return SUMI_OK;
}

sumi_status chain_create(sumi_context *context, const struct schedule *schedule,
                         struct chain *chain)
{
    int64_t count = schedule->count;
    TRY(chain_reserve(context, count, chain));
    double variance = 0;
    for (int64_t t = 0; t < count; t++) {
        chain->times[t] = (double)t;
        chain->scales[t] = 1;
        double beta = schedule->betas[t];
        variance = beta + (1 - beta) * variance;
        chain->betas[t] = beta;
        chain->variances[t] = variance;
    }
    return SUMI_OK;
}

/* The time of step number `step` of the path; a flow stops short of its ends. */
static double time_at(const struct noise_path *path, int64_t count, int64_t step)
{
    bool sigmas = path->kind == PATH_VE || path->kind == PATH_EDM;
    double share = (double)step / (double)(count - 1), first, last;
    if (sigmas) {
        first = log(path_least(path));
        last = log(path_most(path));
        return path_time(path, exp(first + share * (last - first)));
    }
    first = path_own_time(path, path_first(path));
    last = path_own_time(path, path_last(path));
    if (path->kind == PATH_FLOW || path->kind == PATH_COSINE) {
        double margin = 1 / (double)path->count;
        first = fmax(first, margin);
        last = fmin(last, 1 - margin);
    }
    return path_time_of(path, first + share * (last - first));
}

sumi_status chain_of_path(sumi_context *context, const struct noise_path *path, int64_t count,
                          struct chain *chain)
{
    double before = 0;
    TRY(chain_reserve(context, count, chain));
    for (int64_t t = 0; t < count; t++) {
        struct noise_level level = path_level(path, chain->times[t] = time_at(path, count, t));
        double square = level.signal * level.signal + level.noise * level.noise;
        double variance = level.noise * level.noise / square;
        chain->betas[t] = (variance - before) / (1 - before);
        chain->scales[t] = sqrt(square);
        chain->variances[t] = before = variance;
    }
    return SUMI_OK;
}

void chain_release(sumi_context *context, struct chain *chain)
{
    context_release(context, chain->betas);
    *chain = (struct chain){.count = 0};
}

double chain_variance(const struct chain *chain, int64_t time)
{
    return time < 0 ? 0 : chain->variances[time];
}

struct posterior chain_posterior(const struct chain *chain, int64_t time)
{
    double beta = chain->betas[time], now = chain_variance(chain, time);
    double before = chain_variance(chain, time - 1);
    return (struct posterior){.clean = sqrt(1 - before) * beta / now,
                              .state = sqrt(1 - beta) * before / now,
                              .variance = before / now * beta,
                              .beta = beta};
}

struct binomial_back chain_back(const struct chain *chain, int64_t time)
{
    return binomial_back(1 - chain_variance(chain, time), 1 - chain_variance(chain, time - 1));
}

/* ---- Gaussian ---- */

double gaussian_prior_term(int64_t count, const float *clean, double variance)
{
    double squares = 0;
    for (int64_t i = 0; i < count; i++) squares += (double)clean[i] * clean[i];
    double each = variance - 1 - log(variance);
    return 0.5 * ((double)count * each + (1 - variance) * squares);
}

double gaussian_divergence(double difference, double variance, double other_variance)
{
    double ratio = variance / other_variance;
    return 0.5 * (ratio - 1 - log(ratio) + difference * difference / other_variance);
}

double gaussian_density_term(double x, double mean, double deviation)
{
    double distance = (x - mean) / deviation;
    return 0.5 * (log_two_pi + distance * distance) + log(deviation);
}

/* The probability that a standard normal number is above z. */
static double above(double z)
{
    return 0.5 * erfc(z * root_half);
}

double gaussian_level_term(double x, double mean, double deviation)
{
    const double half = 1.0 / 255, edge = 0.999; /* edge: between the last two levels */
    double low = x < -edge ? -INFINITY : (x - half - mean) / deviation;
    double high = x > edge ? INFINITY : (x + half - mean) / deviation;
    if (low + high < 0) { /* mirrors the left tail, to avoid cancellation */
        double turned = -high;
        high = -low;
        low = turned;
    }
    double share = above(low) - above(high);
    if (share > 1e-300) return -log(share);
    /* asymptotically the tail is the density over the distance */
    return 0.5 * (log_two_pi + low * low) + log(low);
}

double gaussian_forward_term(int64_t count, const float *clean, double variance)
{
    double squares = 0;
    for (int64_t i = 0; i < count; i++) squares += (double)clean[i] * clean[i];
    double entropy = 0.5 * (double)count * (log_two_pi + 1 + log(variance));
    double change = 0.5 * variance * (squares - (double)count); /* E log pi(x_1) / pi(x_0) */
    return entropy + change;
}

/* ---- Binomial ---- */

double binomial_prior_term(int64_t count, double variance)
{
    return (double)count * binomial_divergence(binomial_flipped(1 - variance), 0.5);
}

double binomial_forward_term(int64_t count, double variance)
{
    return (double)count * binomial_entropy(binomial_flipped(1 - variance));
}

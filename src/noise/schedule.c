/* SPDX-License-Identifier: Apache-2.0 */
/* Building the tables of a noise schedule; see schedule.h. */
#include "noise/schedule.h"

#include <math.h>
#include <string.h>

enum { MOST_TIMES = 1000000 };

static const double pi = 3.14159265358979323846;

/* Entry `index` of `count` evenly spaced float32 numbers, computed from the nearer end so that both
   ends are exact. */
static float linspace(float start, float end, int64_t count, int64_t index)
{
    if (count == 1) return start;
    float step = (end - start) / (float)(count - 1);
    return index < count / 2 ? start + step * (float)index
                             : end - step * (float)(count - 1 - index);
}

/* Ho et al. 2020, section 4: beta_t from 1e-4 to 0.02 on a straight line. */
static double linear_beta(const struct schedule_options *options, int64_t time)
{
    return linspace((float)options->beta_start, (float)options->beta_end,
                    options->num_train_timesteps, time);
}

/* The square root of beta on a straight line: Rombach et al. 2022, and the "quadratic" schedule of
   Song et al. 2020 (DDIM), appendix D.2. */
static double quadratic_beta(const struct schedule_options *options, int64_t time)
{
    float root = linspace((float)sqrt(options->beta_start), (float)sqrt(options->beta_end),
                          options->num_train_timesteps, time);
    return root * root;
}

/* The beta of a time for a given function abar(t), t in [0,1], at most 0.999. */
static double beta_of_product(double (*product)(double), const struct schedule_options *options,
                              int64_t time)
{
    double count = (double)options->num_train_timesteps;
    double beta = 1 - product((double)(time + 1) / count) / product((double)time / count);
    return beta < 0.999 ? beta : 0.999;
}

static double cosine_product(double t)
{
    double root = cos((t + 0.008) / 1.008 * pi / 2);
    return root * root;
}

/* Nichol & Dhariwal 2021, eq. 17. */
static double cosine_beta(const struct schedule_options *options, int64_t time)
{
    return beta_of_product(cosine_product, options, time);
}

/* Hang et al. 2024 ("Improved noise schedule for diffusion training"), table 1, as diffusers
   writes it: abar is the square root of the usual signal share. */
static double laplace_product(double t)
{
    double log_snr = -0.5 * copysign(1, 0.5 - t) * log(1 - 2 * fabs(0.5 - t) + 1e-6);
    double snr = exp(log_snr);
    return sqrt(snr / (1 + snr));
}

static double laplace_beta(const struct schedule_options *options, int64_t time)
{
    return beta_of_product(laplace_product, options, time);
}

/* A logistic curve from beta_start to beta_end (GeoDiff, Xu et al. 2022). */
static double sigmoid_beta(const struct schedule_options *options, int64_t time)
{
    float place = linspace(-6, 6, options->num_train_timesteps, time);
    return options->beta_start
           + (options->beta_end - options->beta_start) / (1 + exp(-(double)place));
}

/* A geometric sequence from beta_start to beta_end: the initial values of learned betas with few
   steps. */
static double geometric_beta(const struct schedule_options *options, int64_t time)
{
    double last = (double)(options->num_train_timesteps - 1);
    double share = last > 0 ? (double)time / last : 0;
    return options->beta_start * pow(options->beta_end / options->beta_start, share);
}

/* Sohl-Dickstein et al. 2015, section 2.4.1: every step erases an equal fraction of the signal. */
static double binomial_beta(const struct schedule_options *options, int64_t time)
{
    return 1 / (double)(options->num_train_timesteps - time);
}

static const struct {
    const char *name;
    double (*beta)(const struct schedule_options *options, int64_t time);
} beta_schedules[] = {
    {"linear", linear_beta},       {"scaled_linear", quadratic_beta},
    {"quadratic", quadratic_beta}, {"squaredcos_cap_v2", cosine_beta},
    {"cosine", cosine_beta},       {"sigmoid", sigmoid_beta},
    {"laplace", laplace_beta},     {"binomial", binomial_beta},
    {"geometric", geometric_beta},
};
enum { SCHEDULES = sizeof beta_schedules / sizeof *beta_schedules };

const char *schedule_name(int number)
{
    return number >= 0 && number < SCHEDULES ? beta_schedules[number].name : NULL;
}

static sumi_status fill_betas(sumi_context *context, const struct schedule_options *options,
                              struct schedule *schedule)
{
    int chosen = 0;
    while (chosen < SCHEDULES && strcmp(beta_schedules[chosen].name, options->beta_schedule) != 0)
        chosen++;
    if (chosen == SCHEDULES) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "there is no beta_schedule \"%s\"; try \"linear\"",
                            options->beta_schedule);
    }
    for (int64_t t = 0; t < schedule->count; t++) {
        double beta = options->trained_betas ? options->trained_betas[t]
                                             : beta_schedules[chosen].beta(options, t);
        if (!(beta > 0 && beta <= 1) || (float)beta == 0) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "beta at time %lld is %g; every beta must be above 0 and at most 1"
                                " (see beta_start, beta_end and trained_betas)",
                                (long long)t, beta);
        }
        schedule->betas[t] = (float)beta;
    }
    return SUMI_OK;
}

static void accumulate(struct schedule *schedule)
{
    double product = 1;
    for (int64_t t = 0; t < schedule->count; t++) {
        product *= 1.0f - schedule->betas[t];
        schedule->alphas_cumprod[t] = (float)product;
    }
}

/* Divides the SNR of every time by `scale`, as CogVideoX does (Yang et al. 2024, after Hoogeboom et
   al. 2023, eq. 4). */
static void shift_snr(struct schedule *schedule, double scale)
{
    double previous = 1;
    for (int64_t t = 0; t < schedule->count; t++) {
        double product = schedule->alphas_cumprod[t];
        product /= scale + (1 - scale) * product;
        schedule->betas[t] = (float)(1 - product / previous);
        schedule->alphas_cumprod[t] = (float)product;
        previous = product;
    }
}

/* Lin et al. 2024 ("Common diffusion noise schedules and sample steps are flawed"), algorithm 1:
   sqrt(abar) shifted and stretched so that the first entry stays and the last is zero. */
static sumi_status rescale_to_zero_snr(sumi_context *context, struct schedule *schedule)
{
    int64_t count = schedule->count;
    float first = sqrtf(schedule->alphas_cumprod[0]);
    float last = sqrtf(schedule->alphas_cumprod[count - 1]);
    if (!(first > last)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "rescale_betas_zero_snr needs a schedule of at least two times that"
                            " loses signal");
    }
    float previous = 1;
    for (int64_t t = 0; t < count; t++) {
        float root = (sqrtf(schedule->alphas_cumprod[t]) - last) * (first / (first - last));
        float product = root * root;
        schedule->betas[t] = 1.0f - product / previous;
        if (!(schedule->betas[t] >= 0)) {
            return context_fail(
                context, SUMI_ERROR_ARGUMENT,
                "rescale_betas_zero_snr: time %lld, before the last, has no signal left",
                (long long)t - 1);
        }
        previous = product;
    }
    accumulate(schedule);
    return SUMI_OK;
}

sumi_status schedule_create(sumi_context *context, const struct schedule_options *options,
                            struct schedule *schedule)
{
    memset(schedule, 0, sizeof *schedule);
    int64_t count = options->trained_betas ? options->trained_count : options->num_train_timesteps;
    if (count < 1 || count > MOST_TIMES) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "num_train_timesteps (or the length of trained_betas) must be from 1"
                            " to %d, not %lld",
                            MOST_TIMES, (long long)count);
    }
    schedule->count = count;
    schedule->betas = context_allocate(context, (size_t)count, sizeof(float));
    schedule->alphas_cumprod = context_allocate(context, (size_t)count, sizeof(float));
    sumi_status status = schedule->betas && schedule->alphas_cumprod
                             ? fill_betas(context, options, schedule)
                             : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) accumulate(schedule);
    if (status == SUMI_OK && options->snr_shift_scale > 0 && options->snr_shift_scale != 1)
        shift_snr(schedule, options->snr_shift_scale);
    if (status == SUMI_OK && options->rescale_betas_zero_snr)
        status = rescale_to_zero_snr(context, schedule);
    if (status != SUMI_OK) schedule_release(context, schedule);
    return status;
}

void schedule_release(sumi_context *context, struct schedule *schedule)
{
    context_release(context, schedule->betas);
    context_release(context, schedule->alphas_cumprod);
    memset(schedule, 0, sizeof *schedule);
}

double schedule_signal(const struct schedule *schedule, int64_t time)
{
    return sqrt((double)schedule->alphas_cumprod[time]);
}

double schedule_noise(const struct schedule *schedule, int64_t time)
{
    return sqrt(1 - (double)schedule->alphas_cumprod[time]);
}

struct noise_level schedule_level(const struct schedule *schedule, int64_t time)
{
    double all = (double)schedule->count;
    double signal = schedule_signal(schedule, time), noise = schedule_noise(schedule, time);
    double signal_before = time > 0 ? schedule_signal(schedule, time - 1) : 1;
    double noise_before = time > 0 ? schedule_noise(schedule, time - 1) : 0;
    return (struct noise_level){signal, noise, all * (signal - signal_before),
                                all * (noise - noise_before)};
}

static struct posterior posterior_at(double alpha, double product, double previous)
{
    double noise = 1 - product, previous_noise = 1 - previous;
    struct posterior posterior = {.clean = 1};
    if (noise <= 0) return posterior; /* no noise yet: x_t is x0 */
    posterior.beta = 1 - alpha;
    posterior.clean = sqrt(previous) * posterior.beta / noise;
    posterior.state = sqrt(alpha) * previous_noise / noise;
    posterior.variance = previous_noise / noise * posterior.beta;
    return posterior;
}

struct posterior posterior_between(float product, float previous)
{
    float alpha = previous > 0 ? product / previous : 0;
    return posterior_at(alpha, product, previous);
}

struct posterior schedule_posterior(const struct schedule *schedule, int64_t time, double previous)
{
    float product = schedule->alphas_cumprod[time];
    float earlier = previous >= 0 ? schedule->alphas_cumprod[(int64_t)previous] : 1;
    struct posterior posterior = posterior_between(product, earlier);
    if ((previous != (double)time - 1 && time != 0) || !(posterior.beta > 0)) return posterior;
    double ratio = schedule->betas[time] / posterior.beta;
    posterior.clean *= ratio;
    posterior.variance *= ratio;
    posterior.beta *= ratio;
    return posterior;
}

static const double least_variance = 1e-20; /* btilde is zero in the step to clean data */

double posterior_deviation(enum variance_type type, const struct posterior *posterior)
{
    bool large = type == VARIANCE_FIXED_LARGE || type == VARIANCE_FIXED_LARGE_LOG;
    return sqrt(large ? posterior->beta : fmax(posterior->variance, least_variance));
}

struct variance_range posterior_range(const struct posterior *posterior)
{
    return (struct variance_range){log(fmax(posterior->variance, least_variance)),
                                   log(fmax(posterior->beta, least_variance))};
}

double range_deviation(const struct variance_range *range, double v)
{
    double share = (v + 1) / 2;
    return exp(0.5 * (share * range->log_most + (1 - share) * range->log_least));
}

double schedule_bound_weight(const struct schedule *schedule, int64_t time,
                             enum prediction_type prediction, enum variance_type variance)
{
    double product = schedule->alphas_cumprod[time];
    double previous = time > 0 ? schedule->alphas_cumprod[time - 1] : 1;
    double alpha = previous > 0 ? product / previous : 0;
    struct posterior posterior = posterior_at(alpha, product, previous);
    bool large = variance == VARIANCE_FIXED_LARGE || variance == VARIANCE_FIXED_LARGE_LOG;
    double sigma_squared = large || time == 0 ? posterior.beta : posterior.variance;
    struct noise_level level = schedule_level(schedule, time);
    struct prediction_map map = prediction_map(prediction, &level);
    double mean_error = posterior.clean * map.clean_prediction; /* per unit of prediction error */
    return mean_error * mean_error / (2 * sigma_squared);
}

struct variance_range schedule_variance_range(const struct schedule *schedule, int64_t time)
{
    int64_t at = time > 0 || schedule->count < 2 ? time : 1;
    float previous = at > 0 ? schedule->alphas_cumprod[at - 1] : 1;
    struct posterior least = posterior_between(schedule->alphas_cumprod[at], previous);
    return (struct variance_range){log(fmax(least.variance, least_variance)),
                                   log(schedule->betas[time])};
}

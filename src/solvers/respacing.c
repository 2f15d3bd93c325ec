/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for the spacing of noise levels; see respacing.h. */
#include "solvers/respacing.h"

#include <math.h>

#define WITH_A_RULE                                                                                \
    "path=table, use_karras_sigmas=true or path=table, use_exponential_sigmas=true or"             \
    " path=table, use_beta_sigmas=true or path=table, use_lu_lambdas=true or use_flow_sigmas=true"

const struct option respacing_options[] = {
    {FLAG_OPTION("use_karras_sigmas", "false", "noise levels by the rule of Karras et al. 2022"),
     AT(use_karras_sigmas)},
    {FLAG_OPTION("use_exponential_sigmas", "false", "noise levels evenly in log(sigma)"),
     AT(use_exponential_sigmas)},
    {FLAG_OPTION("use_beta_sigmas", "false", "noise levels by the beta distribution"),
     AT(use_beta_sigmas)},
    {FLAG_OPTION("use_lu_lambdas", "false", "noise levels evenly in log(a / s)"),
     AT(use_lu_lambdas)},
    {NUMBER_OPTION("rho", "7", 1e-3, 1e3, "exponent of that rule"), AT(rho),
     "use_karras_sigmas=true or path=edm, sigma_schedule=karras"},
    {NUMBER_OPTION("sigma_min", "0", 0, 1e6, "least noise level; 0: that of the schedule"),
     AT(sigma_min), WITH_A_RULE},
    {NUMBER_OPTION("sigma_max", "0", 0, 1e6, "greatest noise level; 0: that of the schedule"),
     AT(sigma_max), WITH_A_RULE},
    {.name = NULL},
};

static double share(int64_t count, int64_t index)
{
    return count > 1 ? (double)index / (double)(count - 1) : 0;
}

/* Karras et al. 2022 ("Elucidating the design space"), eq. 5. */
double respacing_karras(double least, double most, double rho, int64_t count, int64_t index)
{
    double from = pow(most, 1 / rho), to = pow(least, 1 / rho);
    return pow(from + share(count, index) * (to - from), rho);
}

/* Evenly in log(sigma), which is log-SNR: Lu et al. 2022 (DPM-Solver), section 3.4. */
double respacing_exponential(double least, double most, int64_t count, int64_t index)
{
    return exp(log(most) + share(count, index) * (log(least) - log(most)));
}

/* x^shape 2F1(shape, 1 - shape; shape + 1; x), which is shape times the incomplete beta integral
   of x <= 1/2 with both shapes equal. */
static double incomplete_beta(double shape, double x)
{
    double term = 1, sum = 1;
    for (int k = 0; k < 200 && fabs(term) > 1e-18; k++) {
        term *= x * (k + 1 - shape) / (k + 1);
        sum += term * shape / (shape + k + 1);
    }
    return pow(x, shape) * sum;
}

/* The quantile of the symmetric beta distribution, by bisection. The distribution function is 1/2
   at 1/2, so that both series are evaluated in [0, 1/2], where they converge. */
static double beta_quantile(double shape, double probability)
{
    if (probability > 0.5) return 1 - beta_quantile(shape, 1 - probability);
    double low = 0, high = 0.5, whole = 2 * incomplete_beta(shape, 0.5);
    for (int i = 0; i < 200 && high - low > 1e-17; i++) {
        double middle = (low + high) / 2;
        if (incomplete_beta(shape, middle) / whole < probability) low = middle;
        else high = middle;
    }
    return (low + high) / 2;
}

/* Lee et al. 2024 ("Beta sampling is all you need") with both shapes 0.6. */
double respacing_beta(double least, double most, int64_t count, int64_t index)
{
    return least + (most - least) * beta_quantile(0.6, 1 - share(count, index));
}

sumi_status respacing_check(sumi_context *context, const struct solver_options *options,
                            bool *asked)
{
    int rules = options->use_karras_sigmas + options->use_exponential_sigmas
                + options->use_beta_sigmas + options->use_lu_lambdas;
    *asked = rules == 1;
    if (rules <= 1) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas and "
                        "use_lu_lambdas each choose all noise levels; set only one of them");
}

double respacing_level(const struct solver_options *options, double least, double most,
                       int64_t count, int64_t index)
{
    if (options->use_karras_sigmas)
        return respacing_karras(least, most, options->rho, count, index);
    if (options->use_beta_sigmas) return respacing_beta(least, most, count, index);
    return respacing_exponential(least, most, count, index);
}

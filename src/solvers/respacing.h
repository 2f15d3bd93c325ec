/* SPDX-License-Identifier: Apache-2.0 */
/* Noise levels spaced by a rule instead of by times. */
#ifndef SUMI_SOLVERS_RESPACING_H
#define SUMI_SOLVERS_RESPACING_H

#include "solvers/options.h"

/* Level number `index` of `count` from `most` down to `least`. */
double respacing_karras(double least, double most, double rho, int64_t count, int64_t index);
double respacing_exponential(double least, double most, int64_t count, int64_t index);
double respacing_beta(double least, double most, int64_t count, int64_t index);

/* `asked` receives whether the options select one of these rules; more than one is refused. */
sumi_status respacing_check(sumi_context *context, const struct solver_options *options,
                            bool *asked);
double respacing_level(const struct solver_options *options, double least, double most,
                       int64_t count, int64_t index);

#endif

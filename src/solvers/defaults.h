/* SPDX-License-Identifier: Apache-2.0 */
/* Default options of families of solvers, where diffusers' classes differ from each other. */
#ifndef SUMI_SOLVERS_DEFAULTS_H
#define SUMI_SOLVERS_DEFAULTS_H

#include "solvers/options.h"

void defaults_sigma(struct solver_options *options); /* linspace, no clipping */

/* The same with Rombach et al.'s betas, 0.00085 to 0.012. */
void defaults_latent(struct solver_options *options);

/* Those of Rombach et al.'s own schedule, without clipping. */
void defaults_distilled(struct solver_options *options);

/* The cosine schedule from end to end, with the variance that Ramesh et al. 2022 use. */
void defaults_unclip(struct solver_options *options);

void defaults_binomial(struct solver_options *options); /* 2000 steps that each erase an equal
                                                           fraction of the signal */
void defaults_flow(struct solver_options *options);     /* a flow, with the velocity as the
                                                           prediction */
/* Song et al. 2021's SDEs, as diffusers' classes have them. */
void defaults_score_vp(struct solver_options *options);
void defaults_score_ve(struct solver_options *options);

/* The ten levels of Song & Ermon 2019, from 1 to 0.01. */
void defaults_annealed(struct solver_options *options);

/* The schedule of CogVideoX (Yang et al. 2024): Rombach et al.'s with the SNR divided by three. */
void defaults_cogvideox(struct solver_options *options);

void defaults_edm(struct solver_options *options); /* sigma from 0.002 to 80 */

#endif

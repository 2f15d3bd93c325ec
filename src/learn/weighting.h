/* SPDX-License-Identifier: Apache-2.0 */
/* How much the squared error of a prediction at a time counts in a loss. Each is a weight of the
   error of some quantity (the prediction itself, the data, the score), turned into one of the
   model's own prediction, so that it means the same whatever the network predicts. */
#ifndef SUMI_LEARN_WEIGHTING_H
#define SUMI_LEARN_WEIGHTING_H

#include "learn/noised.h"

/* By the names of train.weighting, in its order. With SNR = a^2 / s^2: */
enum weighting_kind {
    WEIGHTING_SIMPLE,  /* 1 for the prediction that the network makes: Ho et al. 2020, eq. 14 */
    WEIGHTING_SNR,     /* SNR for the data: that of the noise is 1 then */
    WEIGHTING_MIN_SNR, /* min(SNR, gamma) for the data: Hang et al. 2023, eq. 8 */
    WEIGHTING_SIGMA2,  /* s^2 / 2 for the score: Song & Ermon 2019, eqs. 5 and 6 */
    WEIGHTING_BOUND    /* that of the variational bound: on a table L_{t-1} of Ho et al. 2020, else
                          g^2 / 2 for the score, the likelihood weighting of Song et al. 2021
                          ("Maximum likelihood training of score-based diffusion models", eq. 7) */
};

struct weighting {
    enum weighting_kind kind;
    double gamma;
};

struct weighting weighting_of(const sumi_recipe *recipe);

/* The weight of the squared error of the model's own prediction. At the ends of a path it is the
   limit, infinite where that is: of the bound where noise is told and there is no signal, and of
   the noise's error (all but min_snr) where data are told and there is no noise. */
double weighting_at(const struct weighting *weighting, const struct noised *noised,
                    const struct place *place);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The weights of squared errors in a loss, by time. Each is defined as a weight of the error of
   some quantity (the prediction itself, the data, the score) and converted to one for the model's
   own prediction, so that it means the same for every type of prediction. */
#ifndef SUMI_LEARN_WEIGHTING_H
#define SUMI_LEARN_WEIGHTING_H

#include "learn/noised.h"

/* In the order of the names of train.weighting. With SNR = a^2 / s^2: */
enum weighting_kind {
    WEIGHTING_SIMPLE,  /* 1 for the network's prediction: Ho et al. 2020, eq. 14 */
    WEIGHTING_SNR,     /* SNR for the data, which is 1 for the noise */
    WEIGHTING_MIN_SNR, /* min(SNR, gamma) for the data: Hang et al. 2023, eq. 8 */
    WEIGHTING_SIGMA2,  /* s^2 / 2 for the score: Song & Ermon 2019, eqs. 5 and 6 */
    WEIGHTING_BOUND    /* the weight in the variational bound: on a table L_{t-1} of Ho et al. 2020,
                          else g^2 / 2 for the score, the likelihood weighting of Song et al. 2021
                          ("Maximum likelihood training of score-based diffusion models", eq. 7) */
};

struct weighting {
    enum weighting_kind kind;
    double gamma;
};

struct weighting weighting_of(const sumi_recipe *recipe);

/* The weight of the squared error of the model's own prediction. At the ends of a path it is the
   limit, which may be infinite: for the bound with a prediction of noise where there is no signal,
   and for weights of the noise's error (all but min_snr) with a prediction of the data where there
   is no noise. */
double weighting_at(const struct weighting *weighting, const struct noised *noised,
                    const struct place *place);

#endif

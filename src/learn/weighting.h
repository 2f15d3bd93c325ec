/* How much the squared error at a time counts in a loss. */
#ifndef SUMI_LEARN_WEIGHTING_H
#define SUMI_LEARN_WEIGHTING_H

#include "learn/noised.h"

/* By the names of train.weighting, in its order. */
enum weighting {
    WEIGHTING_SIMPLE, /* 1 for the prediction that the network makes */
    WEIGHTING_BOUND   /* that of the variational bound */
};

enum weighting weighting_of(const sumi_recipe *recipe);

/* The weight of the squared error of the model's own prediction. */
double weighting_at(enum weighting weighting, const struct noised *noised,
                    const struct place *place);

#endif

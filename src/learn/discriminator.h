/* SPDX-License-Identifier: Apache-2.0 */
/* A discriminator of patches (Isola et al. 2017, section 3.2.2), which distinguishes pictures from
   reconstructions: 4x4 convolutions, each followed by a group norm and a leaky ReLU, and one number
   for each patch. The original has batch norms; with group norms the answer about a picture does
   not depend on the others of the batch. */
#ifndef SUMI_LEARN_DISCRIMINATOR_H
#define SUMI_LEARN_DISCRIMINATOR_H

#include "models/model.h"

/* Goes before the names of its weights. */
#define DISCRIMINATOR_PREFIX BESIDE_PREFIX "discriminator."

struct discriminator {
    int64_t channels, layers; /* of the first layer; number of layers that halve the size */
};

/* The least side of pictures that leaves a patch. */
int64_t discriminator_least_side(const struct discriminator *discriminator);

/* x[n,h,w,c] to a number for each patch, [n,h',w',1], high for pictures. */
sumi_node discriminator_build(const struct discriminator *discriminator, sumi_graph *graph,
                              sumi_node x);

/* The hinge loss (Lim & Ye 2017) of telling pictures from reconstructions, both [n,h,w,c]:
   (E max(0, 1 - D(picture)) + E max(0, 1 + D(reconstruction))) / 2, as [1]. Nothing flows back to
   the reconstructions. */
sumi_node discriminator_loss(const struct discriminator *discriminator, sumi_graph *graph,
                             sumi_node pictures, sumi_node reconstructions);

/* The factor of the adversary's loss (Esser et al. 2021, eq. 7): |d error / d last| / (|d adversary
   / d last| + 1e-4), at most 1e4, for the weight of the decoder's last layer; a constant [1] to
   derivatives. */
sumi_node discriminator_weight(sumi_graph *graph, sumi_node error, sumi_node adversary,
                               sumi_node last);

#endif

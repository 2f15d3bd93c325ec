/* SPDX-License-Identifier: Apache-2.0 */
/* The terms of an auto-encoder's loss as graph: how far a reconstruction is from the pictures, and
   how far the posterior is from the standard normal distribution (Kingma & Welling 2014). */
#ifndef SUMI_LEARN_RECONSTRUCTION_H
#define SUMI_LEARN_RECONSTRUCTION_H

#include "nets/auto_encoder.h"

struct reconstruction {
    sumi_node pictures, noise; /* inputs: [n,h,w,c], and [n,h/f,w/f,latent channels] */
    sumi_node output;          /* [n,h,w,c], decoded from mean + deviation noise */
    sumi_node divergence;      /* [1]: KL of an item, its mean over the batch */
};

/* Encodes the pictures of an input of so many items, draws latents and decodes them. Failures are
   recorded in the graph. */
struct reconstruction reconstruction_build(const struct auto_encoder *coder, sumi_graph *graph,
                                           int64_t items, const int64_t *picture);

/* The mean over all numbers of |output - pictures|, or of its square: [1]. */
sumi_node reconstruction_error(sumi_graph *graph, const struct reconstruction *reconstruction,
                               bool squared);

/* Sum and mean of all numbers of a node: [1]. */
sumi_node reconstruction_sum(sumi_graph *graph, sumi_node x);
sumi_node reconstruction_mean(sumi_graph *graph, sumi_node x);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The distance of pictures by the features of a network, as that of Zhang et al. 2018 (LPIPS, eq.
   1) with weights of one: at the end of each layer the features of a place are divided by their
   length, and the squared distance of the two is averaged over places; the distance is the mean
   over layers. The network is that of a model folder, with its values, at time 0 and without a
   class; its layers are the segments that it marks in its graph (sumi_graph_mark). */
#ifndef SUMI_LEARN_PERCEPTUAL_H
#define SUMI_LEARN_PERCEPTUAL_H

#include "models/model.h"

/* Goes before the names of the network's weights, which are read and not trained. */
#define PERCEPTUAL_PREFIX BESIDE_PREFIX "perceptual."

/* Opens the model, and refuses one that does not take pictures of that shape [h,w,c]. */
sumi_status perceptual_open(sumi_context *context, const char *folder, const int64_t *picture,
                            sumi_model **model);

/* The distance of pictures and reconstructions, both [n,h,w,c], as [1]. */
sumi_node perceptual_build(const sumi_model *model, sumi_graph *graph, sumi_node pictures,
                           sumi_node reconstructions);

#endif

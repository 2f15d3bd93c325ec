/* SPDX-License-Identifier: Apache-2.0 */
/* ControlNetModel (Zhang et al. 2023): the way down and the middle of a conditional U-Net, which
   also sees a picture of the condition, such as edges or a depth map. Its results are added to the
   skip connections and to the middle of the U-Net that is steered, as its inputs "down.0" ... and
   "mid". */
#ifndef SUMI_NETS_CONTROLNET_H
#define SUMI_NETS_CONTROLNET_H

#include "nets/unet.h"

/* Reads the text of a config.json. The network's inputs are those of UNet2DConditionModel without
   residuals, and "control" [n, height, width, channels], the picture of the condition with values
   from 0 to 1. */
sumi_status controlnet_parse(sumi_context *context, const char *json, const char *source,
                             struct net **net);

/* What is added to a U-Net: to its skip connections, in order, and to its middle. */
struct controlnet_output {
    int count;
    sumi_node down[UNET_RESIDUALS], mid;
};

/* The number of its residuals for skip connections. */
int controlnet_count(const struct net *net);

/* Adds the forward pass to a graph. `scales` [count + 1] are factors of the residuals, that of the
   middle last; -1 for none. False after a failure, which is recorded in the graph. */
bool controlnet_build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes,
                      sumi_node scales, struct controlnet_output *output);

/* Writes scales[count + 1]: `strength` for all; or, without a text to go by ("guess"), from a tenth
   of it for the first in equal ratios up to the whole for the middle, unless residuals are means.
 */
void controlnet_scales(const struct net *net, double strength, bool guess, float *scales);

#endif

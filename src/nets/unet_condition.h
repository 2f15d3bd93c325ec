/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline asks a UNet2DConditionModel. */
#ifndef SUMI_NETS_UNET_CONDITION_H
#define SUMI_NETS_UNET_CONDITION_H

#include "nets/net.h"

/* How many numbers its input "time_ids" has beside texts of `pooled` numbers. */
int64_t unet_time_ids(const struct net *net, int64_t pooled);

#endif

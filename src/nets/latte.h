/* SPDX-License-Identifier: Apache-2.0 */
/* LatteTransformer3DModel (Ma et al. 2024), a transformer of videos; latte.c. */
#ifndef SUMI_NETS_LATTE_H
#define SUMI_NETS_LATTE_H

#include "nets/net.h"

/* Whether later graphs have the temporal blocks, as they have at first; without them each frame is
   a picture by itself. */
void latte_set_temporal(struct net *net, bool temporal);

#endif

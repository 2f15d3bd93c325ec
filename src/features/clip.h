/* SPDX-License-Identifier: Apache-2.0 */
/* CLIP's encoder of pictures as a network of features. */
#ifndef SUMI_FEATURES_CLIP_H
#define SUMI_FEATURES_CLIP_H

#include "nets/clip.h"

struct clip_features {
    struct clip_vision vision;
    double mean[3], deviation[3]; /* of the channels of pictures from 0 to 1 */
};

#endif

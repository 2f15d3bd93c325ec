/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures as the networks of features get them, resized the way that the programs do it with which
   their published numbers were measured. */
#ifndef SUMI_FEATURES_RESIZE_H
#define SUMI_FEATURES_RESIZE_H

#include "features/features.h"

/* In the order of the choices of the option. */
enum feature_resize { RESIZE_TENSORFLOW, RESIZE_TORCH };

/* Bilinearly, to input[size, size, 3] with values from -1 to 1. torch-fidelity's way takes source
   place i * scale for pixel i, as TensorFlow 1 does, and maps bytes b to (b - 128) / 128;
   pytorch-fid's takes (i + 1/2) * scale - 1/2 and maps them to 2 b / 255 - 1. */
sumi_status resize_for_inception(const sumi_features *features, int height, int width,
                                 const uint8_t *bytes, float *input);

/* As CLIP's image processor: the shorter side to `size` by Pillow's bicubic filter of bytes, the
   centre cut out, then (b / 255 - mean) / deviation of each channel. */
sumi_status resize_for_clip(const sumi_features *features, int height, int width,
                            const uint8_t *bytes, float *input);

#endif

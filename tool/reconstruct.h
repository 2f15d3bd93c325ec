/* SPDX-License-Identifier: Apache-2.0 */
/* What an auto-encoder that was trained gives back: pictures beside their reconstructions, and the
   PSNR of held-out ones. */
#ifndef TOOL_RECONSTRUCT_H
#define TOOL_RECONSTRUCT_H

#include "sumi.h"

/* The PSNR of some hundred pictures of a data set, evenly spaced, in dB; *count receives how many.
 */
sumi_status reconstruct_measure(sumi_context *context, sumi_auto_encoder *auto_encoder,
                                sumi_data *data, int64_t *count, double *psnr);

/* Draws sample.count pictures of a data set, evenly spaced, each beside its reconstruction. */
sumi_status reconstruct_draw(sumi_context *context, sumi_auto_encoder *auto_encoder,
                             const sumi_recipe *recipe, sumi_data *data, const char *path);

#endif

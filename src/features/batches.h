/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures through a network of features, a batch at a time. */
#ifndef SUMI_FEATURES_BATCHES_H
#define SUMI_FEATURES_BATCHES_H

#include "features/features.h"

/* Writes the rows of pictures[n, h, w, 1 or 3], values from -1 to 1, to rows[n, width]. */
sumi_status batches_measure(sumi_features *features, const sumi_array *pictures,
                            sumi_progress_function progress, void *user, float *rows);

#endif

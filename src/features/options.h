/* SPDX-License-Identifier: Apache-2.0 */
/* The options of an open network of features. */
#ifndef SUMI_FEATURES_OPTIONS_H
#define SUMI_FEATURES_OPTIONS_H

#include "features/features.h"

/* Sets all options of features->kind to their defaults. */
void features_set_options(sumi_features *features);

#endif

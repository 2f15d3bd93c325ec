/* SPDX-License-Identifier: Apache-2.0 */
/* How patches of a picture lie in it. A line of a patch is a run of numbers that stay together, so
   that cutting a picture and putting it together only moves runs. */
#ifndef SUMI_OPS_PATCHES_H
#define SUMI_OPS_PATCHES_H

#include "ops/ops.h"

struct patch_runs {
    int64_t run;     /* numbers of a line of a patch */
    int64_t columns; /* patches beside each other */
    int64_t down;    /* lines of a patch */
};

struct patch_runs patch_runs_of(const struct attributes *attributes, int64_t channels);

/* Where, in runs, the run `number` of the pictures lies among the patches. */
int64_t patch_run_place(const struct patch_runs *runs, int64_t number);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Any convolution as one matrix product for each tap of its kernel; see taps.c. */
#ifndef SUMI_CPU_TAPS_H
#define SUMI_CPU_TAPS_H

#include "cpu/convolution.h"

/* For struct convolution_way; the variant has no meaning. */
bool taps_suit(const struct convolution_problem *problem, int variant);
sumi_status taps_prepare(sumi_context *context, void *shared, int variant,
                         const struct convolution_problem *problem, void **state,
                         struct convolution_memory *memory);
sumi_status taps_run(void *state, const struct convolution_operands *operands, void *scratch);
void taps_release(void *state);

#endif

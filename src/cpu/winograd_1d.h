/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of height 1 and width 3, with stride 1, by 1-D Winograd; see winograd_1d.c. */
#ifndef SUMI_CPU_WINOGRAD_1D_H
#define SUMI_CPU_WINOGRAD_1D_H

#include "cpu/convolution.h"

/* For struct convolution_way; the variant is the number of tiles transformed at a time. */
bool winograd_1d_suits(const struct convolution_problem *problem, int variant);
sumi_status winograd_1d_prepare(sumi_context *context, void *shared, int variant,
                                const struct convolution_problem *problem, void **state,
                                struct convolution_memory *memory);
sumi_status winograd_1d_run(void *state, const struct convolution_operands *operands,
                            void *scratch);
void winograd_1d_release(void *state);

#endif

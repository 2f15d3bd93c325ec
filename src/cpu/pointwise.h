/* SPDX-License-Identifier: Apache-2.0 */
/* Pointwise convolutions, 1x1 with stride 1, which are matrix products; see pointwise.c. */
#ifndef SUMI_CPU_POINTWISE_H
#define SUMI_CPU_POINTWISE_H

#include "cpu/convolution.h"

/* For struct convolution_way; the variant is the number of pixels multiplied at a time. */
bool pointwise_suits(const struct convolution_problem *problem, int variant);
sumi_status pointwise_prepare(sumi_context *context, void *shared, int variant,
                              const struct convolution_problem *problem, void **state,
                              struct convolution_memory *memory);
sumi_status pointwise_run(void *state, const struct convolution_operands *operands, void *scratch);
void pointwise_release(void *state);

#endif

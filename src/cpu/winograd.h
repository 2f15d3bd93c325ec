/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of 3x3 with stride 1 by Winograd's algorithm: by blocks of tiles (winograd.c), and
   by panels of channels (winograd_panels.c). */
#ifndef SUMI_CPU_WINOGRAD_H
#define SUMI_CPU_WINOGRAD_H

#include "cpu/convolution.h"

/* For struct convolution_way; the variant is the number of tiles transformed at a time. */
bool winograd_suits(const struct convolution_problem *problem, int variant);
sumi_status winograd_prepare(sumi_context *context, void *shared, int variant,
                             const struct convolution_problem *problem, void **state,
                             struct convolution_memory *memory);
sumi_status winograd_run(void *state, const struct convolution_operands *operands, void *scratch);
void winograd_release(void *state);

/* The variant is the number of channels in a panel. */
bool winograd_panels_suit(const struct convolution_problem *problem, int variant);
sumi_status winograd_panels_prepare(sumi_context *context, void *shared, int variant,
                                    const struct convolution_problem *problem, void **state,
                                    struct convolution_memory *memory);
sumi_status winograd_panels_run(void *state, const struct convolution_operands *operands,
                                void *scratch);
void winograd_panels_release(void *state);

#endif

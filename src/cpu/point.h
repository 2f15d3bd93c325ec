/* Convolutions of one pixel, 1x1 with stride 1, which are matrix products; see point.c. */
#ifndef SUMI_CPU_POINT_H
#define SUMI_CPU_POINT_H

#include "cpu/convolution.h"

/* For struct convolution_way; the variant is the number of pixels multiplied at a time. */
bool point_suits(const struct convolution_problem *problem, int variant);
sumi_status point_prepare(sumi_context *context, void *shared, int variant,
                          const struct convolution_problem *problem, void **state,
                          size_t *scratch);
sumi_status point_run(void *state, const struct convolution_operands *operands, void *scratch);
void point_release(void *state);

#endif

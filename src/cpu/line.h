/* Convolutions of width 3 along lines, with stride 1, by Winograd's algorithm; see line.c. */
#ifndef SUMI_CPU_LINE_H
#define SUMI_CPU_LINE_H

#include "cpu/convolution.h"

/* For struct convolution_way; the variant is the number of tiles transformed at a time. */
bool line_suits(const struct convolution_problem *problem, int variant);
sumi_status line_prepare(sumi_context *context, void *shared, int variant,
                         const struct convolution_problem *problem, void **state, size_t *scratch);
sumi_status line_run(void *state, const struct convolution_operands *operands, void *scratch);
void line_release(void *state);

#endif

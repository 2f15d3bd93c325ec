/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring numbers from standard input to standard output, a block at a time. */
#ifndef TOOL_STREAM_H
#define TOOL_STREAM_H

#include "sampling.h"

/* Reads numbers separated by white space or commas; each block of as many as a measurement has
   gives the mean of `draws` samples, a row of numbers [channels] for each position. Prints errors
   and returns an exit code: an incomplete last block is one. */
int stream_restore(sumi_context *context, const struct sampling *sampling,
                   const sumi_operator *linear, sumi_restorer *restorer, int64_t draws);

#endif

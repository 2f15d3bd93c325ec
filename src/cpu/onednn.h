/* SPDX-License-Identifier: Apache-2.0 */
/* The interface to oneDNN, 2.x and 3.x: its engine, and convolutions in several layouts and
   algorithms. Only src/cpu/onednn*.c use the library. */
#ifndef SUMI_CPU_ONEDNN_H
#define SUMI_CPU_ONEDNN_H

#include "cpu/convolution.h"

/* Opens and closes a CPU engine and stream (the backend's shared state). */
sumi_status onednn_open(sumi_context *context, void **shared);
void onednn_close(sumi_context *context, void *shared);

/* Writes the version of the loaded library: "2.6.3". */
void onednn_version(char *text, size_t size);

/* Convolutions by the library, for struct convolution_way. `prepare` fails for a combination of
   variant and problem that the library does not have. */
enum onednn_variant {
    ONEDNN_DIRECT,  /* channels last throughout */
    ONEDNN_BF16,    /* the same for images of bfloat16, and with weights rounded to it */
    ONEDNN_BLOCKED, /* images reordered to and from the library's blocks of 16 channels */
    ONEDNN_WINOGRAD /* Winograd's algorithm in the library's own layouts, forward only; not in 3.x
                     */
};
bool onednn_suits(const struct convolution_problem *problem, int variant);
sumi_status onednn_prepare(sumi_context *context, void *shared, int variant,
                           const struct convolution_problem *problem, void **state,
                           struct convolution_memory *memory);
sumi_status onednn_run(void *state, const struct convolution_operands *operands, void *scratch);
void onednn_release(void *state);

#endif

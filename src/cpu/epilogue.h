/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of epilogues (ops/epilogue.h), which kernels apply to pixels of a result while
   these are still in cache. */
#ifndef SUMI_CPU_EPILOGUE_H
#define SUMI_CPU_EPILOGUE_H

#include "graph/kernel.h"

/* y = scale (y + bias[c] + item[n, c] + residual[n, pixels, c]); absent parts are NULL. */
struct epilogue {
    int64_t pixels, channels; /* pixels of one item */
    const float *bias, *item;
    const void *residual;
    float scale;
    bool bf16; /* y and the residual are of bfloat16 */
};

/* The epilogue of a call's node whose result has `channels` channels. */
struct epilogue epilogue_of(const struct call *call, int64_t channels);

/* Whether it leaves all values unchanged. */
bool epilogue_is_empty(const struct epilogue *epilogue);

/* Applies it to the `count` pixels of the result from number `first` on, counted through the
   batch; `y` points to the first of them, [count, channels]. */
void epilogue_apply(const struct epilogue *epilogue, int64_t first, int64_t count, void *y);

/* The same for some channels of the pixels, from float32 sums of which x points to the first,
   x_row floats from pixel to pixel; `y` points to the first pixel with all its channels. x may be
   the same place of y where that is of float32, else they are rounded once. */
struct channels {
    int64_t first, count;
};
void epilogue_channels(const struct epilogue *epilogue, int64_t first, int64_t count,
                       struct channels channels, const float *x, int64_t x_row, void *y);

/* The same as epilogue_apply to a whole result of `pixels` pixels in all, shared among threads. */
void epilogue_apply_all(const struct epilogue *epilogue, int threads, int64_t pixels, void *y);

#endif

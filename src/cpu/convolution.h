/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by all ways of computing a convolution: the problem, its operands, and the interface that
   each way implements. tune.c chooses one. */
#ifndef SUMI_CPU_CONVOLUTION_H
#define SUMI_CPU_CONVOLUTION_H

#include "cpu/epilogue.h"

enum convolution_direction {
    CONVOLUTION_FORWARD,
    CONVOLUTION_DATA_GRADIENT,
    CONVOLUTION_WEIGHT_GRADIENT
};

/* Sizes of a convolution x[n,h,w,in] * weight[out,in,kh,kw] -> y[n,oh,ow,out], or of one of its
   gradients. */
struct convolution_problem {
    enum convolution_direction direction;
    unsigned epilogue;     /* EPILOGUE_BIAS ...: what is added to the result */
    bool constant_weights; /* constant weights: what is computed from them may be kept */
    int64_t batch, height, width, in, out_height, out_width, out;
    int64_t kernel[2], stride[2], before[2], after[2];
    int threads;
    bool bf16;            /* x, y and the residual are of bfloat16 */
    sumi_element weights; /* the type of the weights, which every way reads as they are stored;
                             their gradient is float32 */
};

/* The operand that the direction computes is written, the other two are read. Images are float32,
   or bfloat16 in a bf16 problem. */
struct convolution_operands {
    void *x, *y, *weight;
    struct epilogue epilogue;
    uint64_t version; /* of the weights, where they are constant */
    void *kept;       /* the bytes that the way keeps of them, the same in every run */
};

/* Bytes that a way asks for: the scratch memory of a run, and what it keeps of constant weights. */
struct convolution_memory {
    size_t scratch, kept;
};

/* One way. `variant` numbers several settings of it. */
struct convolution_way {
    const char *name;
    int variant;
    /* Whether it supports the problem. */
    bool (*suits)(const struct convolution_problem *problem, int variant);
    sumi_status (*prepare)(sumi_context *context, void *shared, int variant,
                           const struct convolution_problem *problem, void **state,
                           struct convolution_memory *memory);
    sumi_status (*run)(void *state, const struct convolution_operands *operands, void *scratch);
    void (*release)(void *state);
    bool bf16; /* takes images of bfloat16; for others they are converted in scratch memory */
};

/* A way that is ready to run (convolution_ready.c). */
struct convolution_ready {
    const struct convolution_way *way;
    void *state;
    struct convolution_problem problem;
    struct convolution_memory memory;
    size_t own; /* bytes of scratch memory of the way itself, which come first */
    void *kept; /* for the operands: memory.kept bytes after their allocation, else NULL */
    sumi_context *context;
};

sumi_status convolution_prepare(sumi_context *context, void *shared,
                                const struct convolution_way *way,
                                const struct convolution_problem *problem,
                                struct convolution_ready *ready);
/* Allocates the memory that the way keeps, if any. */
sumi_status convolution_keep(struct convolution_ready *ready);
sumi_status convolution_run(const struct convolution_ready *ready,
                            const struct convolution_operands *operands, void *scratch);
void convolution_release(struct convolution_ready *ready);

#endif

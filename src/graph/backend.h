/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend provides: a kernel for each op, memory for values and weights, and the optimizer's
   pass over all weights. A context has a backend, and its plans run there. */
#ifndef SUMI_GRAPH_BACKEND_H
#define SUMI_GRAPH_BACKEND_H

#include "graph/kernel.h"

/* A run of consecutive elements of one trained weight, [size] each; `gradient` is NULL where the
   weight has none in this step. */
struct optimizer_chunk {
    int64_t size;
    const float *gradient;
    float *weight, *first, *second; /* running means of the gradient and of its square */
    float *average;
    double square; /* sum of the squares of its gradient */
};

/* The coefficients of one step of AdamW. */
struct optimizer_step {
    float learning_rate, beta1, beta2, epsilon, decay; /* decay: learning rate x weight decay */
    float correction1, correction2;                    /* 1 - beta^step */
    float gradient_scale, average;                     /* clipping; EMA decay */
};

struct backend {
    /* Whether its memory is that of the process. Mapped files and the inputs and outputs of plans
       are then accessed in place; otherwise they are copied. */
    bool host_memory;
    /* Zeroed memory for weights and for the values of plans, aligned for vectors; NULL with the
       message set. `release` accepts NULL. */
    void *(*allocate)(sumi_context *context, size_t bytes);
    void (*release)(sumi_context *context, void *memory);
    /* Copy to its memory and from it. `synchronize` waits until all earlier work is done. */
    sumi_status (*upload)(sumi_context *context, const void *from, size_t bytes, void *to);
    sumi_status (*download)(sumi_context *context, const void *from, size_t bytes, void *to);
    sumi_status (*synchronize)(sumi_context *context);

    sumi_status (*open)(sumi_context *context, void **shared);
    void (*close)(sumi_context *context, void *shared);
    /* The kernel for an op; never NULL. */
    const struct kernel *(*find)(const struct op *op);
    /* Fusions into ops that it has kernels for; a list that ends with NULL, or NULL. */
    const struct fusion_rule *const *rules;
    /* Conversions of n elements: from bfloat16 or float16, and to bfloat16. */
    void (*widen)(int threads, sumi_element element, int64_t n, const void *from, float *to);
    void (*to_bf16)(int threads, int64_t n, const float *from, bfloat16 *to);

    /* The squared norm of all gradients: float inside a chunk, double across chunks in their order,
       independent of the number of threads. */
    double (*squared_norm)(int threads, int64_t count, struct optimizer_chunk *chunks);
    /* One step of AdamW and the average over all chunks. */
    void (*adamw)(int threads, const struct optimizer_step *step, int64_t count,
                  const struct optimizer_chunk *chunks);
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend provides: a kernel for each op, memory for values and weights, and the optimizer's
   pass over all weights. A context carries its backend, and everything that is planned in it runs
   there. */
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
    sumi_status (*open)(sumi_context *context, void **shared);
    void (*close)(sumi_context *context, void *shared);
    /* The kernel for an op; never NULL. */
    const struct kernel *(*find)(const struct op *op);
    /* Fusions into ops that it has good kernels for; a list that ends with NULL, or NULL. */
    const struct fusion_rule *const *rules;
    /* Conversions of n elements. */
    void (*from_bf16)(int threads, int64_t n, const bfloat16 *from, float *to);
    void (*to_bf16)(int threads, int64_t n, const float *from, bfloat16 *to);

    /* The squared norm of all gradients: float inside a chunk, double across chunks in their order,
       however many threads there are. */
    double (*squared_norm)(int threads, int64_t count, struct optimizer_chunk *chunks);
    /* One step of AdamW and the average over all chunks. */
    void (*adamw)(int threads, const struct optimizer_step *step, int64_t count,
                  const struct optimizer_chunk *chunks);
};

#endif

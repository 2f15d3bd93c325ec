/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels: a kernel is prepared for one problem when a plan is created, and then runs without
   allocating. */
#ifndef SUMI_GRAPH_KERNEL_H
#define SUMI_GRAPH_KERNEL_H

#include "base/bfloat16.h"
#include "graph/fuse.h"

/* One node to compute, and what is known when the plan is created. */
struct problem {
    sumi_context *context;
    const sumi_graph *graph;
    const struct node *node;
    const struct shape *inputs[MAX_INPUTS]; /* shapes */
    sumi_element input_elements[MAX_INPUTS], output_element;
    bool side_outputs[MAX_INPUTS]; /* which inputs are side outputs, which a kernel fills */
    /* Which inputs are constant weights: what is computed from them may be kept for later runs as
       long as call.version is the same. */
    bool constant_weights[MAX_INPUTS];
    int64_t keep_most; /* bytes that may be kept of them */
    void *shared;      /* from the backend's open */
    int threads;
};

struct call {
    const struct problem *problem;
    void *state; /* from prepare */
    /* Of the element types of the problem. */
    const float *inputs[MAX_INPUTS];
    float *output;
    void *scratch; /* the bytes that prepare requested, aligned for vectors */
    struct run_key key;
    uint64_t version; /* of the weights; 0 without weights */
};

struct kernel {
    /* May be NULL: no state, no scratch. `*scratch` is in bytes. */
    sumi_status (*prepare)(const struct problem *problem, void **state, size_t *scratch);
    sumi_status (*run)(const struct call *call);
    void (*release)(sumi_context *context, void *state); /* may be NULL */
    /* Bytes that the state keeps of constant weights. May be NULL: none. */
    size_t (*kept)(const void *state);
    /* Which bfloat16 operands the kernel accepts without conversion (BF16_INPUT(i), BF16_OUTPUT);
       the plan converts the others. NULL: none. */
    unsigned (*bf16)(const struct problem *problem);
    /* The same bits for float16 inputs, which only weights can be. */
    unsigned f16;
};

#define BF16_INPUT(i) (1u << (i))
#define BF16_OUTPUT (1u << MAX_INPUTS)

/* `operands` if all of them are bfloat16, else none. */
unsigned bf16_together(const struct problem *problem, unsigned operands);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels: a kernel prepares itself for one problem when a plan is made, and then runs it as often
   as asked without allocating. */
#ifndef SUMI_GRAPH_KERNEL_H
#define SUMI_GRAPH_KERNEL_H

#include "base/bfloat16.h"
#include "graph/fuse.h"

/* One node to be computed, and all that is known when the plan is made. */
struct problem {
    sumi_context *context;
    const sumi_graph *graph;
    const struct node *node;
    const struct shape *inputs[MAX_INPUTS]; /* shapes */
    sumi_element input_elements[MAX_INPUTS], output_element;
    bool side_outputs[MAX_INPUTS]; /* which inputs are side outputs, that some kernel fills */
    /* Which inputs are weights that seldom change: what is made from them may be kept for the next
       run, as long as call.version is the same. */
    bool constant_weights[MAX_INPUTS];
    void *shared; /* what the backend's open gave */
    int threads;
};

struct call {
    const struct problem *problem;
    void *state; /* what prepare gave */
    /* Of the elements that the problem says. */
    const float *inputs[MAX_INPUTS];
    float *output;
    void *scratch; /* as many bytes as prepare asked for, aligned for vectors */
    struct run_key key;
    uint64_t version; /* of the weights; 0 if there are none */
};

struct kernel {
    /* May be NULL: no state, no scratch. `*scratch` is in bytes. */
    sumi_status (*prepare)(const struct problem *problem, void **state, size_t *scratch);
    sumi_status (*run)(const struct call *call);
    void (*release)(sumi_context *context, void *state); /* may be NULL */
    /* Which operands the kernel takes as they are where they are bfloat16 (BF16_INPUT(i),
       BF16_OUTPUT); the plan converts the others. NULL: none. */
    unsigned (*bf16)(const struct problem *problem);
    /* The same bits for inputs of float16, which only weights are. */
    unsigned f16;
};

#define BF16_INPUT(i) (1u << (i))
#define BF16_OUTPUT (1u << MAX_INPUTS)

/* Those operands if all of them are bfloat16, else none. */
unsigned bf16_together(const struct problem *problem, unsigned operands);

#endif

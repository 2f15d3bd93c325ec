/* What a backend provides: for each op a kernel that prepares itself for one problem when a plan is
   made, and then runs it as often as asked without allocating. */
#ifndef SUMI_GRAPH_KERNEL_H
#define SUMI_GRAPH_KERNEL_H

#include "graph/fuse.h"

/* One node to be computed, and all that is known when the plan is made. */
struct problem {
    sumi_context *context;
    const sumi_graph *graph;
    const struct node *node;
    const struct shape *inputs[MAX_INPUTS]; /* shapes */
    /* Which inputs are weights that seldom change: what is made from them may be kept for the next
       run, as long as call.version is the same. */
    bool lasting[MAX_INPUTS];
    void *shared;                           /* what the backend's open gave */
    int threads;
};

struct call {
    const struct problem *problem;
    void *state; /* what prepare gave */
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
};

struct backend {
    sumi_status (*open)(sumi_context *context, void **shared);
    void (*close)(sumi_context *context, void *shared);
    /* The kernel for an op; never NULL. */
    const struct kernel *(*find)(const struct op *op);
    /* Fusions into ops that it has good kernels for; a list that ends with NULL, or NULL. */
    const struct fusion_rule *const *rules;
};

#endif

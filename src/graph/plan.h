/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: a graph as a list of kernel calls over one block of memory, in which values with disjoint
   lifetimes share memory. */
#ifndef SUMI_GRAPH_PLAN_H
#define SUMI_GRAPH_PLAN_H

#include "graph/backend.h"

/* Plans the computation of outputs[count] on a backend; sumi_plan_create uses that of the context.
   The graph must outlive the plan and may grow afterwards; its weights must not be removed. */
sumi_status plan_create(sumi_graph *graph, const struct backend *backend, int count,
                        const sumi_node *outputs, sumi_plan **plan);

/* sumi_plan_run with the whole key. */
sumi_status plan_run(sumi_plan *plan, const struct run_key *key);

/* Computes the bytes that the values of such a plan will share, without the scratch memory of its
   kernels. */
sumi_status plan_measure(sumi_graph *graph, int count, const sumi_node *outputs, int64_t *bytes);

/* Bytes of the block that values and scratch memory share. */
size_t plan_memory(const sumi_plan *plan);

/* Bytes that its kernels keep beside that, of what they have computed from constant weights. */
size_t plan_kept(const sumi_plan *plan);

/* Whether the weights that it reads have moved since it was created, so that it cannot run any
   more. */
bool plan_is_stale(const sumi_plan *plan);

/* The number of steps of a run that compute nodes of this op; all steps for NULL. */
int32_t plan_steps(const sumi_plan *plan, const struct op *op);

/* ---- how values are stored (src/graph/storage.c) ---- */

/* Chooses how each of nodes[node_count] is stored: elements[node]. Inputs, weights, constants and
   outputs[count] are float32. uses[node] counts the needed nodes that read it. */
void storage_choose(const struct node *nodes, int32_t node_count, const int32_t *uses, int count,
                    const sumi_node *outputs, sumi_element *elements);

/* The conversions, in scratch memory, of operands that a kernel does not accept as bfloat16 or
   float16. */
struct conversion {
    bool any, input[MAX_INPUTS], output; /* which operands are converted */
    bool side_output[MAX_INPUTS];        /* which the kernel may write */
    size_t at[MAX_INPUTS + 1];           /* offsets in scratch memory; the last is the output's */
    sumi_element elements[MAX_INPUTS];   /* the original types of converted inputs */
    const void *stored[MAX_INPUTS];      /* and their original memory */
    bfloat16 *bf16_output;
};

/* Chooses the operands of the problem that the kernel does not accept, and makes them float32 in
   the problem. */
void conversion_choose(const struct kernel *kernel, struct problem *problem,
                       struct conversion *conversion);
/* Assigns offsets after the kernel's own `scratch` bytes; returns the total. */
size_t conversion_place(const struct problem *problem, struct conversion *conversion,
                        size_t scratch);
/* Replaces the operands of a call, whose scratch memory is set, by the converted ones. */
void conversion_resolve(struct conversion *conversion, struct call *call);
sumi_status conversion_run(const struct conversion *conversion, const struct backend *backend,
                           const struct kernel *kernel, const struct call *call);

/* A span of memory needed from step `first` to step `last` inclusive. */
struct span {
    int64_t bytes, offset;
    int32_t first, last;
};

/* Chooses offsets (multiples of 64) such that spans alive at the same step do not overlap; *total
   receives the total size. Places the largest spans first, each at the lowest free offset. */
sumi_status memory_layout(sumi_context *context, struct span *spans, int32_t count, int64_t *total);

#endif

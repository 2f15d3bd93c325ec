/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: a graph turned into a list of kernel calls over one block of memory, in which values that
   are not alive at the same time share memory. */
#ifndef SUMI_GRAPH_PLAN_H
#define SUMI_GRAPH_PLAN_H

#include "graph/backend.h"

/* Plans the computation of outputs[count] by a backend, where sumi_plan_create takes the context's
   own. The graph must outlive the plan and may
   grow afterwards; weights that it names may not be removed. */
sumi_status plan_create(sumi_graph *graph, const struct backend *backend, int count,
                        const sumi_node *outputs, sumi_plan **plan);

/* sumi_plan_run with the whole key. */
sumi_status plan_run(sumi_plan *plan, const struct run_key *key);

/* Bytes that the values of such a plan share, without the scratch memory of its kernels: to know
   what it will take before it is made. */
sumi_status plan_measure(sumi_graph *graph, int count, const sumi_node *outputs, int64_t *bytes);

/* Bytes of the block that values and scratch memory share. */
size_t plan_memory(const sumi_plan *plan);

/* Whether the weights that it reads have been moved since it was made: it cannot run any more. */
bool plan_is_stale(const sumi_plan *plan);

/* Steps of a run that compute nodes of this op, or all of them for NULL. */
int32_t plan_steps(const sumi_plan *plan, const struct op *op);

/* ---- how values are stored (src/graph/storage.c) ---- */

/* Decides for each of nodes[node_count] how it is stored: elements[node]. Inputs, weights,
   constants and outputs[count] are float32. uses[node] counts the needed nodes that read it. */
void storage_choose(const struct node *nodes, int32_t node_count, const int32_t *uses, int count,
                    const sumi_node *outputs, sumi_element *elements);

/* A kernel's call with what it does not take as bfloat16 or float16 converted in scratch memory. */
struct conversion {
    bool any, input[MAX_INPUTS], output; /* which operands are converted */
    bool side_output[MAX_INPUTS];        /* and written by the kernel, maybe */
    size_t at[MAX_INPUTS + 1];           /* where in scratch memory; the last is the output's */
    sumi_element elements[MAX_INPUTS];   /* of the inputs that are converted, before */
    const void *stored[MAX_INPUTS];      /* and where they are */
    bfloat16 *bf16_output;
};

/* Notes which operands of the problem the kernel does not take as they are, and makes them float32
   in the problem. */
void conversion_choose(const struct kernel *kernel, struct problem *problem,
                       struct conversion *conversion);
/* Sets places behind `scratch` bytes of the kernel's own; returns all bytes. */
size_t conversion_place(const struct problem *problem, struct conversion *conversion,
                        size_t scratch);
/* Points a call, whose operands and scratch are set, to the places. */
void conversion_resolve(struct conversion *conversion, struct call *call);
sumi_status conversion_run(const struct conversion *conversion, const struct backend *backend,
                           const struct kernel *kernel, const struct call *call);

/* A span of memory needed from step `first` to step `last` inclusive. */
struct span {
    int64_t bytes, offset;
    int32_t first, last;
};

/* Chooses offsets (multiples of 64) such that spans alive at the same step do not overlap; the
   total to *total. Largest spans first, each at the lowest place that is free. */
sumi_status memory_layout(sumi_context *context, struct span *spans, int32_t count, int64_t *total);

#endif

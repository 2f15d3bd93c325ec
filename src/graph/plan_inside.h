/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by creating a plan (plan.c) and running it (run.c). */
#ifndef SUMI_GRAPH_PLAN_INSIDE_H
#define SUMI_GRAPH_PLAN_INSIDE_H

#include "graph/plan.h"

struct step {
    const struct kernel *kernel;
    struct problem problem;
    struct call call;
    struct conversion conversion;
    size_t scratch; /* bytes */
    int32_t row;    /* row of the profile `profile` */
    struct cost cost;
};

struct sumi_plan {
    sumi_context *context;
    sumi_graph *graph;
    const struct backend *backend;
    void *shared;
    int threads;            /* that kernels and scratch memory are laid out for */
    int32_t node_count;     /* number of nodes of the graph when the plan was created */
    struct node *nodes;     /* copies, since the graph may grow and move its own, and for fusion */
    sumi_graph view;        /* the graph at that time, with these nodes */
    sumi_element *elements; /* how each node's value is stored */
    float **data;           /* its memory, NULL if not computed */
    void **mirrors;         /* NULL, or the host memory of inputs and outputs */
    struct step *steps;
    int32_t step_count;
    char *memory;
    size_t memory_bytes;
    bool borrowed;    /* whether the memory is that of another plan (graph->lender) */
    size_t kept;      /* bytes that the kernels keep of constant weights */
    uint64_t layout;  /* of the weights when it was created */
    uint64_t profile; /* number of the profile that the steps' rows belong to; 0 for none */
};

static inline int64_t plan_value_bytes(const sumi_plan *plan, sumi_node n)
{
    return shape_count(&plan->nodes[n].shape) * (int64_t)element_size(plan->elements[n]);
}

#endif

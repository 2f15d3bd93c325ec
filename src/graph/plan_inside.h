/* SPDX-License-Identifier: Apache-2.0 */
/* What making a plan (plan.c) and running it (run.c) share. */
#ifndef SUMI_GRAPH_PLAN_INSIDE_H
#define SUMI_GRAPH_PLAN_INSIDE_H

#include "graph/plan.h"

struct step {
    const struct kernel *kernel;
    struct problem problem;
    struct call call;
    struct conversion conversion;
    size_t scratch; /* bytes */
    int32_t row;    /* of the profile that the plan knows */
    struct cost cost;
};

struct sumi_plan {
    sumi_context *context;
    sumi_graph *graph;
    const struct backend *backend;
    void *shared;
    int threads;            /* that kernels and scratch memory were laid out for */
    int32_t node_count;     /* nodes the graph had when the plan was made */
    struct node *nodes;     /* copies, since the graph may grow and move its own, and for fusion */
    sumi_graph view;        /* the graph as it was, with these nodes */
    sumi_element *elements; /* how each node's value is stored */
    float **data;           /* where it is, NULL if not computed */
    void **mirrors; /* NULL, or of inputs and outputs: where the host writes and reads them */
    struct step *steps;
    int32_t step_count;
    char *memory;
    size_t memory_bytes;
    bool keeps_weights; /* kernels may keep what they make from weights that seldom change */
    uint64_t layout;    /* of the weights when it was made */
    uint64_t profile;   /* number of the profile that the steps have their rows of; 0 for none */
};

static inline int64_t plan_value_bytes(const sumi_plan *plan, sumi_node n)
{
    return shape_count(&plan->nodes[n].shape) * (int64_t)element_size(plan->elements[n]);
}

#endif

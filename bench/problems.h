/* SPDX-License-Identifier: Apache-2.0 */
/* The problems that bench/ops.c checks and times: single ops at the shapes of U-Nets, each as a
   small graph. The batch is a parameter, so that a problem can be checked on few items. */
#ifndef BENCH_PROBLEMS_H
#define BENCH_PROBLEMS_H

#include "graph/graph.h"

enum { PROBLEM_INPUTS = 6, PROBLEM_OUTPUTS = 4 };

/* The result of a builder: input leaves and outputs. */
struct parts {
    int input_count, output_count;
    sumi_node inputs[PROBLEM_INPUTS], outputs[PROBLEM_OUTPUTS];
};

struct problem_type {
    const char *name;
    int64_t size, channels; /* pixels of a side; channels in and out */
    int64_t batch;
    double tolerance; /* relative to the largest element of each output */
    void (*build)(const struct problem_type *type, int64_t batch, sumi_graph *graph,
                  struct parts *parts);
};

extern const struct problem_type problems[];
extern const int problem_count;

#endif

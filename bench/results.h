/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table that bench/ops.c prints and writes as JSON. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/profile.h"

struct result {
    char name[48], shape[48];
    double error, tolerance; /* relative to the largest element of the reference */
    double seconds;          /* median of the runs; 0 with --check */
    struct cost cost;
};

void results_print_head(const sumi_machine *machine);
void results_print(const struct result *result, const sumi_machine *machine);

/* Writes all results as JSON. */
void results_write(FILE *stream, int count, const struct result *results,
                   const sumi_machine *machine);

#endif

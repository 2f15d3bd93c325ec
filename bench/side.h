/* SPDX-License-Identifier: Apache-2.0 */
/* What the processes of Sumi's side of the workloads share: their options, and the commands of
   bench/run. Such a process reads commands on standard input and answers each with
   one line on standard output.
     check N      evaluates N items; writes its inputs and results to its folder; answers with a
   loss and the norm of its gradient, or only with the loss time N       N steps (or evaluations);
   answers with the seconds of each memory       answers with the most memory this process has held,
   in bytes profile N    as time, and answers with one line of JSON: the rows of a profile It ends
   with its input. */
#ifndef BENCH_SIDE_H
#define BENCH_SIDE_H

#include "sumi.h"

#include <stdbool.h>

struct side_options {
    const char *folder, *recipe, *precision; /* precision: NULL for the recipe's */
    bool forward;
    int64_t outputs;
    int threads, set_count; /* threads: 0 for all */
    char *const *sets;
};

/* False after a message if they are wrong. */
bool side_read_options(int argc, char **argv, struct side_options *options);

/* A context that chooses its ways by timing, as the command does. */
sumi_status side_create_context(const struct side_options *options, sumi_context **context);

/* The recipe with its changes. */
sumi_status side_open_recipe(sumi_context *context, const struct side_options *options,
                             sumi_recipe **recipe);

/* What is timed. `check` prints its answer itself. */
struct subject {
    sumi_context *context;
    void *user;
    sumi_status (*run)(void *user);
    sumi_status (*check)(void *user, int64_t count);
};

/* Answers with "ready" and the number of threads, then commands until the input ends; returns the
   exit code. */
int side_answer(const struct subject *subject);

/* Answers with the context's message; returns the exit code. */
int side_fail(const sumi_context *context, const char *what);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The choice among the ways of computing a convolution: by a fixed rule, or by timing all that
   support the problem; timed choices are stored on disk for this processor and version of the
   library. */
#ifndef SUMI_CPU_TUNE_H
#define SUMI_CPU_TUNE_H

#include "cpu/convolution.h"

/* Shared by the kernels of a plan: the library, and the stored choices. */
struct cpu_shared {
    void *library;
    struct memory *memory; /* NULL if ways are not timed */
};

/* Prepares the way to compute `problem`. Release it with convolution_release. */
sumi_status tune_choose(sumi_context *context, void *shared,
                        const struct convolution_problem *problem, struct convolution_ready *ready);

/* The ways by number, in the order of the table; NULL past the last. */
const struct convolution_way *tune_way(int number);

/* ---- the memory of choices (tune_memory.c) ---- */

enum { TUNE_KEY = 192 };

struct choice {
    char key[TUNE_KEY]; /* the problem in words */
    char way[32];
};

struct memory {
    sumi_context *context;
    struct choice *choices;
    int64_t count, capacity;
};

/* Reads the file of earlier choices, where there is one; a damaged one counts as empty. */
sumi_status tune_memory_open(sumi_context *context, struct memory **memory);
void tune_memory_close(struct memory *memory);

/* Called before and after timing: begin takes a lock against other processes and reads their
   choices, end writes the file. After a failure choices are only timed again. */
sumi_status tune_memory_begin(struct memory *memory, int *lock);
void tune_memory_end(const struct memory *memory, int lock);

/* The way chosen for a problem, or NULL. */
const char *tune_memory_find(const struct memory *memory, const char *key);
/* Adds a choice or replaces an earlier one. */
sumi_status tune_memory_add(struct memory *memory, const char *key, const char *way);

/* Adds the choices of a file's text, which ends with a zero byte. Ignores lines that are not a
   choice. */
sumi_status tune_memory_parse(struct memory *memory, const char *text);

#endif

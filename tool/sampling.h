/* SPDX-License-Identifier: Apache-2.0 */
/* Running a model's solver with everything people see of it: progress, previews, the filmstrip of
   the reverse process. Shared by train and the commands of inference.h. */
#ifndef TOOL_SAMPLING_H
#define TOOL_SAMPLING_H

#include "command.h"

enum { FRAME_LIMIT = 8, FRAME_ITEMS = 8, LABEL_SIZE = 24 };

/* States along one reverse process. */
struct filmstrip {
    sumi_array frames; /* [count, n, item] */
    int count;
    char labels[FRAME_LIMIT][LABEL_SIZE];
};

/* Where the first samples have been on their way: states [steps + 1, n, item] of one run. */
struct trail {
    sumi_array states;
    int64_t count; /* n, set before the run */
};

struct sampling {
    sumi_context *context;
    sumi_model *model;
    sumi_session *session; /* that runs it */
    sumi_solver *solver;
    const char *task;       /* for the progress line */
    int64_t start;          /* place in the time list where the solver begins with `from` */
    const sumi_array *from; /* clean items to noise to that place instead of pure noise, or NULL */
    const sumi_array *latents; /* states to begin from as they are, or NULL */
    bool quiet;
    struct filmstrip *strip; /* receives the reverse process; may be NULL */
    struct trail *trail;     /* receives the ways of some samples; may be NULL */
};

/* The recipe that lies beside a model, or NULL in *recipe where there is none. */
sumi_status sampling_recipe(sumi_context *context, const char *folder, sumi_recipe **recipe);

/* A whole number of a recipe, or `otherwise` without a recipe. */
int64_t sampling_whole(const sumi_recipe *recipe, const char *key, int64_t otherwise);

/* The time list of the solver in new memory, to be released with free; the length to *count. NULL
   where memory or the options fail. */
double *sampling_times(sumi_solver *solver, int64_t *count);

/* Runs the solver in place on state[n, item]. Stops with SUMI_STOPPED after Ctrl-C. */
sumi_status sampling_run(const struct sampling *sampling, sumi_array *state);

/* The place in the time list at which a share of the way, 0 to 1, is left, rounded up to a whole
   step; so there is at least one. */
int64_t sampling_place(sumi_solver *solver, double strength);

/* Items noised to a time, by the noise in `state`, which sumi_solver_start has filled; the state
   holds the noised items then. */
sumi_status sampling_noise_items(sumi_solver *solver, const sumi_array *items, double time,
                                 sumi_array *state);

/* Fresh samples in a new array [count, item]; as many as there are in `from` or `latents`. */
sumi_status sampling_draw(const struct sampling *sampling, int64_t count, sumi_array *samples);

/* The filmstrip as PNG. */
sumi_status filmstrip_write(sumi_context *context, const struct filmstrip *strip, const char *path);
void filmstrip_release(sumi_context *context, struct filmstrip *strip);

/* Seconds of a clock that never goes back. */
double clock_now(void);

#endif

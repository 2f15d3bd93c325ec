/* SPDX-License-Identifier: Apache-2.0 */
/* Guides: what steers sampling, between the solver and the model. There are two kinds.

   A guide wraps a denoiser. It gets the state, the noise level, the time and the condition of a
   call, may call the inner denoiser several times, with other conditions, or for vector-Jacobian
   products, and returns the prediction. Guides stack: the inner denoiser may be a guide itself, and
   the whole is again a denoiser, for solvers and likelihoods.

   A correction (sumi_correction, known.c) changes the estimate of clean data after the limits. */
#ifndef SUMI_GUIDES_GUIDE_H
#define SUMI_GUIDES_GUIDE_H

#include "guides/denoising.h"
#include "noise/path.h"

enum { GUIDES_MOST = 8 };

/* The arguments of one evaluation. */
struct guide_call {
    int64_t count, item_size, output_size;
    const float *x;                  /* [count, item_size], on the network's scale */
    const float *times;              /* [count] */
    struct noise_level level;        /* of the first item's time */
    const sumi_condition *condition; /* of the stack; NULL for none */
};

struct guide {
    void *user;
    /* Writes the prediction output[count, output_size]. A condition that it sets on the inner
       denoiser applies only to its own calls: the stack restores its own before the next
       evaluation. */
    sumi_status (*predict)(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output);
    bool sets_condition; /* whether it sets conditions on the inner denoiser */
};

struct guide_layer {
    struct guide_stack *stack;
    struct guide guide;
    struct denoising inner; /* the denoiser that it wraps */
};

/* Guides around a denoiser, the last added outermost. */
struct guide_stack {
    sumi_context *context;
    const struct noise_path *path; /* for the level of a time; NULL: unknown, level is all zero */
    struct denoising core;
    sumi_condition *condition; /* of later calls */
    int count;
    struct guide_layer layers[GUIDES_MOST];
};

/* Opens a stack around `core` without guides. `path` may be NULL and must outlive the stack. The
   stack must not move in memory. */
sumi_status guide_stack_open(sumi_context *context, const struct denoising *core,
                             const struct noise_path *path, struct guide_stack *stack);
void guide_stack_close(struct guide_stack *stack);

/* Adds a guide as the outermost layer. */
sumi_status guide_stack_add(struct guide_stack *stack, const struct guide *guide);

/* The stack as a denoiser. With guides it has no vector-Jacobian products, because their
   derivatives are unknown. */
struct denoising guide_stack_denoising(struct guide_stack *stack);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Guides: what steers a sampling between the solver and the model. There are two kinds.

   A guide wraps a denoiser. It sees the state, the level of noise, the time and the condition of a
   call, may ask the denoiser inside several times, under another condition, or for vector-Jacobian
   products, and gives the prediction. Guides stack: the denoiser inside may be a guide itself, and
   the whole is a denoiser again, which solvers run and likelihoods measure.

   A correction (sumi_correction, known.c) changes the estimate of clean data after the limits. */
#ifndef SUMI_GUIDES_GUIDE_H
#define SUMI_GUIDES_GUIDE_H

#include "guides/denoising.h"
#include "noise/path.h"

enum { GUIDES_MOST = 8 };

/* One evaluation, as a guide sees it. */
struct guide_call {
    int64_t count, item_size, output_size;
    const float *x;                  /* [count, item_size], on the network's scale */
    const float *times;              /* [count] */
    struct noise_level level;        /* of the first item's time */
    const sumi_condition *condition; /* that the stack goes by; NULL for none */
};

struct guide {
    void *user;
    /* Writes the prediction output[count, output_size]. A condition that it sets inside counts for
       its own calls alone: before the next evaluation the stack sets its own again. */
    sumi_status (*predict)(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output);
    bool sets_condition; /* inside */
};

struct guide_layer {
    struct guide_stack *stack;
    struct guide guide;
    struct denoising inner; /* what it wraps */
};

/* Guides around a denoiser, the last added outermost. */
struct guide_stack {
    sumi_context *context;
    const struct noise_path *path; /* tells the level of a time; NULL: unknown, all zero */
    struct denoising core;
    sumi_condition *condition; /* that later calls go by */
    int count;
    struct guide_layer layers[GUIDES_MOST];
};

/* A stack without guides around `core`; `path` may be NULL and must outlive the stack, which must
   stay where it is. */
sumi_status guide_stack_open(sumi_context *context, const struct denoising *core,
                             const struct noise_path *path, struct guide_stack *stack);
void guide_stack_close(struct guide_stack *stack);

/* Puts a guide around what is there. */
sumi_status guide_stack_add(struct guide_stack *stack, const struct guide *guide);

/* The whole as a denoiser. It has no products while it has guides: what a guide does to them is not
   known. */
struct denoising guide_stack_denoising(struct guide_stack *stack);

#endif

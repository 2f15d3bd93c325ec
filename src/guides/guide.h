/* SPDX-License-Identifier: Apache-2.0 */
/* Guides: what steers sampling, between the solver and the model. There are two kinds.

   A guide wraps a denoiser. It gets the state, the noise level, the time and the condition of a
   call, may call the inner denoiser several times, with other conditions, or for vector-Jacobian
   products, and returns the prediction and, if it can, its own products. Guides stack: the inner
   denoiser may be a guide itself, and the whole is again a denoiser, for solvers and likelihoods.
   The kinds of guides by name, with their options, are in kinds.h.

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
    const struct noise_path *path;   /* for the noise level of a time; NULL: unknown */
    enum prediction_type prediction; /* of the network, where the path is known */
    const struct denoising *network; /* without any guide, with the condition of the call */
    const sumi_condition *condition; /* of the call; NULL for none */
    const sumi_condition *null;      /* the null condition, or NULL */
};

/* The prediction of a denoiser for a call, and the same with products. */
sumi_status guide_call_predict(const struct denoising *denoising, const struct guide_call *call,
                               float *output);
sumi_status guide_call_product(const struct denoising *denoising, const struct guide_call *call,
                               const float *vectors, float *output, float *products);

struct guide {
    const char *name; /* for messages */
    void *user;
    /* Writes the prediction output[count, output_size]. A condition that it sets on the inner
       denoiser applies only to its own calls: the stack restores its own afterwards. */
    sumi_status (*predict)(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output);
    /* The same, and products[count, item_size] = v^T d output / d x for vectors[count,
       output_size]. Called only if the inner denoiser has products. NULL: the guide has none. */
    sumi_status (*product)(void *user, const struct denoising *inner, const struct guide_call *call,
                           const float *vectors, float *output, float *products);
    bool sets_condition; /* whether it sets conditions on the inner denoiser */
};

struct guide_layer {
    struct guide_stack *stack;
    struct guide guide;
    struct denoising inner;          /* the denoiser that it wraps */
    const sumi_condition *condition; /* of calls of this layer; borrowed */
};

/* Guides around a denoiser, the last added outermost. */
struct guide_stack {
    sumi_context *context;
    const struct noise_path *path;   /* for the level of a time; NULL: unknown */
    enum prediction_type prediction; /* of the core, set by the owner where there is a path */
    struct denoising core;
    const sumi_condition *condition; /* of later calls; borrowed */
    const sumi_condition *null;      /* the null condition or NULL; borrowed, set by the owner */
    int count;
    struct guide_layer layers[GUIDES_MOST];
};

/* A stack around `core` without guides. `path` may be NULL and must outlive the stack. With guides,
   the stack must not move in memory. */
struct guide_stack guide_stack_of(sumi_context *context, const struct denoising *core,
                                  const struct noise_path *path);

/* Adds a guide as the outermost layer, which is the last of stack->layers[stack->count]. */
sumi_status guide_stack_add(struct guide_stack *stack, const struct guide *guide);

/* The stack as a denoiser. It has vector-Jacobian products if the inner denoiser and every guide
   have them. */
struct denoising guide_stack_denoising(struct guide_stack *stack);

/* The name of a guide that has no products, or NULL. */
const char *guide_stack_without_product(const struct guide_stack *stack);

#endif

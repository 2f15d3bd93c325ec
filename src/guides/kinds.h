/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of guides: each is one file and a row of the table in kinds.c, with a name and options. A
   sumi_guide is a guide of a kind with its settings; guide_add puts it into a stack. */
#ifndef SUMI_GUIDES_KINDS_H
#define SUMI_GUIDES_KINDS_H

#include "base/option_set.h"
#include "guides/guide.h"

struct guide_type {
    const char *name, *paper;
    const char *needs; /* beside a denoiser, NULL: nothing */
    int evaluations;   /* of the network or another one, beside those of the inner denoiser */
    const struct option *options;
    size_t size; /* of `settings`, for the options' offsets and what the kind keeps besides */
    bool sets_condition;
    bool needs_null; /* the null condition of the denoiser's owner */
    /* Refuses values of the options that cannot be around layer->inner. NULL: all can. */
    sumi_status (*check)(const sumi_guide *guide, const struct guide_layer *layer);
    /* As in struct guide, whose user is the sumi_guide; product may be NULL. */
    sumi_status (*predict)(void *guide, const struct denoising *inner,
                           const struct guide_call *call, float *output);
    sumi_status (*product)(void *guide, const struct denoising *inner,
                           const struct guide_call *call, const float *vectors, float *output,
                           float *products);
    void (*release)(sumi_context *context,
                    void *settings); /* frees what is kept there; NULL: nothing */
};

extern const struct guide_type guide_classifier_free, guide_interval, guide_rescale,
    guide_autoguidance, guide_cfg_plus_plus, guide_classifier, guide_negative;

/* log p(y | x) of the items of a call, and its gradients by call->x. */
struct guide_likelihood {
    void *user;
    sumi_status (*gradient)(void *user, const struct guide_call *call, float *log_likelihoods,
                            float *gradients);
    void (*release)(sumi_context *context, void *user); /* NULL: nothing */
};

struct sumi_guide {
    sumi_context *context;
    const struct guide_type *type;
    void *settings;                  /* [type->size], zero except for the options */
    const struct guide_layer *layer; /* its place in a stack, or NULL */
    struct option_set options;
    char owner[OPTION_WORD_SIZE]; /* "the guide NAME" */
    float *spare;                 /* [capacity], of guide_reserve */
    int64_t capacity;
    /* What kinds need beside options, where it has been set. */
    struct denoising helper;            /* another denoiser, of the caller */
    struct guide_likelihood likelihood; /* of a classifier */
    sumi_condition *condition;          /* own copy */
    double *levels;                     /* [level_count]: noise levels that a solver visits */
    int64_t level_count;
};

/* Makes a guide of the kind of that name, its options at their defaults. */
sumi_status guide_create(sumi_context *context, const char *name, sumi_guide **guide);
void guide_free(sumi_guide *guide); /* accepts NULL */

/* Adds the guide to a stack as the outermost, if its options can be around what the stack has so
   far. It must outlive the stack; layer.guide.user is the guide. */
sumi_status guide_add(struct guide_stack *stack, sumi_guide *guide);

/* Gives the guide "classifier" a likelihood, which it releases. */
sumi_status guide_set_likelihood(sumi_guide *guide, const struct guide_likelihood *likelihood);

/* ---- For kinds ---- */

/* Makes guide->spare at least `count` numbers long; what it had is lost. */
sumi_status guide_reserve(sumi_guide *guide, int64_t count);

/* Refuses a stack whose owner does not know the noise level of a time. */
sumi_status guide_check_path(const sumi_guide *guide, const struct guide_layer *layer);

/* The noise level s / a of row i of a call; its path must be known. */
double guide_sigma(const struct guide_call *call, int64_t i);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of guides: each is one file and a row of the table in kinds.c, with a name and options. A
   sumi_guide is a guide of a kind with its settings; guide_of is its interface for a stack. */
#ifndef SUMI_GUIDES_KINDS_H
#define SUMI_GUIDES_KINDS_H

#include "base/option_set.h"
#include "guides/guide.h"

struct guide_type {
    const char *name, *paper;
    const struct option *options;
    size_t size; /* of `settings`, for the options' offsets and what the kind keeps besides */
    bool sets_condition;
    /* As in struct guide, whose user is the sumi_guide; product may be NULL. */
    sumi_status (*predict)(void *guide, const struct denoising *inner,
                           const struct guide_call *call, float *output);
    sumi_status (*product)(void *guide, const struct denoising *inner,
                           const struct guide_call *call, const float *vectors, float *output,
                           float *products);
    void (*release)(sumi_context *context,
                    void *settings); /* frees what is kept there; NULL: nothing */
};

extern const struct guide_type guide_classifier_free;

struct sumi_guide {
    sumi_context *context;
    const struct guide_type *type;
    void *settings; /* [type->size], zero except for the options */
    struct option_set options;
    char owner[OPTION_WORD_SIZE]; /* "the guide NAME" */
    char text[OPTION_WORD_SIZE];  /* of the last sumi_guide_get */
};

/* Makes a guide of the kind of that name, its options at their defaults. */
sumi_status guide_create(sumi_context *context, const char *name, sumi_guide **guide);
void guide_free(sumi_guide *guide); /* accepts NULL */

/* For guide_stack_add; the guide must outlive the stack. */
struct guide guide_of(sumi_guide *guide);

/* Refuses options that have no effect with the others as they are. */
sumi_status guide_check(const sumi_guide *guide);

/* ---- For kinds ---- */

/* The noise level s / a of row i of a call; its path must be known. */
double guide_sigma(const struct guide_call *call, int64_t i);

#endif

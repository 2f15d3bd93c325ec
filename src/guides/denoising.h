/* SPDX-License-Identifier: Apache-2.0 */
/* A denoiser with all its operations: prediction, vector-Jacobian products and setting a condition.
   Sessions of models provide one, guides wrap one in another, and measurements take any. */
#ifndef SUMI_GUIDES_DENOISING_H
#define SUMI_GUIDES_DENOISING_H

#include "guides/condition.h"

struct denoising {
    void *user;
    sumi_denoiser predict;
    sumi_denoiser_product product; /* NULL: none */
    /* Sets the condition of later calls, item i for row i of a call; NULL for none. It is not
       copied, and must exist until another is set. NULL where the denoiser takes no condition. */
    sumi_status (*set_condition)(void *user, const sumi_condition *condition);
    const sumi_condition *condition; /* its initial condition; NULL for none */
    bool needs_class;                /* whether it requires a condition with "class" [n] */
    int64_t item_size;               /* numbers of an item; 0 if unknown */
    int64_t channels;                /* of an item, along its last axis; 0 if unknown */
};

/* One of the caller. */
static inline struct denoising denoising_of_own(const sumi_own_denoiser *own)
{
    return (struct denoising){.user = own->user,
                              .predict = own->predict,
                              .product = own->product,
                              .set_condition = own->set_condition,
                              .channels = own->channels};
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A denoiser with everything that can be asked of it: its prediction, vector-Jacobian products, and
   that it goes by a condition. Sessions of models give one, guides wrap one in another, and
   measurements are made of any. */
#ifndef SUMI_GUIDES_DENOISING_H
#define SUMI_GUIDES_DENOISING_H

#include "guides/condition.h"

struct denoising {
    void *user;
    sumi_denoiser predict;
    sumi_denoiser_product product; /* NULL: none */
    /* Later calls go by this condition, row i of a call by its item i; copied, NULL for none. NULL:
       the denoiser takes no condition. */
    sumi_status (*set_condition)(void *user, const sumi_condition *condition);
    const sumi_condition *condition; /* that it goes by at first; NULL for none */
    bool needs_class;                /* it takes a condition with "class" [n] */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The operator of the caller's functions: A x, A^T y and, if there is one, A^+ y. */
#include "inverse/operator.h"

#include <string.h>

#include "base/structure.h"

static sumi_status apply(const sumi_operator *operator, int64_t row, const float *x, float *y)
{
    (void)row;
    operator->context->message[0] = '\0';
    sumi_status status = operator->forward(operator->user, x, y);
    if (status == SUMI_OK || operator->context->message[0]) return status;
    return context_fail(operator->context, status, "the operator ended with \"%s\"",
                        sumi_status_name(status));
}

static void release(sumi_operator *operator)
{
    for (int i = 0; i < 4; i++) context_release(operator->context, operator->system[i]);
}

const struct operator_type operator_own = {.apply = apply, .release = release};

static sumi_status allocate(sumi_operator *operator)
{
    for (int i = 0; i < 4; i++) {
        int64_t count = operator->measured_size + (i == 3 ? operator->item_size : 0);
        operator->system[i] =
            context_allocate_zeroed(operator->context, (size_t)count, sizeof(float));
        if (!operator->system[i]) return SUMI_ERROR_MEMORY;
    }
    return SUMI_OK;
}

sumi_status sumi_operator_create_own(sumi_context *context, int rank, const int64_t *shape,
                                     const sumi_own_operator *functions, sumi_operator **operator)
{
    sumi_own_operator own;
    *operator= NULL;
    TRY(structure_read(context, "sumi_own_operator", functions, &own, sizeof own));
    if (!own.apply || !own.adjoint || own.measured < 1) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "an operator needs the functions \"apply\" and \"adjoint\" and at "
                            "least one measured number");
    }
    TRY(operator_begin(context, &operator_own, "of the caller", rank, shape, operator));
    (*operator)->user = own.user;
    (*operator)->forward = own.apply;
    (*operator)->adjoint = own.adjoint;
    (*operator)->inverse = own.inverse;
    (*operator)->measured_rank = 1;
    (*operator)->measured_shape[0] = (*operator)->measured_size = own.measured;
    sumi_status status = allocate(*operator);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_operator_free(*operator);
    *operator= NULL;
    return status;
}

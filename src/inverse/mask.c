/* SPDX-License-Identifier: Apache-2.0 */
/* The operator of a mask: some of the numbers of an item are measured. Its measurement has the
   shape of the item; what is not measured is ignored, and zero in A x. */
#include "inverse/operator.h"

#include <math.h>
#include <string.h>

static const float *mask_of(const sumi_operator *operator, int64_t row)
{
    return operator->mask + row % operator->masks * operator->item_size;
}

static sumi_status apply(const sumi_operator *operator, int64_t row, const float *x, float *y)
{
    const float *mask = mask_of(operator, row);
    for (int64_t i = 0; i < operator->item_size; i++) y[i] = mask[i] > 0 ? x[i] : 0;
    return SUMI_OK;
}

static sumi_status back(const sumi_operator *operator, int64_t row, operator_gain gain,
                        double first, double second, const float *r, float *x)
{
    const float *mask = mask_of(operator, row);
    double factor = gain(1, first, second);
    for (int64_t i = 0; i < operator->item_size; i++)
        x[i] = mask[i] > 0 ? (float)(factor * r[i]) : 0;
    return SUMI_OK;
}

static void weigh(const sumi_operator *operator, int64_t row, operator_gain gain, double first,
                  double second, const float *r, double *within, double *beyond)
{
    const float *mask = mask_of(operator, row);
    double factor = gain(1, first, second);
    *within = *beyond = 0;
    for (int64_t i = 0; i < operator->item_size; i++)
        if (mask[i] > 0) *within += factor * r[i] * r[i];
}

static void release(sumi_operator *operator)
{
    context_release(operator->context, operator->mask);
}

const struct operator_type operator_mask = {
    .apply = apply, .back = back, .weigh = weigh, .release = release};

sumi_status operator_copy_mask(sumi_operator *operator, int64_t items, const float *mask)
{
    int64_t count = items * operator->item_size;
    operator->masks = items;
    operator->mask = context_allocate(operator->context, (size_t)count, sizeof *operator->mask);
    if (!operator->mask) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(mask[i])) {
            return context_fail(operator->context, SUMI_ERROR_NUMBER,
                                "number %lld of the mask is not finite", (long long)i);
        }
        operator->mask[i] = mask[i]> 0;
    }
    for (int64_t i = 0; i < items; i++) {
        if (operator_measures(operator, i)) continue;
        return context_fail(operator->context, SUMI_ERROR_ARGUMENT,
                            "mask %lld keeps no number, so nothing is measured; it must be above "
                            "0 (pictures: bright) where numbers are known",
                            (long long)i);
    }
    return SUMI_OK;
}

sumi_status sumi_operator_create_mask(sumi_context *context, int rank, const int64_t *shape,
                                      int64_t masks, const float *mask, sumi_operator **operator)
{
    *operator= NULL;
    if (masks < 1 || !mask) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "an operator needs at least one mask");
    }
    TRY(operator_begin(context, &operator_mask, "mask", rank, shape, operator));
    sumi_status status = operator_copy_mask(*operator, masks, mask);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_operator_free(*operator);
    *operator= NULL;
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Small products by loops of our own, others by the library; see product.h. The library makes code
   for its products when the first is asked for, which takes longer than drawing a sample of a small
   network; a program that only has small ones never waits for that. */
#include "cpu/product.h"

#include "cpu/onednn.h"

/* Multiplications from which the library is faster. */
enum { LARGE = 1 << 20 };

struct product product_of(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                          const float *a, int64_t stride_a, const float *b, int64_t stride_b,
                          float *c, int64_t stride_c)
{
    return (struct product){.m = m,
                            .n = n,
                            .k = k,
                            .a = a,
                            .a_row = transpose_a ? 1 : stride_a,
                            .a_column = transpose_a ? stride_a : 1,
                            .b = b,
                            .b_row = transpose_b ? 1 : stride_b,
                            .b_column = transpose_b ? stride_b : 1,
                            .c = c,
                            .c_row = stride_c};
}

sumi_status product_by_library(const struct product *p)
{
    bool turned_a = p->a_column != 1, turned_b = p->b_column != 1;
    return (p->add ? onednn_add_product : onednn_product)(
        turned_a, turned_b, p->m, p->n, p->k, p->a, turned_a ? p->a_column : p->a_row, p->b,
        turned_b ? p->b_column : p->b_row, p->c, p->c_row);
}

sumi_status product_run(const struct product *p)
{
    if (p->m * p->n * p->k > LARGE) return product_by_library(p);
    product_loops_select()->product(p);
    return SUMI_OK;
}

sumi_status product_explain(sumi_context *context, sumi_status status)
{
    return onednn_explain_product(context, status);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products by whichever is faster for their size: loops of our own, or the library's. */
#ifndef SUMI_CPU_PRODUCT_H
#define SUMI_CPU_PRODUCT_H

#include "cpu/loops/product.h"
#include "graph/kernel.h"

/* May be called from several threads at once and so leaves the message alone: once they are
   together again, product_explain sets the one that goes with the status, which it returns. */
sumi_status product_run(const struct product *product);
sumi_status product_by_library(const struct product *product);
sumi_status product_explain(sumi_context *context, sumi_status status);

/* c[m,n] = a[m,k] b[k,n], each with a row stride, a and b optionally stored transposed. */
struct product product_of(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                          const float *a, int64_t stride_a, const float *b, int64_t stride_b,
                          float *c, int64_t stride_c);

#endif

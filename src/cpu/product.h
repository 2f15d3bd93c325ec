/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products of any size, by the loops of loops/product.h and by one thread or many. They are
   Sumi's own, for those of oneDNN 2 and 3 (dnnl_sgemm, and whatever is called "gemm" in it) use the
   stack pointer as one more register: a signal that comes meanwhile has its frame written over
   their memory. */
#ifndef SUMI_CPU_PRODUCT_H
#define SUMI_CPU_PRODUCT_H

#include "cpu/loops/product.h"
#include "graph/kernel.h"

/* c[m,n] = a[m,k] b[k,n], each with a row stride, a and b optionally stored transposed. */
struct product product_of(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                          const float *a, int64_t stride_a, const float *b, int64_t stride_b,
                          float *c, int64_t stride_c);

/* By the calling thread. */
void product_run(const struct product *product);

/* Bytes of workspace for each of several threads to run such a product, or parts of it: 0 where
   none is wanted. product_part is a thread's workspace in it, for product.workspace. */
size_t product_workspaces(int threads, const struct product *product);
float *product_part(const struct product *product, void *workspaces, int thread);

/* By several threads, as many as are worthwhile; not from within a team. `workspaces` may be NULL.
 */
void product_run_by_team(int threads, const struct product *product, void *workspaces);

#endif

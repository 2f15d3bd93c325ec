/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products of any size, by the loops of loops/product.h and by one thread or many. They do
   not use oneDNN, because the products of versions 2 and 3 (dnnl_sgemm, and all implementations
   named "gemm") use the stack pointer as a general register: a signal during that time overwrites
   their memory with its frame. */
#ifndef SUMI_CPU_PRODUCT_H
#define SUMI_CPU_PRODUCT_H

#include "cpu/loops/product.h"
#include "graph/kernel.h"

/* c[m,n] = a[m,k] b[k,n], each with a row stride, a and b optionally stored transposed. All are
   float32; other types are set afterwards. */
struct product product_of(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                          const void *a, int64_t stride_a, const void *b, int64_t stride_b, void *c,
                          int64_t stride_c);

/* By the calling thread. A c of bfloat16 is summed in float32, tile by tile, and rounded once. */
void product_run(const struct product *product);

/* Bytes of workspace for each of several threads to run such a product, or parts of it: 0 if none
   is needed. product_take_workspace gives a product its thread's part of it. Only products of
   float32 run without it. */
size_t product_workspaces(int threads, const struct product *product);
void product_take_workspace(struct product *product, void *workspaces, int thread);

/* By several threads, as many as pay off; not inside a team. `workspaces` may be NULL where all are
   float32. */
void product_run_by_team(int threads, const struct product *product, void *workspaces);

#endif

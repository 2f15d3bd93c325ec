/* SPDX-License-Identifier: Apache-2.0 */
/* Batched matrix products: large ones one after the other with all threads inside, many small ones
   side by side. */
#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/product.h"

/* A batch of products, the first of them, and what the last failure was. */
struct batch {
    int64_t count;
    struct product first;
    sumi_status status;
};

static struct batch describe(const struct call *call)
{
    const struct node *node = call->problem->node;
    const struct shape *a = call->problem->inputs[0], *b = call->problem->inputs[1];
    bool transpose_a = node->attributes.matmul.transpose_a,
         transpose_b = node->attributes.matmul.transpose_b;
    int rank = node->shape.rank;
    int64_t m = node->shape.size[rank - 2], n = node->shape.size[rank - 1];
    int64_t k = a->size[transpose_a ? rank - 2 : rank - 1];
    return (struct batch){.count = shape_span(&node->shape, 0, rank - 2),
                          .first = product_of(transpose_a, transpose_b, m, n, k, call->inputs[0],
                                              a->size[rank - 1], call->inputs[1], b->size[rank - 1],
                                              call->output, n)};
}

static void multiply_all(struct batch *batch)
{
#pragma omp for schedule(static)
    for (int64_t i = 0; i < batch->count; i++) {
        struct product p = batch->first;
        p.a += i * p.m * p.k;
        p.b += i * p.k * p.n;
        p.c += i * p.m * p.n;
        sumi_status one = product_run(&p);
        if (one != SUMI_OK) {
#pragma omp atomic write
            batch->status = one;
        }
    }
}

static sumi_status run_matmul(const struct call *call)
{
    struct batch batch = describe(call);
    const struct product *p = &batch.first;
    int threads = worthwhile_threads(call->problem->threads, batch.count * p->m * p->n * p->k / 8);
    BY_TEAM(batch.count > 1 ? threads : 1, multiply_all(&batch));
    return product_explain(call->problem->context, batch.status);
}

const struct kernel kernel_matmul = {.run = run_matmul};

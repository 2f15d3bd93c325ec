/* SPDX-License-Identifier: Apache-2.0 */
/* Batched matrix products: one with all threads inside, several side by side. */
#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/product.h"

/* A batch of products, and the first of them. */
struct batch {
    int64_t count;
    struct product first;
};

/* Without the operands. */
static struct batch describe(const struct problem *problem)
{
    const struct node *node = problem->node;
    const struct shape *a = problem->inputs[0], *b = problem->inputs[1];
    bool transpose_a = node->attributes.matmul.transpose_a,
         transpose_b = node->attributes.matmul.transpose_b;
    int rank = node->shape.rank;
    int64_t m = node->shape.size[rank - 2], n = node->shape.size[rank - 1];
    int64_t k = a->size[transpose_a ? rank - 2 : rank - 1];
    return (struct batch){.count = shape_span(&node->shape, 0, rank - 2),
                          .first = product_of(transpose_a, transpose_b, m, n, k, NULL,
                                              a->size[rank - 1], NULL, b->size[rank - 1], NULL, n)};
}

static sumi_status prepare(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct batch batch = describe(problem);
    *scratch = product_workspaces(problem->threads, &batch.first);
    return SUMI_OK;
}

static void multiply_all(const struct batch *batch, void *workspaces)
{
    float *workspace = product_part(&batch->first, workspaces, omp_get_thread_num());
#pragma omp for schedule(static)
    for (int64_t i = 0; i < batch->count; i++) {
        struct product p = batch->first;
        p.a += i * p.m * p.k;
        p.b += i * p.k * p.n;
        p.c += i * p.m * p.n;
        p.workspace = workspace;
        product_run(&p);
    }
}

static sumi_status run_matmul(const struct call *call)
{
    struct batch batch = describe(call->problem);
    struct product *p = &batch.first;
    p->a = call->inputs[0];
    p->b = call->inputs[1];
    p->c = call->output;
    int threads = worthwhile_threads(call->problem->threads, batch.count * p->m * p->n * p->k / 8);
    if (batch.count > 1) BY_TEAM(threads, multiply_all(&batch, call->scratch));
    else product_run_by_team(call->problem->threads, p, call->scratch);
    return SUMI_OK;
}

const struct kernel kernel_matmul = {.prepare = prepare, .run = run_matmul};

/* SPDX-License-Identifier: Apache-2.0 */
/* Batched matrix products: a single one by all threads, or several in parallel by one thread each.
 */
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
    struct product first = product_of(transpose_a, transpose_b, m, n, k, NULL, a->size[rank - 1],
                                      NULL, b->size[rank - 1], NULL, n);
    first.a_element = problem->input_elements[0];
    first.b_element = problem->input_elements[1];
    first.c_element = problem->output_element;
    first.rounds = first.c_element == SUMI_BFLOAT16;
    return (struct batch){.count = shape_span(&node->shape, 0, rank - 2), .first = first};
}

static sumi_status prepare(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct batch batch = describe(problem);
    *scratch = product_workspaces(problem->threads, &batch.first);
    return SUMI_OK;
}

/* Shared among a team. */
static void multiply_all(const struct batch *batch, void *workspaces)
{
    struct product own = batch->first;
    product_take_workspace(&own, workspaces, omp_get_thread_num());
    const int64_t of_c = own.m * own.n * (int64_t)element_size(own.c_element);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < batch->count; i++) {
        struct product p = own;
        p.a = element_address(own.a, own.a_element, i * own.m * own.k);
        p.b = element_address(own.b, own.b_element, i * own.k * own.n);
        p.c = (char *)own.c + i * of_c;
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

/* Accepts operands of 16 bits in any combination. */
static unsigned bf16_operands(const struct problem *problem)
{
    (void)problem;
    return BF16_INPUT(0) | BF16_INPUT(1) | BF16_OUTPUT;
}

const struct kernel kernel_matmul = {.prepare = prepare,
                                     .run = run_matmul,
                                     .bf16 = bf16_operands,
                                     .f16 = BF16_INPUT(0) | BF16_INPUT(1)};

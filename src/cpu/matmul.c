/* Batched matrix products: large ones by the library one after the other with all threads inside,
   small ones by loops of our own, side by side. */
#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/product.h"
#include "cpu/onednn.h"

/* Up to so many multiplications the library takes as long to begin as we take to end. */
enum { SMALL_PRODUCT = 1 << 17 };

/* A batch of products, and the first of them in the terms of loops/product.h. */
struct batch {
    int64_t count;
    struct product product;
    bool transpose_a, transpose_b;
    sumi_status status;
};

static struct batch describe(const struct call *call)
{
    const struct node *node = call->problem->node;
    int rank = node->shape.rank;
    int64_t columns_a = call->problem->inputs[0]->size[rank - 1];
    int64_t columns_b = call->problem->inputs[1]->size[rank - 1];
    struct batch batch = {.count = shape_span(&node->shape, 0, rank - 2),
                          .transpose_a = node->attributes.transpose_a,
                          .transpose_b = node->attributes.transpose_b,
                          .product = {.m = node->shape.size[rank - 2],
                                      .n = node->shape.size[rank - 1],
                                      .a = call->inputs[0],
                                      .b = call->inputs[1],
                                      .c = call->output}};
    struct product *p = &batch.product;
    p->k = batch.transpose_a ? call->problem->inputs[0]->size[rank - 2] : columns_a;
    p->a_row = batch.transpose_a ? 1 : columns_a;
    p->a_column = batch.transpose_a ? columns_a : 1;
    p->b_row = batch.transpose_b ? 1 : columns_b;
    p->b_column = batch.transpose_b ? columns_b : 1;
    p->c_row = p->n;
    return batch;
}

/* Product number i. */
static sumi_status multiply(const struct batch *batch, int64_t i, bool small)
{
    struct product p = batch->product;
    p.a += i * p.m * p.k;
    p.b += i * p.k * p.n;
    p.c += i * p.m * p.n;
    if (small) {
        product_loops_select()->product(&p);
        return SUMI_OK;
    }
    return onednn_product(batch->transpose_a, batch->transpose_b, p.m, p.n, p.k, p.a,
                          batch->transpose_a ? p.a_column : p.a_row, p.b,
                          batch->transpose_b ? p.b_column : p.b_row, p.c, p.c_row);
}

static void multiply_all(struct batch *batch, bool small)
{
#pragma omp for schedule(static)
    for (int64_t i = 0; i < batch->count; i++) {
        sumi_status one = multiply(batch, i, small);
        if (one != SUMI_OK) {
#pragma omp atomic write
            batch->status = one;
        }
    }
}

static sumi_status run_matmul(const struct call *call)
{
    struct batch batch = describe(call);
    int64_t work = batch.product.m * batch.product.n * batch.product.k;
    int threads = worthwhile_threads(call->problem->threads, batch.count * work / 8);
    if (threads > batch.count) threads = (int)batch.count;
    BY_TEAM(threads, multiply_all(&batch, work <= SMALL_PRODUCT));
    return onednn_explain_product(call->problem->context, batch.status);
}

const struct kernel kernel_matmul = {.run = run_matmul};

/* Batched matrix products by the library's single one: large products one after the other with all
   threads inside, many small ones side by side. */
#include "cpu/cpu.h"
#include "cpu/onednn.h"

static sumi_status run_matmul(const struct call *call)
{
    const struct problem *problem = call->problem;
    const struct node *node = problem->node;
    const struct shape *a = problem->inputs[0], *b = problem->inputs[1];
    const bool transpose_a = node->attributes.transpose_a;
    const bool transpose_b = node->attributes.transpose_b;
    int rank = node->shape.rank;
    int64_t m = node->shape.size[rank - 2], n = node->shape.size[rank - 1];
    int64_t k = a->size[transpose_a ? rank - 2 : rank - 1];
    int64_t batch = shape_span(&node->shape, 0, rank - 2);
    int threads = batch > 1 ? worthwhile_threads(problem->threads, batch * m * n * k / 8) : 1;
    if (threads > batch) threads = (int)batch;
    sumi_status status = SUMI_OK;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (int64_t i = 0; i < batch; i++) {
        sumi_status one = onednn_product(transpose_a, transpose_b, m, n, k,
                                         call->inputs[0] + i * m * k, a->size[rank - 1],
                                         call->inputs[1] + i * k * n, b->size[rank - 1],
                                         call->output + i * m * n, n);
        if (one != SUMI_OK) {
#pragma omp atomic write
            status = one;
        }
    }
    return onednn_explain_product(problem->context, status);
}

const struct kernel kernel_matmul = {NULL, run_matmul, NULL};

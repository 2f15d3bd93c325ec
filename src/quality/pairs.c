/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of rows in blocks of BLOCK x BLOCK rows, which two panels in cache serve. */
#include "quality/pairs.h"

#include <omp.h>

#include "quality/dot.h"

enum { BLOCK = 32, BLOCKS_AT_ONCE = 4 }; /* of a thread between two reports of progress */

struct pairs {
    const struct samples *a, *b;
    enum pair_kind kind;
    pair_visit visit;
    void *user;
    double *panels; /* [threads, 2 panels of BLOCK rows] */
};

/* out[4] of a row with four rows, which share the loads of the first. */
static void four_distances(int64_t columns, const double *a, const double *b, double out[4])
{
    const double *b1 = b + columns, *b2 = b1 + columns, *b3 = b2 + columns;
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (int64_t i = 0; i < columns; i++) {
        double d0 = a[i] - b[i], d1 = a[i] - b1[i], d2 = a[i] - b2[i], d3 = a[i] - b3[i];
        s0 += d0 * d0;
        s1 += d1 * d1;
        s2 += d2 * d2;
        s3 += d3 * d3;
    }
    out[0] = s0, out[1] = s1, out[2] = s2, out[3] = s3;
}

/* Values of one row with b[BLOCK, columns]; rows past the last are computed and not visited. */
static void row_values(const struct pairs *pairs, const double *a, const double *b, int64_t count,
                       double values[BLOCK])
{
    int64_t columns = pairs->a->columns;
    for (int64_t j = 0; j < count; j += 4) {
        if (pairs->kind == PAIR_PRODUCT) dot_with_four(columns, a, b + j * columns, values + j);
        else four_distances(columns, a, b + j * columns, values + j);
    }
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* All pairs of one block of rows of a. */
static void visit_block(const struct pairs *pairs, int64_t block)
{
    int64_t columns = pairs->a->columns, first = block * BLOCK;
    int64_t rows = smaller(BLOCK, pairs->a->rows - first);
    double *a = pairs->panels + omp_get_thread_num() * 2 * BLOCK * columns;
    double *b = a + BLOCK * columns, values[BLOCK];
    samples_panel(pairs->a, first, rows, a);
    for (int64_t other = 0; other < pairs->b->rows; other += BLOCK) {
        int64_t count = smaller(BLOCK, pairs->b->rows - other);
        samples_panel(pairs->b, other, count, b);
        for (int64_t i = 0; i < rows; i++) {
            row_values(pairs, a + i * columns, b, count, values);
            pairs->visit(pairs->user, first + i, other, count, values);
        }
    }
}

sumi_status pairs_visit(struct work *work, const struct samples *a, const struct samples *b,
                        enum pair_kind kind, pair_visit visit, void *user)
{
    int threads = work->context->threads;
    struct pairs pairs = {.a = a, .b = b, .kind = kind, .visit = visit, .user = user};
    pairs.panels = context_allocate_zeroed(work->context, (size_t)threads * 2 * BLOCK,
                                           (size_t)a->columns * sizeof *pairs.panels);
    if (!pairs.panels) return SUMI_ERROR_MEMORY;
    int64_t blocks = (a->rows + BLOCK - 1) / BLOCK, group = (int64_t)threads * BLOCKS_AT_ONCE;
    sumi_status status = SUMI_OK;
    for (int64_t start = 0; start < blocks && status == SUMI_OK; start += group) {
        int64_t end = smaller(blocks, start + group);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
        for (int64_t block = start; block < end; block++) visit_block(&pairs, block);
        status = work_advance(work, smaller(a->rows, end * BLOCK) - start * BLOCK);
    }
    context_release(work->context, pairs.panels);
    return status;
}

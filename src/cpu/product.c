/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products of any size; see product.h. */
#include "cpu/product.h"

#include "base/team.h"
#include "cpu/cpu.h"

/* Rows of a that lie so far apart (floats) fall on few lines of a cache; columns from which on, and
   rows, copying them is worth the time. */
enum { FAR_ROWS = 512, MANY_COLUMNS = 128, MANY_ROWS = 48 };

/* A thread's share of a product is a multiple of these. */
enum { SHARE_ROWS = 12, SHARE_COLUMNS = PRODUCT_PANEL };

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

bool product_wants_workspace(const struct product *p)
{
    int64_t apart = p->a_column == 1 ? p->a_row : p->a_column;
    return apart >= FAR_ROWS && p->n >= MANY_COLUMNS && p->m >= MANY_ROWS;
}

void product_run(const struct product *product)
{
    product_loops_select()->product(product);
}

size_t product_workspaces(int threads, const struct product *product)
{
    return product_wants_workspace(product) ? (size_t)threads * PRODUCT_WORKSPACE * sizeof(float)
                                            : 0;
}

float *product_part(const struct product *product, void *workspaces, int thread)
{
    bool given = workspaces && product_wants_workspace(product);
    return given ? (float *)workspaces + thread * (int64_t)PRODUCT_WORKSPACE : NULL;
}

/* Where share `number` of `count` of `size` begins, in steps. */
static int64_t share_begin(int64_t size, int64_t step, int number, int count)
{
    int64_t steps = (size + step - 1) / step, begin = steps * number / count * step;
    return begin < size ? begin : size;
}

/* A thread's share: rows where there are more of them than columns, else columns. */
static void multiply_share(const struct product *p, void *workspaces)
{
    const int thread = omp_get_thread_num(), count = omp_get_num_threads();
    const bool rows = p->m > p->n;
    const int64_t size = rows ? p->m : p->n, step = rows ? SHARE_ROWS : SHARE_COLUMNS;
    const int64_t begin = share_begin(size, step, thread, count);
    const int64_t length = share_begin(size, step, thread + 1, count) - begin;
    if (length == 0) return;
    struct product share = *p;
    if (rows) {
        share.m = length;
        share.a += begin * p->a_row;
        share.c += begin * p->c_row;
    } else {
        share.n = length;
        share.b += begin / PRODUCT_PANEL * p->b_panel + (p->b_panel ? 0 : begin * p->b_column);
        share.c += begin / PRODUCT_PANEL * p->c_panel + (p->c_panel ? 0 : begin);
    }
    share.workspace = product_part(p, workspaces, thread);
    product_run(&share);
}

void product_run_by_team(int threads, const struct product *p, void *workspaces)
{
    BY_TEAM(worthwhile_threads(threads, p->m * p->n * p->k / 8), multiply_share(p, workspaces));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products of any size; see product.h. */
#include "cpu/product.h"

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"
#include "cpu/sizes.h"

/* Rows of a at this distance (in floats) or more fall on few lines of a cache; the least columns
   and rows for which copying them saves time. */
enum { FAR_ROWS = 512, MANY_COLUMNS = 128, MANY_ROWS = 48 };

/* Floats of a tile of sums, half of a second-level cache, and its columns at most. */
enum { TILE = 1 << 18, TILE_COLUMNS = 512 };

/* A thread's share of a product is a multiple of these. */
enum { SHARE_ROWS = 12, SHARE_COLUMNS = PRODUCT_PANEL };

struct product product_of(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                          const void *a, int64_t stride_a, const void *b, int64_t stride_b, void *c,
                          int64_t stride_c)
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
    if (p->a_element != SUMI_FLOAT32 || p->rounds) return true;
    int64_t apart = p->a_column == 1 ? p->a_row : p->a_column;
    return apart >= FAR_ROWS && p->n >= MANY_COLUMNS && p->m >= MANY_ROWS;
}

/* Sums a tile of c in float32 and rounds it, one after the other. */
static void run_rounded(const struct product *p)
{
    const struct loops *loops = loops_select();
    const int64_t columns = least(p->n, TILE_COLUMNS), rows = least(p->m, TILE / columns);
    for (int64_t column = 0; column < p->n; column += columns) {
        for (int64_t row = 0; row < p->m; row += rows) {
            struct product tile = *p;
            tile.m = least(p->m - row, rows);
            tile.n = least(p->n - column, columns);
            tile.a = element_address(p->a, p->a_element, row * p->a_row);
            tile.b = element_address(p->b, p->b_element, column * p->b_column);
            tile.c = p->sums;
            tile.c_element = SUMI_FLOAT32;
            tile.c_row = tile.n;
            product_loops_select()->product(&tile);
            bfloat16 *to = (bfloat16 *)p->c + row * p->c_row + column;
            for (int64_t i = 0; i < tile.m; i++) {
                loops->to_bf16(tile.n, p->sums + i * tile.n, to + i * p->c_row);
            }
        }
    }
}

void product_run(const struct product *product)
{
    if (product->c_element == SUMI_BFLOAT16) run_rounded(product);
    else product_loops_select()->product(product);
}

/* ---- Workspace ---- */

/* Floats of a tile, rounded up to whole vectors; a part of a product needs at most as many as the
   whole. */
static int64_t sums_of(const struct product *p)
{
    if (p->c_element != SUMI_BFLOAT16) return 0;
    return lined_floats(least(p->m * p->n, TILE));
}

static int64_t floats_of(const struct product *p)
{
    return sums_of(p) + (product_wants_workspace(p) ? PRODUCT_WORKSPACE : 0);
}

size_t product_workspaces(int threads, const struct product *product)
{
    return (size_t)(threads * floats_of(product)) * sizeof(float);
}

void product_take_workspace(struct product *product, void *workspaces, int thread)
{
    product->workspace = product->sums = NULL;
    if (!workspaces) return;
    float *own = (float *)workspaces + thread * floats_of(product);
    if (sums_of(product)) product->sums = own;
    if (product_wants_workspace(product)) product->workspace = own + sums_of(product);
}

/* ---- Several threads ---- */

/* Where share `number` of `count` of `size` begins, in steps. */
static int64_t share_begin(int64_t size, int64_t step, int number, int count)
{
    int64_t steps = (size + step - 1) / step, begin = steps * number / count * step;
    return begin < size ? begin : size;
}

/* A thread's share: rows if there are more rows than columns, else columns. */
static void multiply_share(const struct product *p, void *workspaces)
{
    const int thread = omp_get_thread_num(), count = omp_get_num_threads();
    const bool rows = p->m > p->n;
    const int64_t size = rows ? p->m : p->n, step = rows ? SHARE_ROWS : SHARE_COLUMNS;
    const int64_t begin = share_begin(size, step, thread, count);
    const int64_t length = share_begin(size, step, thread + 1, count) - begin;
    if (length == 0) return;
    const int64_t panel = begin / PRODUCT_PANEL;
    struct product share = *p;
    product_take_workspace(&share, workspaces, thread);
    int64_t of_c = begin * p->c_row;
    if (rows) {
        share.m = length;
        share.a = element_address(p->a, p->a_element, begin * p->a_row);
    } else {
        share.n = length;
        int64_t of_b = p->b_panel ? panel * p->b_panel : begin * p->b_column;
        share.b = element_address(p->b, p->b_element, of_b);
        of_c = p->c_panel ? panel * p->c_panel : begin;
    }
    share.c = (char *)p->c + of_c * (int64_t)element_size(p->c_element);
    product_run(&share);
}

void product_run_by_team(int threads, const struct product *p, void *workspaces)
{
    BY_TEAM(worthwhile_threads(threads, p->m * p->n * p->k / 8), multiply_share(p, workspaces));
}

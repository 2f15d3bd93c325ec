/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers with an epilogue. The rows are cut into tiles whose results are still in cache when
   the epilogue reads them; x may lie in two arrays, whose products are added up. */
#include "ops/linear.h"

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/epilogue.h"
#include "cpu/product.h"

/* Floats of a tile of results, half of a second-level cache; rows that are worth a product. */
enum { TILE = 1 << 18, FEWEST_ROWS = 64 };

struct layer {
    int64_t rows, out, tile;
    int64_t width[2]; /* channels of the arrays of x */
    const float *x[2];
    bool transposed;
    struct epilogue epilogue;
    int threads;
};

static struct layer layer_of(const struct call *call)
{
    const struct problem *problem = call->problem;
    const struct node *node = problem->node;
    const struct shape *x = problem->inputs[0], *w = problem->inputs[1], *y = &node->shape;
    int second = epilogue_input(node, LINEAR_SECOND);
    struct layer l = {.out = y->size[y->rank - 1],
                      .transposed = node->attributes.matmul.transpose_b};
    l.rows = shape_count(y) / l.out;
    l.width[0] = x->size[x->rank - 1];
    l.width[1] = second < 0 ? 0 : shape_count(w) / l.out - l.width[0];
    l.x[0] = call->inputs[0];
    l.x[1] = second < 0 ? NULL : call->inputs[second];
    l.epilogue = epilogue_of(call, l.out);
    l.tile = TILE / l.out < FEWEST_ROWS ? FEWEST_ROWS : TILE / l.out;
    int64_t work = l.rows * l.out * (l.width[0] + l.width[1]) / 8;
    l.threads = worthwhile_threads(problem->threads, work);
    /* as many tiles as threads at least, unless they would be too small */
    int64_t share = (l.rows + l.threads - 1) / l.threads;
    if (l.tile > share) l.tile = share < FEWEST_ROWS ? FEWEST_ROWS : share;
    return l;
}

static sumi_status multiply_tile(const struct call *call, const struct layer *l, int64_t first,
                                 int64_t count)
{
    const float *w = call->inputs[1];
    float *y = call->output + first * l->out;
    int64_t in = l->width[0] + l->width[1], w_stride = l->transposed ? in : l->out;
    for (int i = 0; i < 2 && l->x[i]; i++) {
        struct product p =
            product_of(false, l->transposed, count, l->out, l->width[i],
                       l->x[i] + first * l->width[i], l->width[i], w, w_stride, y, l->out);
        p.add = i > 0;
        TRY(product_run(&p));
        w += l->width[i] * (l->transposed ? 1 : l->out);
    }
    if (!epilogue_is_empty(&l->epilogue)) epilogue_apply(&l->epilogue, first, count, y);
    return SUMI_OK;
}

/* A thread's share of the tiles. */
static void multiply_tiles(const struct call *call, const struct layer *l, int64_t tiles,
                           sumi_status *status)
{
#pragma omp for schedule(static)
    for (int64_t tile = 0; tile < tiles; tile++) {
        int64_t first = tile * l->tile, left = l->rows - first;
        sumi_status one = multiply_tile(call, l, first, left < l->tile ? left : l->tile);
        if (one != SUMI_OK) {
#pragma omp atomic write
            *status = one;
        }
    }
}

static sumi_status run_linear(const struct call *call)
{
    struct layer l = layer_of(call);
    int64_t tiles = (l.rows + l.tile - 1) / l.tile;
    int threads = tiles < l.threads ? (int)tiles : l.threads;
    sumi_status status = SUMI_OK;
    BY_TEAM(threads, multiply_tiles(call, &l, tiles, &status));
    return product_explain(call->problem->context, status);
}

const struct kernel kernel_linear = {.run = run_linear};

static sumi_status run_weight_gradient(const struct call *call)
{
    const struct problem *problem = call->problem;
    const struct shape *dy = problem->inputs[0];
    int64_t out = dy->size[dy->rank - 1], rows = shape_count(dy) / out;
    int64_t in = shape_count(&problem->node->shape) / out, first = 0;
    for (int i = 1; i <= 2; i++) {
        const struct shape *x = problem->inputs[i];
        int64_t width = x->size[x->rank - 1];
        struct product p = product_of(true, false, out, width, rows, call->inputs[0], out,
                                      call->inputs[i], width, call->output + first, in);
        TRY(product_explain(problem->context, product_run(&p)));
        first += width;
    }
    return SUMI_OK;
}

const struct kernel kernel_linear_weight_gradient = {.run = run_weight_gradient};

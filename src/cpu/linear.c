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
    void *workspaces; /* for the threads' products */
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
    l.workspaces = call->scratch;
    l.tile = TILE / l.out < FEWEST_ROWS ? FEWEST_ROWS : TILE / l.out;
    int64_t work = l.rows * l.out * (l.width[0] + l.width[1]) / 8;
    l.threads = worthwhile_threads(problem->threads, work);
    /* as many tiles as threads at least, unless they would be too small */
    int64_t share = (l.rows + l.threads - 1) / l.threads;
    if (l.tile > share) l.tile = share < FEWEST_ROWS ? FEWEST_ROWS : share;
    return l;
}

/* By the calling thread, or by `threads` if that is more than one. */
static void multiply_tile(const struct call *call, const struct layer *l, int64_t first,
                          int64_t count, int threads)
{
    const float *w = call->inputs[1];
    float *y = call->output + first * l->out;
    int64_t in = l->width[0] + l->width[1], w_stride = l->transposed ? in : l->out;
    for (int i = 0; i < 2 && l->x[i]; i++) {
        struct product p =
            product_of(false, l->transposed, count, l->out, l->width[i],
                       l->x[i] + first * l->width[i], l->width[i], w, w_stride, y, l->out);
        p.add = i > 0;
        p.workspace = product_part(&p, l->workspaces, omp_get_thread_num());
        if (threads > 1) product_run_by_team(threads, &p, l->workspaces);
        else product_run(&p);
        w += l->width[i] * (l->transposed ? 1 : l->out);
    }
    if (!epilogue_is_empty(&l->epilogue)) epilogue_apply(&l->epilogue, first, count, y);
}

/* A thread's share of the tiles. */
static void multiply_tiles(const struct call *call, const struct layer *l, int64_t tiles)
{
#pragma omp for schedule(static)
    for (int64_t tile = 0; tile < tiles; tile++) {
        int64_t first = tile * l->tile, left = l->rows - first;
        multiply_tile(call, l, first, left < l->tile ? left : l->tile, 1);
    }
}

static sumi_status run_linear(const struct call *call)
{
    struct layer l = layer_of(call);
    int64_t tiles = (l.rows + l.tile - 1) / l.tile;
    int threads = tiles < l.threads ? (int)tiles : l.threads;
    if (tiles == 1) multiply_tile(call, &l, 0, l.rows, call->problem->threads);
    else BY_TEAM(threads, multiply_tiles(call, &l, tiles));
    return SUMI_OK;
}

/* Workspace for products with an x of this shape; see layer_of. */
static size_t rooms_for(const struct problem *problem, const struct shape *x)
{
    const struct shape *y = &problem->node->shape;
    int64_t width = x->size[x->rank - 1], out = y->size[y->rank - 1];
    struct product p = product_of(false, false, shape_count(y) / out, out, width, NULL, width, NULL,
                                  out, NULL, out);
    return product_workspaces(problem->threads, &p);
}

static sumi_status prepare_linear(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    int second = epilogue_input(problem->node, LINEAR_SECOND);
    *scratch = rooms_for(problem, problem->inputs[0]);
    size_t other = second < 0 ? 0 : rooms_for(problem, problem->inputs[second]);
    if (other > *scratch) *scratch = other;
    return SUMI_OK;
}

const struct kernel kernel_linear = {.prepare = prepare_linear, .run = run_linear};

/* The gradient by the weights of array `i` of x. */
static struct product part_of_gradient(const struct problem *problem, int i)
{
    const struct shape *dy = problem->inputs[0], *x = problem->inputs[i];
    int64_t out = dy->size[dy->rank - 1], width = x->size[x->rank - 1];
    int64_t in = shape_count(&problem->node->shape) / out;
    return product_of(true, false, out, width, shape_count(dy) / out, NULL, out, NULL, width, NULL,
                      in);
}

static sumi_status prepare_weight_gradient(const struct problem *problem, void **state,
                                           size_t *scratch)
{
    (void)state;
    for (int i = 1; i <= 2; i++) {
        struct product p = part_of_gradient(problem, i);
        size_t workspaces = product_workspaces(problem->threads, &p);
        if (workspaces > *scratch) *scratch = workspaces;
    }
    return SUMI_OK;
}

static sumi_status run_weight_gradient(const struct call *call)
{
    const struct problem *problem = call->problem;
    float *to = call->output;
    for (int i = 1; i <= 2; i++) {
        struct product p = part_of_gradient(problem, i);
        p.a = call->inputs[0];
        p.b = call->inputs[i];
        p.c = to;
        product_run_by_team(problem->threads, &p, call->scratch);
        to += p.n;
    }
    return SUMI_OK;
}

const struct kernel kernel_linear_weight_gradient = {.prepare = prepare_weight_gradient,
                                                     .run = run_weight_gradient};

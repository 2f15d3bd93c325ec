/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers with an epilogue. The rows are cut into tiles whose results are still in cache when
   the epilogue reads them; x may lie in two arrays, whose products are added up. Results of
   bfloat16 are summed in float32, a tile in memory of the thread's own, and rounded by the
   epilogue. */
#include "ops/linear.h"

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/epilogue.h"
#include "cpu/product.h"
#include "cpu/sizes.h"

/* Floats of a tile of results, half of a second-level cache; rows that are worth a product; and
   rows for which a product arranges the weights once, so that wide layers take more than a cache.
 */
enum { TILE = 1 << 18, FEWEST_ROWS = 64, ROWS_AT_ONCE = 240 };

/* Who computes a tile: a thread by its number, or all. */
enum { ALL_THREADS = -1 };

struct layer {
    int64_t rows, out, tile, tiles;
    int64_t width[2]; /* channels of the arrays of x, 0 for none */
    int input[2];     /* their numbers among the node's inputs */
    bool transposed, rounds;
    int threads;
};

static struct layer layer_of(const struct problem *problem)
{
    const struct node *node = problem->node;
    const struct shape *x = problem->inputs[0], *w = problem->inputs[1], *y = &node->shape;
    int second = epilogue_input(node, LINEAR_SECOND);
    struct layer l = {.out = y->size[y->rank - 1],
                      .input = {0, second},
                      .transposed = node->attributes.matmul.transpose_b,
                      .rounds = problem->output_element == SUMI_BFLOAT16};
    l.rows = shape_count(y) / l.out;
    l.width[0] = x->size[x->rank - 1];
    l.width[1] = second < 0 ? 0 : shape_count(w) / l.out - l.width[0];
    l.tile = TILE / l.out < ROWS_AT_ONCE ? ROWS_AT_ONCE : TILE / l.out;
    int64_t work = l.rows * l.out * (l.width[0] + l.width[1]) / 8;
    l.threads = worthwhile_threads(problem->threads, work);
    /* tiles of one size, as many for each thread, unless they would be too small */
    int64_t tiles = (l.rows + l.tile * l.threads - 1) / (l.tile * l.threads) * l.threads;
    int64_t share = (l.rows + tiles - 1) / tiles;
    if (l.tile > share) l.tile = share < FEWEST_ROWS ? FEWEST_ROWS : share;
    if (l.tile > l.rows) l.tile = l.rows;
    l.tiles = (l.rows + l.tile - 1) / l.tile;
    if (l.tiles < l.threads) l.threads = (int)l.tiles;
    return l;
}

/* The product of `count` rows of array `i` of x with its part of the weights; without operands and
   result. */
static struct product product_with(const struct problem *problem, const struct layer *l, int i,
                                   int64_t count)
{
    int64_t in = l->width[0] + l->width[1];
    struct product p = product_of(false, l->transposed, count, l->out, l->width[i], NULL,
                                  l->width[i], NULL, l->transposed ? in : l->out, NULL, l->out);
    p.a_element = problem->input_elements[l->input[i]];
    p.b_element = problem->input_elements[1];
    p.add = i > 0;
    return p;
}

/* ---- The scratch memory: tiles of the threads, then workspaces of the products ---- */

static size_t bytes_of_workspaces(const struct problem *problem, const struct layer *l)
{
    size_t most = 0;
    for (int i = 0; i < 2 && l->width[i]; i++) {
        struct product p = product_with(problem, l, i, l->rows);
        size_t bytes = product_workspaces(problem->threads, &p);
        if (bytes > most) most = bytes;
    }
    return most;
}

static int64_t floats_of_tile(const struct layer *l)
{
    return lined_floats(l->tile * l->out);
}

/* There are none where results are summed in place. */
static int64_t floats_of_tiles(const struct layer *l)
{
    return l->rounds ? l->threads * floats_of_tile(l) : 0;
}

static sumi_status prepare_linear(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct layer l = layer_of(problem);
    *scratch = (size_t)floats_of_tiles(&l) * sizeof(float) + bytes_of_workspaces(problem, &l);
    return SUMI_OK;
}

/* ---- Running ---- */

struct run {
    const struct call *call;
    struct layer layer;
    struct epilogue epilogue;
    float *tiles;
    void *workspaces; /* of the products, or NULL */
};

/* sums[count, out] of the rows from `first` on, by thread number `thread` alone, or by a team if
   that is ALL_THREADS. */
static void multiply_rows(const struct run *run, int64_t first, int64_t count, int thread,
                          float *sums)
{
    const struct call *call = run->call;
    const struct layer *l = &run->layer;
    int64_t at = 0;
    for (int i = 0; i < 2 && l->width[i]; i++) {
        struct product p = product_with(call->problem, l, i, count);
        p.a = element_address(call->inputs[l->input[i]], p.a_element, first * l->width[i]);
        p.b = element_address(call->inputs[1], p.b_element, at);
        p.c = sums;
        if (thread == ALL_THREADS) {
            product_run_by_team(call->problem->threads, &p, run->workspaces);
        } else {
            product_take_workspace(&p, run->workspaces, thread);
            product_run(&p);
        }
        at += l->width[i] * (l->transposed ? 1 : l->out);
    }
}

static void compute_tile(const struct run *run, int64_t first, int64_t count, int thread)
{
    const struct layer *l = &run->layer;
    const int64_t at = first * l->out;
    if (l->rounds) {
        float *tile = run->tiles + (thread == ALL_THREADS ? 0 : thread * floats_of_tile(l));
        multiply_rows(run, first, count, thread, tile);
        epilogue_round(&run->epilogue, first, count, tile, (bfloat16 *)run->call->output + at);
    } else {
        float *y = run->call->output + at;
        multiply_rows(run, first, count, thread, y);
        if (!epilogue_is_empty(&run->epilogue)) epilogue_apply(&run->epilogue, first, count, y);
    }
}

/* A thread's share of the tiles. */
static void compute_tiles(const struct run *run)
{
    const struct layer *l = &run->layer;
#pragma omp for schedule(static)
    for (int64_t tile = 0; tile < l->tiles; tile++) {
        int64_t first = tile * l->tile;
        compute_tile(run, first, least(l->rows - first, l->tile), omp_get_thread_num());
    }
}

static sumi_status run_linear(const struct call *call)
{
    struct run run = {.call = call,
                      .layer = layer_of(call->problem),
                      .tiles = call->scratch,
                      .workspaces = call->scratch};
    const struct layer *l = &run.layer;
    run.epilogue = epilogue_of(call, l->out);
    if (l->rounds) run.workspaces = run.tiles + floats_of_tiles(l);
    if (l->tiles == 1) compute_tile(&run, 0, l->rows, ALL_THREADS);
    else BY_TEAM(l->threads, compute_tiles(&run));
    return SUMI_OK;
}

/* The factors as they are, whichever of them are of 16 bits; result and residual of one type. */
static unsigned bf16_linear(const struct problem *problem)
{
    int second = epilogue_input(problem->node, LINEAR_SECOND);
    int residual = epilogue_input(problem->node, EPILOGUE_RESIDUAL);
    unsigned factors = BF16_INPUT(0) | BF16_INPUT(1);
    if (second >= 0) factors |= BF16_INPUT(second);
    if (residual < 0) return factors | BF16_OUTPUT;
    return factors | bf16_together(problem, BF16_OUTPUT | BF16_INPUT(residual));
}

const struct kernel kernel_linear = {.prepare = prepare_linear,
                                     .run = run_linear,
                                     .bf16 = bf16_linear,
                                     .f16 = BF16_INPUT(0) | BF16_INPUT(1)};

/* ---- The gradient by weight ---- */

/* The gradient by the weights of array `i` of x. */
static struct product part_of_gradient(const struct problem *problem, int i)
{
    const struct shape *dy = problem->inputs[0], *x = problem->inputs[i];
    int64_t out = dy->size[dy->rank - 1], width = x->size[x->rank - 1];
    int64_t in = shape_count(&problem->node->shape) / out;
    struct product p = product_of(true, false, out, width, shape_count(dy) / out, NULL, out, NULL,
                                  width, NULL, in);
    p.a_element = problem->input_elements[0];
    p.b_element = problem->input_elements[i];
    return p;
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

static unsigned bf16_weight_gradient(const struct problem *problem)
{
    (void)problem;
    return BF16_INPUT(0) | BF16_INPUT(1) | BF16_INPUT(2);
}

const struct kernel kernel_linear_weight_gradient = {
    .prepare = prepare_weight_gradient, .run = run_weight_gradient, .bf16 = bf16_weight_gradient};

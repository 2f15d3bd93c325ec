/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers with an epilogue. The rows are cut into tiles whose results are still in cache when
   the epilogue reads them; where there are fewer rows than results of a row, so that arranging the
   weights counts, the columns are cut too. x may lie in two arrays, whose products are added up.
   Results of bfloat16 are summed in float32, a tile in memory of the thread's own, and rounded by
   the epilogue. */
#include "ops/linear.h"

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/epilogue.h"
#include "cpu/product.h"
#include "cpu/sizes.h"

/* Floats of a tile of results, half of a second-level cache; rows that are worth a product; and
   rows for which a product arranges the weights once, so that wide layers take more than a cache.
   Columns of a tile that are worth arranging the rows for, and floats of one that is summed apart
   for all of its rows, so large because the rows are arranged once for each. */
enum { TILE = 1 << 18, FEWEST_ROWS = 64, ROWS_AT_ONCE = 516 };
enum { FEWEST_COLUMNS = 64, WIDE_TILE = 4 * TILE };

/* The thread that computes a tile, by number, or all threads. */
enum { ALL_THREADS = -1 };

struct layer {
    int64_t rows, out;
    int64_t tile, tiles;   /* rows of a tile */
    int64_t strip, strips; /* columns of a tile */
    int64_t width[2];      /* channels of the arrays of x, 0 for none */
    int input[2];          /* their numbers among the node's inputs */
    bool transposed, rounds;
    int threads;
};

/* Tiles of rows, as many for each thread, unless they would be too small. */
static void cut_rows(struct layer *l)
{
    l->tile = TILE / l->out < ROWS_AT_ONCE ? ROWS_AT_ONCE : TILE / l->out;
    int64_t tiles = (l->rows + l->tile * l->threads - 1) / (l->tile * l->threads) * l->threads;
    int64_t share = (l->rows + tiles - 1) / tiles;
    if (l->tile > share) l->tile = share < FEWEST_ROWS ? FEWEST_ROWS : share;
    l->strip = l->out;
}

/* Tiles of all columns of a thread's share, or of fewer of them where they are summed apart. */
static void cut_columns(struct layer *l)
{
    l->tile = least(l->rows, ROWS_AT_ONCE);
    int64_t most = l->rounds ? WIDE_TILE / l->tile : l->out;
    if (most < FEWEST_COLUMNS) most = FEWEST_COLUMNS;
    int64_t strips = (l->out + most * l->threads - 1) / (most * l->threads) * l->threads;
    l->strip = (l->out + strips - 1) / strips;
    if (l->strip < FEWEST_COLUMNS) l->strip = FEWEST_COLUMNS;
    l->strip = (l->strip + PRODUCT_PANEL - 1) / PRODUCT_PANEL * PRODUCT_PANEL;
    l->strip = least(l->strip, l->out);
}

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
    int64_t work = l.rows * l.out * (l.width[0] + l.width[1]) / 8;
    l.threads = worthwhile_threads(problem->threads, work);
    if (l.out > l.rows && l.threads > 1) cut_columns(&l);
    else cut_rows(&l);
    l.tile = least(l.tile, l.rows);
    l.tiles = (l.rows + l.tile - 1) / l.tile;
    l.strips = (l.out + l.strip - 1) / l.strip;
    if (l.tiles * l.strips < l.threads) l.threads = (int)(l.tiles * l.strips);
    return l;
}

/* The product of `count` rows of array `i` of x with its part of the weights, for some columns of
   the result; without operands and result. */
static struct product product_with(const struct problem *problem, const struct layer *l, int i,
                                   int64_t count, int64_t columns)
{
    int64_t in = l->width[0] + l->width[1];
    struct product p =
        product_of(false, l->transposed, count, columns, l->width[i], NULL, l->width[i], NULL,
                   l->transposed ? in : l->out, NULL, l->rounds ? l->strip : l->out);
    p.a_element = problem->input_elements[l->input[i]];
    p.b_element = problem->input_elements[1];
    p.rounds = p.a_element == SUMI_BFLOAT16;
    p.add = i > 0;
    return p;
}

/* ---- The scratch memory: tiles of the threads, then workspaces of the products ---- */

static size_t bytes_of_workspaces(const struct problem *problem, const struct layer *l)
{
    size_t most = 0;
    for (int i = 0; i < 2 && l->width[i]; i++) {
        struct product p = product_with(problem, l, i, l->rows, l->out);
        size_t bytes = product_workspaces(problem->threads, &p);
        if (bytes > most) most = bytes;
    }
    return most;
}

static int64_t floats_of_tile(const struct layer *l)
{
    return lined_floats(l->tile * l->strip);
}

/* There are no tiles if results are summed in place. */
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

/* A tile of the result: rows and columns. */
struct tile {
    int64_t first, count;
    struct channels columns;
};

/* sums of a tile, by thread number `thread` alone, or by a team if that is ALL_THREADS. */
static void multiply_tile(const struct run *run, const struct tile *tile, int thread, float *sums)
{
    const struct call *call = run->call;
    const struct layer *l = &run->layer;
    int64_t in = l->width[0] + l->width[1];
    int64_t at = tile->columns.first * (l->transposed ? in : 1);
    for (int i = 0; i < 2 && l->width[i]; i++) {
        struct product p = product_with(call->problem, l, i, tile->count, tile->columns.count);
        p.a = element_address(call->inputs[l->input[i]], p.a_element, tile->first * l->width[i]);
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

static void compute_tile(const struct run *run, const struct tile *tile, int thread)
{
    const struct layer *l = &run->layer;
    const struct epilogue *epilogue = &run->epilogue;
    const int64_t at = tile->first * l->out;
    if (l->rounds) {
        float *sums = run->tiles + (thread == ALL_THREADS ? 0 : thread * floats_of_tile(l));
        multiply_tile(run, tile, thread, sums);
        epilogue_channels(epilogue, tile->first, tile->count, tile->columns, sums, l->strip,
                          (bfloat16 *)run->call->output + at);
        return;
    }
    float *y = run->call->output + at, *sums = y + tile->columns.first;
    multiply_tile(run, tile, thread, sums);
    if (epilogue_is_empty(epilogue)) return;
    epilogue_channels(epilogue, tile->first, tile->count, tile->columns, sums, l->out, y);
}

static struct tile tile_of(const struct layer *l, int64_t number)
{
    struct tile t = {.first = number / l->strips * l->tile,
                     .columns.first = number % l->strips * l->strip};
    t.count = least(l->rows - t.first, l->tile);
    t.columns.count = least(l->out - t.columns.first, l->strip);
    return t;
}

/* A thread's share of the tiles. */
static void compute_tiles(const struct run *run)
{
    const struct layer *l = &run->layer;
#pragma omp for schedule(static)
    for (int64_t number = 0; number < l->tiles * l->strips; number++) {
        const struct tile tile = tile_of(l, number);
        compute_tile(run, &tile, omp_get_thread_num());
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
    const struct tile first = tile_of(l, 0);
    if (l->tiles * l->strips == 1) compute_tile(&run, &first, ALL_THREADS);
    else BY_TEAM(l->threads, compute_tiles(&run));
    return SUMI_OK;
}

/* Accepts factors of 16 bits in any combination; result and residual have the same type. */
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

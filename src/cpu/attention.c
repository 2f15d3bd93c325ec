/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax, and attention with its gradient in blocks of queries and keys, so that no more scores
   than a block's are ever kept: the largest score and the sum of a row are corrected as blocks of
   keys go by (Milakov and Gimelshein 2018; Dao et al. 2022, algorithms 1 and 4). The gradient works
   the blocks out again, from the largest score and the sum of each row where the forward pass has
   left them. */
#include <math.h>
#include <string.h>

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"
#include "cpu/product.h"
#include "ops/attention.h"
#include "ops/ops.h"

/* Shared among a team. */
static void softmax_rows(const struct call *call, int64_t rows, int64_t n)
{
    const struct loops *loops = loops_select();
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        float *out = call->output + row * n;
        memcpy(out, call->inputs[0] + row * n, (size_t)n * sizeof *out);
        loops->softmax(n, 1, out);
    }
}

static sumi_status run_softmax(const struct call *call)
{
    const struct shape *shape = &call->problem->node->shape;
    int64_t n = shape->size[shape->rank - 1], rows = shape_count(shape) / n;
    int threads = worthwhile_threads(call->problem->threads, 4 * rows * n);
    BY_TEAM(threads, softmax_rows(call, rows, n));
    return SUMI_OK;
}

const struct kernel kernel_softmax = {.run = run_softmax};

/* q[items, length, heads * d], k and v[items, keys, heads * d]. */
struct extent {
    int64_t items, length, keys, heads, d, c;
    int64_t blocks; /* tasks of a head: forward every block of queries is one by itself, backward
                       the head is, for its blocks add up in the gradients by keys and values */
    int64_t bias_steps[3]; /* of the bias, from item to item, head to head and query to query */
    bool causal;
    bool masked; /* causal or with a bias: scores are scaled as soon as they are there */
    float scale;
    int threads; /* that share the tasks, or */
    int within;  /* that share each product, where there are fewer tasks than threads */
};

/* Queries and keys of a block: its scores fit into a second-level cache beside what they are of.
   Both are the same, so that of a causal attention each block sees or is hidden, but for those on
   the diagonal. */
enum { BLOCK = 256, QUERIES = BLOCK, KEYS = BLOCK };

static const float HIDDEN = -1e30f; /* the score of a key that is not seen */

/* A block's scores and their slopes; of each query its largest score, the sum of the exponentials
   and the mean slope. */
struct block {
    float scores[QUERIES * KEYS], slopes[QUERIES * KEYS];
    float largest[QUERIES], total[QUERIES], mean[QUERIES];
};

static struct extent measure(const struct problem *problem)
{
    const struct shape *q = problem->inputs[0], *k = problem->inputs[1];
    struct extent e = {.items = q->size[0],
                       .length = q->size[1],
                       .keys = k->size[1],
                       .heads = problem->node->attributes.attention.heads,
                       .c = q->size[2],
                       .causal = problem->node->attributes.attention.causal,
                       .scale = (float)problem->node->attributes.attention.scale};
    e.d = e.c / e.heads;
    int bias = attention_bias_input(problem->node);
    e.masked = e.causal || bias >= 0;
    for (int i = 0; i < 3 && bias >= 0; i++) {
        const struct shape *shape = problem->inputs[bias];
        e.bias_steps[i] = shape->size[i] == 1 ? 0 : shape_span(shape, i + 1, 4);
    }
    e.blocks = problem->node->op == &op_attention ? (e.length + QUERIES - 1) / QUERIES : 1;
    e.threads = worthwhile_threads(problem->threads, shape_count(q) * e.keys);
    e.within = 1;
    if (e.items * e.heads * e.blocks < e.threads) {
        e.within = e.threads;
        e.threads = 1;
    }
    return e;
}

static sumi_status prepare(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct extent e = measure(problem);
    *scratch = (size_t)e.threads * sizeof(struct block);
    return SUMI_OK;
}

/* Where a head of an item begins. */
struct head {
    const float *q, *k, *v, *upstream;
    const float *bias; /* of its first query and key, or NULL */
    float *y, *dq, *dk, *dv;
    float *rows; /* [length, 2]: largest score and sum of each query, or NULL */
};

static int64_t least(int64_t left, int64_t most)
{
    return left < most ? left : most;
}

static void run_product(const struct extent *e, const struct product *product)
{
    if (e->within > 1) product_run_by_team(e->within, product, NULL);
    else product_run(product);
}

/* c[m,n] = a[m,k] b[k,n], with a perhaps stored transposed, or added to what c has. */
static void multiply(const struct extent *e, bool transpose_a, int64_t m, int64_t n, int64_t k,
                     const float *a, int64_t stride_a, const float *b, int64_t stride_b, bool add,
                     float *c, int64_t stride_c)
{
    struct product product =
        product_of(transpose_a, false, m, n, k, a, stride_a, b, stride_b, c, stride_c);
    product.add = add;
    run_product(e, &product);
}

/* Products of a[count] and b[width] of the head's channels. */
static void fill_products(const struct extent *e, const float *a, const float *b, int64_t count,
                          int64_t width, float *products)
{
    struct product product =
        product_of(false, true, count, width, e->d, a, e->c, b, e->c, products, width);
    run_product(e, &product);
}

/* Scales a query's scores of keys `key` and on, adds the bias, and hides what comes after it. */
static void mask_row(const struct extent *e, const struct head *head, int64_t query, int64_t key,
                     int64_t width, float *scores)
{
    const struct loops *loops = loops_select();
    int64_t seen = e->causal && query + 1 - key < width ? query + 1 - key : width;
    if (seen < 0) seen = 0;
    if (head->bias) {
        loops->bias_scores(seen, e->scale, head->bias + query * e->bias_steps[2] + key, scores);
    } else {
        loops->affine(seen, scores, e->scale, 0, scores);
    }
    for (int64_t i = seen; i < width; i++) scores[i] = HIDDEN;
}

/* Scores of queries[count] from `first` on and keys[width] from `key` on: scaled if the attention
   is masked. */
static void fill_scores(const struct extent *e, const struct head *head, int64_t first,
                        int64_t count, int64_t key, int64_t width, float *scores)
{
    fill_products(e, head->q + first * e->c, head->k + key * e->c, count, width, scores);
    for (int64_t i = 0; i < count && e->masked; i++) {
        mask_row(e, head, first + i, key, width, scores + i * width);
    }
}

/* What is left to scale scores by. */
static float rest_of_scale(const struct extent *e)
{
    return e->masked ? 1 : e->scale;
}

/* Keys that the queries of a block see some of. */
static int64_t keys_seen(const struct extent *e, int64_t first)
{
    return e->causal ? least(e->keys, first + QUERIES) : e->keys;
}

static void forget_rows(struct block *b)
{
    for (int i = 0; i < QUERIES; i++) {
        b->largest[i] = -INFINITY;
        b->total[i] = b->mean[i] = 0;
    }
}

/* ---- forward ---- */

/* The queries from `first` on of a head, over all keys. */
static void attend(const struct extent *e, const struct head *head, int64_t first, struct block *b)
{
    const struct loops *loops = loops_select();
    int64_t count = least(e->length - first, QUERIES);
    float *y = head->y + first * e->c, scale = rest_of_scale(e);
    forget_rows(b);
    for (int64_t key = 0; key < keys_seen(e, first); key += KEYS) {
        int64_t width = least(e->keys - key, KEYS);
        const float *v = head->v + key * e->c;
        fill_scores(e, head, first, count, key, width, b->scores);
        for (int64_t i = 0; i < count; i++) {
            float correction =
                loops->soften(width, scale, b->scores + i * width, &b->largest[i], &b->total[i]);
            if (!key || correction == 1) continue;
            loops->affine(e->d, y + i * e->c, correction, 0, y + i * e->c);
        }
        multiply(e, false, count, e->d, width, b->scores, width, v, e->c, key > 0, y, e->c);
    }
    for (int64_t i = 0; i < count; i++) {
        loops->affine(e->d, y + i * e->c, 1 / b->total[i], 0, y + i * e->c);
        if (!head->rows) continue;
        head->rows[2 * (first + i)] = b->largest[i];
        head->rows[2 * (first + i) + 1] = b->total[i];
    }
}

/* ---- gradient ---- */

/* Largest score, sum and mean slope of each query, from a sweep over the keys of its own. */
static void find_rows(const struct extent *e, const struct head *head, int64_t first, int64_t count,
                      struct block *b)
{
    const struct loops *loops = loops_select();
    float scale = rest_of_scale(e);
    forget_rows(b);
    for (int64_t key = 0; key < keys_seen(e, first); key += KEYS) {
        int64_t width = least(e->keys - key, KEYS);
        fill_scores(e, head, first, count, key, width, b->scores);
        fill_products(e, head->upstream + first * e->c, head->v + key * e->c, count, width,
                      b->slopes);
        for (int64_t i = 0; i < count; i++) {
            float *scores = b->scores + i * width;
            float correction = loops->soften(width, scale, scores, &b->largest[i], &b->total[i]);
            float sum = loops->dot(width, scores, b->slopes + i * width);
            b->mean[i] = b->mean[i] * correction + sum;
        }
    }
    for (int64_t i = 0; i < count; i++) b->mean[i] /= b->total[i];
}

/* The same from what the forward pass has left: the mean slope is upstream times y. */
static void take_rows(const struct extent *e, const struct head *head, int64_t first, int64_t count,
                      struct block *b)
{
    const struct loops *loops = loops_select();
    for (int64_t i = 0; i < count; i++) {
        int64_t at = (first + i) * e->c;
        b->largest[i] = head->rows[2 * (first + i)];
        b->total[i] = head->rows[2 * (first + i) + 1];
        b->mean[i] = loops->dot(e->d, head->upstream + at, head->y + at);
    }
}

/* Scores and slopes of one block to P and dS. */
static void find_slopes(const struct extent *e, int64_t count, int64_t width, struct block *b)
{
    const struct loops *loops = loops_select();
    for (int64_t i = 0; i < count; i++) {
        const struct softmax_row row = {rest_of_scale(e), b->largest[i], 1 / b->total[i],
                                        b->mean[i]};
        loops->attention_slopes(width, &row, b->scores + i * width, b->slopes + i * width);
    }
    if (e->masked) loops->affine(count * width, b->slopes, e->scale, 0, b->slopes);
}

/* One block. With P the softmax and u the upstream: dv += P' u; dP = u v';
   dS = scale P (dP - mean); dq += dS k; dk += dS' q. The first block of queries that sees the keys
   writes their gradients, others add to them. */
static void attend_backward(const struct extent *e, const struct head *head, int64_t first,
                            int64_t count, int64_t key, struct block *b)
{
    int64_t width = least(e->keys - key, KEYS), from = first * e->c, to = key * e->c;
    const float *q = head->q + from, *k = head->k + to, *upstream = head->upstream + from;
    bool add = first > (e->causal ? key : 0);
    fill_scores(e, head, first, count, key, width, b->scores);
    fill_products(e, upstream, head->v + to, count, width, b->slopes);
    find_slopes(e, count, width, b);
    multiply(e, true, width, e->d, count, b->scores, width, upstream, e->c, add, head->dv + to,
             e->c);
    multiply(e, false, count, e->d, width, b->slopes, width, k, e->c, key > 0, head->dq + from,
             e->c);
    multiply(e, true, width, e->d, count, b->slopes, width, q, e->c, add, head->dk + to, e->c);
}

static void attend_head_backward(const struct extent *e, const struct head *head, struct block *b)
{
    for (int64_t first = 0; first < e->length; first += QUERIES) {
        int64_t count = least(e->length - first, QUERIES);
        if (head->rows) take_rows(e, head, first, count, b);
        else find_rows(e, head, first, count, b);
        for (int64_t key = 0; key < keys_seen(e, first); key += KEYS) {
            attend_backward(e, head, first, count, key, b);
        }
    }
}

/* ---- the work shared out ---- */

static struct head head_of(const struct call *call, const struct extent *e, int64_t number)
{
    const struct node *node = call->problem->node;
    bool backward = node->op == &op_attention_gradient;
    int64_t item = number / e->heads, channel = number % e->heads * e->d;
    int64_t at_q = item * e->length * e->c + channel, at_k = item * e->keys * e->c + channel;
    struct head head = {
        .q = call->inputs[0] + at_q, .k = call->inputs[1] + at_k, .v = call->inputs[2] + at_k};
    int rows = attention_input(node, backward ? ATTENTION_GRADIENT_ROWS : ATTENTION_ROWS);
    int bias = attention_bias_input(node);
    if (bias >= 0) {
        head.bias =
            call->inputs[bias] + item * e->bias_steps[0] + number % e->heads * e->bias_steps[1];
    }
    if (node->input_count > rows) {
        head.rows = (float *)call->inputs[rows] + number * e->length * 2;
    }
    if (!backward) {
        head.y = call->output + at_q;
        return head;
    }
    int result = attention_input(node, ATTENTION_GRADIENT_RESULT);
    head.upstream = call->inputs[ATTENTION_UPSTREAM] + at_q;
    if (head.rows) head.y = (float *)call->inputs[result] + at_q;
    head.dq = call->output + at_q;
    head.dk = call->output + e->items * e->length * e->c + at_k;
    head.dv = head.dk + e->items * e->keys * e->c;
    return head;
}

/* Shared among a team. */
static void run_tasks(const struct call *call, const struct extent *e)
{
    bool backward = call->problem->node->op == &op_attention_gradient;
    struct block *b = (struct block *)call->scratch + omp_get_thread_num();
#pragma omp for schedule(static)
    for (int64_t task = 0; task < e->items * e->heads * e->blocks; task++) {
        struct head head = head_of(call, e, task / e->blocks);
        if (backward) attend_head_backward(e, &head, b);
        else attend(e, &head, task % e->blocks * QUERIES, b);
    }
}

static sumi_status run(const struct call *call)
{
    struct extent e = measure(call->problem);
    BY_TEAM(e.threads, run_tasks(call, &e));
    return SUMI_OK;
}

const struct kernel kernel_attention = {.prepare = prepare, .run = run};
const struct kernel kernel_attention_gradient = {.prepare = prepare, .run = run};

/* SPDX-License-Identifier: Apache-2.0 */
/* Attention and its gradient in blocks of queries and keys, so that only the scores of one block
   are in memory: the largest score and the sum of a row are corrected for each block of keys
   (Milakov and Gimelshein 2018; Dao et al. 2022, algorithms 1 and 4). The gradient computes the
   blocks again, from the largest score and the sum of each row if the forward pass has stored them.
   Operands of bfloat16 are widened by the products that read them; bfloat16 results are summed in
   float32 in the thread's memory, a block of queries or the keys of one head, and then rounded. */
#include <math.h>

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"
#include "cpu/product.h"
#include "cpu/sizes.h"
#include "ops/attention.h"
#include "ops/ops.h"
#include "ops/strides.h"

/* q[items, length, heads * d], k and v[items, keys, heads * d]. */
struct extent {
    int64_t items, length, keys, heads, d, c;
    int64_t blocks; /* tasks of a head: one for each block of queries forward; one backward,
                       because its blocks add to the same gradients by keys and values */
    int64_t bias_steps[SUMI_MAX_RANK]; /* of the bias, as strides of [items, heads, length, keys] */
    bool causal;
    bool masked; /* causal or with a bias: scores are scaled before the softmax */
    float scale;
    int threads;           /* that share the tasks, or */
    int within;            /* that share each product, where there are fewer tasks than threads */
    bool backward, rounds; /* rounds: the result is of bfloat16 */
    void *workspaces;      /* of the products, or NULL */
};

/* Queries and keys of a block: its scores and its operands fit into a second-level cache. Both
   numbers are equal, so that in causal attention every block off the diagonal is either visible or
   hidden as a whole. */
enum { BLOCK = 256, QUERIES = BLOCK, KEYS = BLOCK };

/* The scores of a block and their gradients; for each query the largest score, the sum of the
   exponentials and the mean gradient. */
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
                       .scale = (float)problem->node->attributes.attention.scale,
                       .backward = problem->node->op == &op_attention_gradient,
                       .rounds = problem->output_element == SUMI_BFLOAT16};
    e.d = e.c / e.heads;
    int bias = attention_bias_input(problem->node);
    e.masked = e.causal || bias >= 0;
    const struct shape scores = {4, {e.items, e.heads, e.length, e.keys}};
    if (bias >= 0) broadcast_strides(problem->inputs[bias], &scores, e.bias_steps);
    e.blocks = e.backward ? 1 : (e.length + QUERIES - 1) / QUERIES;
    e.threads = worthwhile_threads(problem->threads, shape_count(q) * e.keys);
    e.within = 1;
    if (e.items * e.heads * e.blocks < e.threads) {
        e.within = e.threads;
        e.threads = 1;
    }
    return e;
}

/* ---- Memory ---- */

/* A thread's part of the scratch memory: a block, two widened rows, and float32 sums of results
   that are then rounded. */
struct own {
    struct block *block;
    float *rows;          /* [2, d] */
    float *queries;       /* [QUERIES, d]: y, or dq */
    float *keys, *values; /* [keys, d]: dk and dv */
};

/* Where the parts begin behind the block, in floats, and where they end; some may be empty. */
struct layout {
    int64_t rows, queries, keys, values, end;
};

static struct layout layout_of(const struct extent *e)
{
    const bool keys = e->rounds && e->backward;
    struct layout l = {.rows = 0};
    l.queries = l.rows + (e->backward ? lined_floats(2 * e->d) : 0);
    l.keys = l.queries + (e->rounds ? lined_floats(QUERIES * e->d) : 0);
    l.values = l.keys + (keys ? lined_floats(e->keys * e->d) : 0);
    l.end = l.values + (keys ? lined_floats(e->keys * e->d) : 0);
    return l;
}

static int64_t bytes_of_own(const struct extent *e)
{
    return (int64_t)sizeof(struct block) + layout_of(e).end * (int64_t)sizeof(float);
}

static struct own own_of(const struct extent *e, void *scratch, int thread)
{
    const struct layout l = layout_of(e);
    struct block *block = (struct block *)(void *)((char *)scratch + thread * bytes_of_own(e));
    float *behind = (float *)(void *)(block + 1);
    return (struct own){block, behind + l.rows, behind + l.queries, behind + l.keys,
                        behind + l.values};
}

/* The products copy operands that are not float32: q, and in the gradient the upstream. */
static bool wants_workspaces(const struct problem *problem, const struct extent *e)
{
    return problem->input_elements[0] != SUMI_FLOAT32
           || (e->backward && problem->input_elements[ATTENTION_UPSTREAM] != SUMI_FLOAT32);
}

static sumi_status prepare(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct extent e = measure(problem);
    *scratch = (size_t)(e.threads * bytes_of_own(&e));
    if (!wants_workspaces(problem, &e)) return SUMI_OK;
    *scratch += (size_t)(e.threads * e.within) * PRODUCT_WORKSPACE * sizeof(float);
    return SUMI_OK;
}

/* ---- Operands and results ---- */

/* An operand of a head, in rows that lie e.c elements apart. */
struct operand {
    const void *data;
    sumi_element element;
};

static struct operand operand_at(struct operand o, int64_t element)
{
    o.data = element_address(o.data, o.element, element);
    return o;
}

/* The [d] numbers of a row, widened to `own` if they are not float32. */
static const float *row_of(const struct extent *e, struct operand o, int64_t row, float *own)
{
    const void *data = operand_at(o, row * e->c).data;
    if (o.element == SUMI_FLOAT32) return data;
    loops_select()->from_bf16(e->d, data, own);
    return own;
}

/* An element of a head's result, which is in rows of [d] numbers, e.c elements apart. */
static void *result_at(const struct extent *e, void *result, int64_t element)
{
    return (char *)result + element * (int64_t)(e->rounds ? sizeof(bfloat16) : sizeof(float));
}

/* The rows in which a result is summed, `step` floats apart: those of the result, or the thread's.
 */
struct sums {
    float *data;
    int64_t step;
};

static struct sums sums_of(const struct extent *e, void *result, float *own)
{
    return e->rounds ? (struct sums){own, e->d} : (struct sums){result, e->c};
}

/* Writes the sums to the result. */
static void finish(const struct extent *e, struct sums sums, int64_t rows, void *result)
{
    for (int64_t i = 0; e->rounds && i < rows; i++) {
        loops_select()->to_bf16(e->d, sums.data + i * sums.step, (bfloat16 *)result + i * e->c);
    }
}

/* Where a head of an item begins. */
struct head {
    struct operand q, k, v, upstream, result; /* result: of the forward pass */
    void *y, *dq, *dk, *dv;
    const float *bias; /* of its first query and key, or NULL */
    float *rows;       /* [length, 2]: largest score and sum of each query, or NULL */
};

/* ---- Products ---- */

static void run_product(const struct extent *e, struct product *product)
{
    if (e->within > 1) {
        product_run_by_team(e->within, product, e->workspaces);
    } else {
        product_take_workspace(product, e->workspaces, omp_get_thread_num());
        product_run(product);
    }
}

/* sums[m,d] = a[m,k] b[k,d], or sums += that product; a may be stored transposed. */
static void multiply(const struct extent *e, bool transpose_a, int64_t m, int64_t k, const float *a,
                     int64_t stride_a, struct operand b, bool add, struct sums sums)
{
    struct product product =
        product_of(transpose_a, false, m, e->d, k, a, stride_a, b.data, e->c, sums.data, sums.step);
    product.b_element = b.element;
    product.add = add;
    product.rounds = b.element == SUMI_BFLOAT16 && e->workspaces && !e->backward;
    run_product(e, &product);
}

/* Products of a[count] and b[width] of the head's channels. */
static void fill_products(const struct extent *e, struct operand a, struct operand b, int64_t count,
                          int64_t width, float *products)
{
    struct product product =
        product_of(false, true, count, width, e->d, a.data, e->c, b.data, e->c, products, width);
    product.a_element = a.element;
    product.b_element = b.element;
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
    for (int64_t i = seen; i < width; i++) scores[i] = HIDDEN_SCORE;
}

/* Scores of queries[count] from `first` on and keys[width] from `key` on: scaled if the attention
   is masked. */
static void fill_scores(const struct extent *e, const struct head *head, int64_t first,
                        int64_t count, int64_t key, int64_t width, float *scores)
{
    fill_products(e, operand_at(head->q, first * e->c), operand_at(head->k, key * e->c), count,
                  width, scores);
    for (int64_t i = 0; i < count && e->masked; i++) {
        mask_row(e, head, first + i, key, width, scores + i * width);
    }
}

/* The factor by which scores are still to be multiplied. */
static float rest_of_scale(const struct extent *e)
{
    return e->masked ? 1 : e->scale;
}

/* The keys that at least one query of a block sees. */
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
static void attend(const struct extent *e, const struct head *head, int64_t first,
                   const struct own *own)
{
    const struct loops *loops = loops_select();
    struct block *b = own->block;
    int64_t count = least(e->length - first, QUERIES);
    void *y = result_at(e, head->y, first * e->c);
    struct sums sums = sums_of(e, y, own->queries);
    const float scale = rest_of_scale(e);
    forget_rows(b);
    for (int64_t key = 0; key < keys_seen(e, first); key += KEYS) {
        int64_t width = least(e->keys - key, KEYS);
        fill_scores(e, head, first, count, key, width, b->scores);
        for (int64_t i = 0; i < count; i++) {
            float *row = sums.data + i * sums.step;
            float correction =
                loops->soften(width, scale, b->scores + i * width, &b->largest[i], &b->total[i]);
            if (!key || correction == 1) continue;
            loops->affine(e->d, row, correction, 0, row);
        }
        multiply(e, false, count, width, b->scores, width, operand_at(head->v, key * e->c), key > 0,
                 sums);
    }
    for (int64_t i = 0; i < count; i++) {
        float *row = sums.data + i * sums.step;
        loops->affine(e->d, row, 1 / b->total[i], 0, row);
        if (!head->rows) continue;
        head->rows[2 * (first + i)] = b->largest[i];
        head->rows[2 * (first + i) + 1] = b->total[i];
    }
    finish(e, sums, count, y);
}

/* ---- gradient ---- */

/* Largest score, sum and mean slope of each query, from a sweep over the keys of its own. */
static void find_rows(const struct extent *e, const struct head *head, int64_t first, int64_t count,
                      struct block *b)
{
    const struct loops *loops = loops_select();
    const float scale = rest_of_scale(e);
    forget_rows(b);
    for (int64_t key = 0; key < keys_seen(e, first); key += KEYS) {
        int64_t width = least(e->keys - key, KEYS);
        fill_scores(e, head, first, count, key, width, b->scores);
        fill_products(e, operand_at(head->upstream, first * e->c), operand_at(head->v, key * e->c),
                      count, width, b->slopes);
        for (int64_t i = 0; i < count; i++) {
            float *scores = b->scores + i * width;
            float correction = loops->soften(width, scale, scores, &b->largest[i], &b->total[i]);
            float sum = loops->dot(width, scores, b->slopes + i * width);
            b->mean[i] = b->mean[i] * correction + sum;
        }
    }
    for (int64_t i = 0; i < count; i++) b->mean[i] /= b->total[i];
}

/* The same from the values that the forward pass has stored: the mean slope is upstream times y. */
static void take_rows(const struct extent *e, const struct head *head, int64_t first, int64_t count,
                      const struct own *own)
{
    struct block *b = own->block;
    for (int64_t i = 0; i < count; i++) {
        const float *upstream = row_of(e, head->upstream, first + i, own->rows);
        const float *y = row_of(e, head->result, first + i, own->rows + e->d);
        b->largest[i] = head->rows[2 * (first + i)];
        b->total[i] = head->rows[2 * (first + i) + 1];
        b->mean[i] = loops_select()->dot(e->d, upstream, y);
    }
}

/* Where a head's gradients are summed: dq of a block of queries, dk and dv of all keys. */
struct gradients {
    struct sums dq, dk, dv;
};

static struct sums sums_from(struct sums sums, int64_t row)
{
    sums.data += row * sums.step;
    return sums;
}

/* Scores and slopes of one block to P and dS. The slopes of a query sum to zero, from which
   rounding of the mean takes them away: where all keys are in the block, they are made to, so that
   the gradient of a bias of all keys, which is zero, is not noise that an optimizer would follow.
 */
static void find_slopes(const struct extent *e, int64_t count, int64_t width, struct block *b)
{
    const struct loops *loops = loops_select();
    for (int64_t i = 0; i < count; i++) {
        const struct softmax_row row = {rest_of_scale(e), b->largest[i], 1 / b->total[i],
                                        b->mean[i]};
        loops->attention_slopes(width, &row, b->scores + i * width, b->slopes + i * width);
        if (width == e->keys) loops->balance(width, b->scores + i * width, b->slopes + i * width);
    }
    if (e->masked) loops->affine(count * width, b->slopes, e->scale, 0, b->slopes);
}

/* One block. With P the softmax and u the upstream: dv += P' u; dP = u v';
   dS = scale P (dP - mean); dq += dS k; dk += dS' q. The first block of queries that sees the keys
   writes their gradients, others add to them. */
static void attend_backward(const struct extent *e, const struct head *head, int64_t first,
                            int64_t count, int64_t key, struct block *b, const struct gradients *to)
{
    int64_t width = least(e->keys - key, KEYS), from = first * e->c;
    const struct operand q = operand_at(head->q, from), k = operand_at(head->k, key * e->c);
    const struct operand upstream = operand_at(head->upstream, from);
    bool add = first > (e->causal ? key : 0);
    fill_scores(e, head, first, count, key, width, b->scores);
    fill_products(e, upstream, operand_at(head->v, key * e->c), count, width, b->slopes);
    find_slopes(e, count, width, b);
    multiply(e, true, width, count, b->scores, width, upstream, add, sums_from(to->dv, key));
    multiply(e, false, count, width, b->slopes, width, k, key > 0, to->dq);
    multiply(e, true, width, count, b->slopes, width, q, add, sums_from(to->dk, key));
}

static void attend_head_backward(const struct extent *e, const struct head *head,
                                 const struct own *own)
{
    struct gradients to = {.dk = sums_of(e, head->dk, own->keys),
                           .dv = sums_of(e, head->dv, own->values)};
    for (int64_t first = 0; first < e->length; first += QUERIES) {
        int64_t count = least(e->length - first, QUERIES);
        void *dq = result_at(e, head->dq, first * e->c);
        to.dq = sums_of(e, dq, own->queries);
        if (head->rows) take_rows(e, head, first, count, own);
        else find_rows(e, head, first, count, own->block);
        for (int64_t key = 0; key < keys_seen(e, first); key += KEYS) {
            attend_backward(e, head, first, count, key, own->block, &to);
        }
        finish(e, to.dq, count, dq);
    }
    finish(e, to.dk, e->keys, head->dk);
    finish(e, to.dv, e->keys, head->dv);
}

/* ---- division of the work ---- */

static struct operand operand_of(const struct call *call, int input, int64_t element)
{
    return operand_at((struct operand){call->inputs[input], call->problem->input_elements[input]},
                      element);
}

static struct head head_of(const struct call *call, const struct extent *e, int64_t number)
{
    const struct node *node = call->problem->node;
    int64_t item = number / e->heads, channel = number % e->heads * e->d;
    int64_t at_q = item * e->length * e->c + channel, at_k = item * e->keys * e->c + channel;
    struct head head = {.q = operand_of(call, 0, at_q),
                        .k = operand_of(call, 1, at_k),
                        .v = operand_of(call, 2, at_k)};
    void *all = call->output;
    int rows = attention_input(node, e->backward ? ATTENTION_GRADIENT_ROWS : ATTENTION_ROWS);
    int bias = attention_bias_input(node);
    if (bias >= 0) {
        head.bias =
            call->inputs[bias] + item * e->bias_steps[0] + number % e->heads * e->bias_steps[1];
    }
    if (node->input_count > rows) {
        head.rows = (float *)call->inputs[rows] + number * e->length * 2;
    }
    if (!e->backward) {
        head.y = result_at(e, all, at_q);
        return head;
    }
    int result = attention_input(node, ATTENTION_GRADIENT_RESULT);
    head.upstream = operand_of(call, ATTENTION_UPSTREAM, at_q);
    if (head.rows) head.result = operand_of(call, result, at_q);
    int64_t of_q = e->items * e->length * e->c, of_k = e->items * e->keys * e->c;
    head.dq = result_at(e, all, at_q);
    head.dk = result_at(e, all, of_q + at_k);
    head.dv = result_at(e, all, of_q + of_k + at_k);
    return head;
}

/* Shared among a team. */
static void run_tasks(const struct call *call, const struct extent *e)
{
    const struct own own = own_of(e, call->scratch, omp_get_thread_num());
#pragma omp for schedule(static)
    for (int64_t task = 0; task < e->items * e->heads * e->blocks; task++) {
        struct head head = head_of(call, e, task / e->blocks);
        if (e->backward) attend_head_backward(e, &head, &own);
        else attend(e, &head, task % e->blocks * QUERIES, &own);
    }
}

static sumi_status run(const struct call *call)
{
    struct extent e = measure(call->problem);
    if (wants_workspaces(call->problem, &e)) {
        e.workspaces = (char *)call->scratch + e.threads * bytes_of_own(&e);
    }
    BY_TEAM(e.threads, run_tasks(call, &e));
    return SUMI_OK;
}

/* Accepts all operands in bfloat16 except the bias and the side output of sums. */
static unsigned bf16_attention(const struct problem *problem)
{
    (void)problem;
    return BF16_INPUT(0) | BF16_INPUT(1) | BF16_INPUT(2) | BF16_OUTPUT;
}

static unsigned bf16_attention_gradient(const struct problem *problem)
{
    return bf16_attention(problem) | BF16_INPUT(ATTENTION_UPSTREAM)
           | BF16_INPUT(attention_input(problem->node, ATTENTION_GRADIENT_RESULT));
}

const struct kernel kernel_attention = {.prepare = prepare, .run = run, .bf16 = bf16_attention};
const struct kernel kernel_attention_gradient = {
    .prepare = prepare, .run = run, .bf16 = bf16_attention_gradient};

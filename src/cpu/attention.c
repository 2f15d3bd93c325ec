/* Softmax, and attention with its gradient: scores of one head of one item at a time live in a
   thread's scratch memory, so the full score matrix never exists. */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/loops/loops.h"
#include "cpu/onednn.h"

static sumi_status run_softmax(const struct call *call)
{
    const struct shape *shape = &call->problem->node->shape;
    const struct loops *loops = loops_select();
    int64_t n = shape->size[shape->rank - 1], rows = shape_count(shape) / n;
    int threads = worthwhile_threads(call->problem->threads, 4 * rows * n);
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        float *out = call->output + row * n;
        memcpy(out, call->inputs[0] + row * n, (size_t)n * sizeof *out);
        loops->softmax(n, 1, out);
    }
    return SUMI_OK;
}

const struct kernel kernel_softmax = {.run = run_softmax};

/* q[items, length, heads * d], k and v[items, keys, heads * d]. */
struct extent {
    int64_t items, length, keys, heads, d, c;
    float scale;
    int threads;
};

static struct extent measure(const struct problem *problem)
{
    const struct shape *q = problem->inputs[0], *k = problem->inputs[1];
    struct extent e = {.items = q->size[0],
                       .length = q->size[1],
                       .keys = k->size[1],
                       .heads = problem->node->attributes.groups,
                       .c = q->size[2],
                       .scale = (float)problem->node->attributes.scale};
    e.d = e.c / e.heads;
    e.threads = worthwhile_threads(problem->threads, shape_count(q) * e.keys);
    if (e.threads > e.items * e.heads) e.threads = (int)(e.items * e.heads);
    return e;
}

/* Floats of scratch a thread needs: score matrices. */
static int64_t scores_size(const struct extent *e)
{
    return (e->length * e->keys + 15) / 16 * 16;
}

static sumi_status prepare_attention(const struct problem *problem, void **state, size_t *scratch)
{
    (void)state;
    struct extent e = measure(problem);
    *scratch = (size_t)(e.threads * scores_size(&e)) * sizeof(float);
    return SUMI_OK;
}

/* scores[length, keys] = softmax(scale q k^T) of one head. */
static sumi_status fill_scores(const struct extent *e, const float *q, const float *k,
                               float *scores)
{
    const struct loops *loops = loops_select();
    TRY(onednn_product(false, true, e->length, e->keys, e->d, q, e->c, k, e->c, scores, e->keys));
    for (int64_t i = 0; i < e->length; i++) loops->softmax(e->keys, e->scale, scores + i * e->keys);
    return SUMI_OK;
}

static sumi_status attend(const struct call *call, const struct extent *e, int64_t task,
                          float *scores)
{
    int64_t item = task / e->heads, head = task % e->heads * e->d;
    const float *q = call->inputs[0] + item * e->length * e->c + head;
    const float *k = call->inputs[1] + item * e->keys * e->c + head;
    const float *v = call->inputs[2] + item * e->keys * e->c + head;
    float *out = call->output + item * e->length * e->c + head;
    TRY(fill_scores(e, q, k, scores));
    return onednn_product(false, false, e->length, e->d, e->keys, scores, e->keys, v, e->c, out,
                          e->c);
}

/* Does one head of one item, with `matrices` score matrices of scratch. */
typedef sumi_status (*attend_function)(const struct call *call, const struct extent *e,
                                       int64_t task, float *matrices);

/* Shares the heads of all items among the threads, each with scratch of its own. */
static sumi_status run_heads(const struct call *call, attend_function function, int matrices)
{
    struct extent e = measure(call->problem);
    float *scratch = call->scratch;
    int64_t tasks = e.items * e.heads, room = matrices * scores_size(&e);
    sumi_status status = SUMI_OK;
#pragma omp parallel for num_threads(e.threads) if (e.threads > 1) schedule(static)
    for (int part = 0; part < e.threads; part++) {
        int64_t end = tasks * (part + 1) / e.threads;
        for (int64_t task = tasks * part / e.threads; task < end; task++) {
            sumi_status one = function(call, &e, task, scratch + part * room);
            if (one == SUMI_OK) continue;
#pragma omp atomic write
            status = one;
        }
    }
    return onednn_explain_product(call->problem->context, status);
}

static sumi_status run_attention(const struct call *call)
{
    return run_heads(call, attend, 1);
}

const struct kernel kernel_attention = {.prepare = prepare_attention, .run = run_attention};

static sumi_status prepare_gradient(const struct problem *problem, void **state, size_t *scratch)
{
    TRY(prepare_attention(problem, state, scratch));
    *scratch *= 2;
    return SUMI_OK;
}

/* With P the scores and u the upstream: dv = P^T u; dP = u v^T;
   dS = P (dP - row sums of dP P); dq = scale dS k; dk = scale dS^T q. */
static sumi_status attend_backward(const struct call *call, const struct extent *e, int64_t task,
                                   float *scores)
{
    const struct loops *loops = loops_select();
    float *slopes = scores + scores_size(e);
    int64_t item = task / e->heads, head = task % e->heads * e->d;
    int64_t at_q = item * e->length * e->c + head, at_k = item * e->keys * e->c + head;
    const float *q = call->inputs[0] + at_q, *k = call->inputs[1] + at_k;
    const float *v = call->inputs[2] + at_k, *upstream = call->inputs[3] + at_q;
    float *dq = call->output + at_q;
    float *dk = call->output + e->items * e->length * e->c + at_k;
    float *dv = dk + e->items * e->keys * e->c;
    TRY(fill_scores(e, q, k, scores));
    TRY(onednn_product(true, false, e->keys, e->d, e->length, scores, e->keys, upstream, e->c, dv,
                       e->c));
    TRY(onednn_product(false, true, e->length, e->keys, e->d, upstream, e->c, v, e->c, slopes,
                       e->keys));
    for (int64_t i = 0; i < e->length; i++) {
        float *row = slopes + i * e->keys;
        const float *probability = scores + i * e->keys;
        float mean = loops->dot(e->keys, row, probability);
        loops->affine(e->keys, row, e->scale, -e->scale * mean, row);
        loops->multiply(e->keys, row, 1, probability, 1, row);
    }
    TRY(onednn_product(false, false, e->length, e->d, e->keys, slopes, e->keys, k, e->c, dq, e->c));
    return onednn_product(true, false, e->keys, e->d, e->length, slopes, e->keys, q, e->c, dk,
                          e->c);
}

static sumi_status run_gradient(const struct call *call)
{
    return run_heads(call, attend_backward, 2);
}

const struct kernel kernel_attention_gradient = {.prepare = prepare_gradient, .run = run_gradient};

/* SPDX-License-Identifier: Apache-2.0 */
/* Element-wise kernels: sums and products of two operands with broadcasting, and functions of
   one. Those of two take operands of bfloat16, which they widen a piece at a time. */
#include <math.h>

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"
#include "ops/ops.h"

enum { CHUNK = 4096 }; /* elements a thread takes at a time: a few lines of its first cache */

/* ---- two operands ---- */

/* The loops of a broadcast operation, outermost first, after merging axes that both operands walk
   alike. Steps are in elements; 0 repeats. */
struct walk {
    int rank;
    int64_t size[SUMI_MAX_RANK], step_a[SUMI_MAX_RANK], step_b[SUMI_MAX_RANK];
};

/* Steps of an operand along the axes of the output; 0 where it is broadcast. */
static void operand_steps(const struct shape *operand, const struct shape *output,
                          int64_t steps[SUMI_MAX_RANK])
{
    int64_t step = 1;
    int missing = output->rank - operand->rank;
    for (int i = output->rank - 1; i >= 0; i--) {
        bool repeated = i < missing || operand->size[i - missing] == 1;
        steps[i] = repeated ? 0 : step;
        if (!repeated) step *= operand->size[i - missing];
    }
}

static void walk_init(struct walk *walk, const struct shape *a, const struct shape *b,
                      const struct shape *output)
{
    int64_t step_a[SUMI_MAX_RANK], step_b[SUMI_MAX_RANK];
    operand_steps(a, output, step_a);
    operand_steps(b, output, step_b);
    walk->rank = 0;
    for (int i = 0; i < output->rank; i++) {
        if (output->size[i] == 1) continue;
        int last = walk->rank - 1;
        bool merges = last >= 0 && walk->step_a[last] == step_a[i] * output->size[i]
                      && walk->step_b[last] == step_b[i] * output->size[i];
        int place = merges ? last : walk->rank++;
        walk->size[place] = (merges ? walk->size[place] : 1) * output->size[i];
        walk->step_a[place] = step_a[i];
        walk->step_b[place] = step_b[i];
    }
    if (walk->rank == 0) {
        *walk = (struct walk){.rank = 1, .size = {1}, .step_a = {1}, .step_b = {1}};
    }
}

typedef void (*binary_loop)(int64_t n, const float *a, int step_a, const float *b, int step_b,
                            float *out);

static binary_loop find_loop(const struct op *op)
{
    const struct loops *loops = loops_select();
    if (op == &op_add) return loops->add;
    if (op == &op_subtract) return loops->subtract;
    if (op == &op_multiply) return loops->multiply;
    return loops->divide;
}

/* A walk that is under way. */
struct binary {
    const struct call *call;
    struct walk walk;
    binary_loop loop;
    bool bf16; /* some operand */
};

/* Elements of bfloat16 that are widened at a time; with the other operand and the result they stay
   in a first cache. */
enum { PIECE = 1024 };

/* The elements of an operand from `at` on, `count` of them or, where the step is 0, one: widened to
   `own` if need be. */
static const float *operand_piece(const struct call *call, int input, int64_t at, int64_t count,
                                  float *own)
{
    const sumi_element element = call->problem->input_elements[input];
    const void *data = element_address(call->inputs[input], element, at);
    if (element == SUMI_FLOAT32) return data;
    loops_select()->from_bf16(count, data, own);
    return own;
}

/* `count` elements from `at_a`, `at_b` and `at` of the operands and the result. */
static void run_piece(const struct binary *b, int64_t count, int64_t at_a, int64_t at_b, int64_t at)
{
    float own[3][PIECE];
    const struct call *call = b->call;
    const int last = b->walk.rank - 1;
    const int step_a = (int)b->walk.step_a[last], step_b = (int)b->walk.step_b[last];
    const float *of_a = operand_piece(call, 0, at_a, step_a ? count : 1, own[0]);
    const float *of_b = operand_piece(call, 1, at_b, step_b ? count : 1, own[1]);
    const bool rounds = call->problem->output_element == SUMI_BFLOAT16;
    float *out = rounds ? own[2] : call->output + at;
    b->loop(count, of_a, step_a, of_b, step_b, out);
    if (rounds) loops_select()->to_bf16(count, out, (bfloat16 *)call->output + at);
}

/* The same for any number of elements, in pieces where some are widened. */
static void run_row(const struct binary *b, int64_t count, int64_t at_a, int64_t at_b, int64_t at)
{
    const int last = b->walk.rank - 1;
    const int64_t most = b->bf16 ? PIECE : count;
    for (int64_t i = 0; i < count; i += most) {
        run_piece(b, count - i < most ? count - i : most, at_a + i * b->walk.step_a[last],
                  at_b + i * b->walk.step_b[last], at + i);
    }
}

/* One long row: split among the threads of a team in chunks. */
static void run_flat(const struct binary *b)
{
    const struct walk *walk = &b->walk;
    const int64_t n = walk->size[0];
#pragma omp for schedule(static)
    for (int64_t first = 0; first < n; first += CHUNK) {
        int64_t count = n - first < CHUNK ? n - first : CHUNK;
        run_row(b, count, first * walk->step_a[0], first * walk->step_b[0], first);
    }
}

/* Many rows: each thread of a team takes whole rows, whose places follow from the row number. */
static void run_rows(const struct binary *b)
{
    const struct walk *walk = &b->walk;
    int outer = walk->rank - 1;
    int64_t row_size = walk->size[outer], rows = 1;
    for (int i = 0; i < outer; i++) rows *= walk->size[i];
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        int64_t rest = row, at_a = 0, at_b = 0;
        for (int i = outer - 1; i >= 0; i--) {
            at_a += rest % walk->size[i] * walk->step_a[i];
            at_b += rest % walk->size[i] * walk->step_b[i];
            rest /= walk->size[i];
        }
        run_row(b, row_size, at_a, at_b, row * row_size);
    }
}

static sumi_status run_binary(const struct call *call)
{
    const struct problem *problem = call->problem;
    struct binary b = {.call = call, .loop = find_loop(problem->node->op)};
    b.bf16 = problem->input_elements[0] == SUMI_BFLOAT16
             || problem->input_elements[1] == SUMI_BFLOAT16
             || problem->output_element == SUMI_BFLOAT16;
    walk_init(&b.walk, problem->inputs[0], problem->inputs[1], &problem->node->shape);
    int threads = worthwhile_threads(problem->threads, shape_count(&problem->node->shape));
    if (b.walk.rank == 1) BY_TEAM(threads, run_flat(&b));
    else BY_TEAM(threads, run_rows(&b));
    return SUMI_OK;
}

static unsigned bf16_binary(const struct problem *problem)
{
    (void)problem;
    return BF16_INPUT(0) | BF16_INPUT(1) | BF16_OUTPUT;
}

const struct kernel kernel_binary = {.run = run_binary, .bf16 = bf16_binary};

/* ---- one operand ---- */

typedef void (*unary_loop)(int64_t n, const float *x, float *out);

/* The functions that networks rarely need at length go through the C library. */
#define LIBRARY_LOOP(NAME, FUNCTION)                                                               \
    static void NAME(int64_t n, const float *x, float *out)                                        \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++) out[i] = FUNCTION(x[i]);                                   \
    }
LIBRARY_LOOP(log_loop, logf)
LIBRARY_LOOP(sqrt_loop, sqrtf)
LIBRARY_LOOP(sin_loop, sinf)
LIBRARY_LOOP(cos_loop, cosf)
LIBRARY_LOOP(erf_loop, erff)

static float softplus(float x)
{
    return fmaxf(x, 0) + log1pf(expf(-fabsf(x)));
}
LIBRARY_LOOP(softplus_loop, softplus)

static unary_loop find_unary(const struct op *op)
{
    const struct loops *loops = loops_select();
    if (op == &op_exp) return loops->exp;
    if (op == &op_sigmoid) return loops->sigmoid;
    if (op == &op_silu) return loops->silu;
    if (op == &op_tanh) return loops->tanh;
    if (op == &op_relu) return loops->relu;
    if (op == &op_step) return loops->step;
    if (op == &op_log) return log_loop;
    if (op == &op_sqrt) return sqrt_loop;
    if (op == &op_sin) return sin_loop;
    if (op == &op_cos) return cos_loop;
    if (op == &op_erf) return erf_loop;
    return softplus_loop;
}

/* Shared among a team. */
static void apply_unary(const struct call *call)
{
    const struct node *node = call->problem->node;
    const float scale = (float)node->attributes.affine.scale,
                shift = (float)node->attributes.affine.shift;
    const bool affine = node->op == &op_affine;
    const struct loops *loops = loops_select();
    unary_loop loop = affine ? NULL : find_unary(node->op);
    int64_t n = shape_count(&node->shape);
#pragma omp for schedule(static)
    for (int64_t first = 0; first < n; first += CHUNK) {
        int64_t count = n - first < CHUNK ? n - first : CHUNK;
        const float *x = call->inputs[0] + first;
        if (affine) loops->affine(count, x, scale, shift, call->output + first);
        else loop(count, x, call->output + first);
    }
}

static sumi_status run_unary(const struct call *call)
{
    const struct node *node = call->problem->node;
    int64_t work = shape_count(&node->shape) * (node->op == &op_affine ? 1 : 4);
    BY_TEAM(worthwhile_threads(call->problem->threads, work), apply_unary(call));
    return SUMI_OK;
}

const struct kernel kernel_unary = {.run = run_unary};

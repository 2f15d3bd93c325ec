/* SPDX-License-Identifier: Apache-2.0 */
/* Activations that scale their input by a share of it, gated units, and rotary positions, forward
   and backward. */
#include "ops/activation.h"

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/transformer.h"

enum { CHUNK = 4096 }; /* elements a thread takes at a time */

struct pass {
    const struct call *call;
    bool bf16;
    size_t size; /* of an element */
    int form;
};

static struct pass begin(const struct call *call)
{
    bool bf16 = call->problem->input_elements[0] == SUMI_BFLOAT16;
    return (struct pass){call, bf16, bf16 ? sizeof(bfloat16) : sizeof(float),
                         (int)call->problem->node->attributes.activate.activation};
}

static const void *input_at(const struct pass *pass, int input, int64_t element)
{
    return (const char *)pass->call->inputs[input] + (size_t)element * pass->size;
}

static void *output_at(const struct pass *pass, int64_t element)
{
    return (char *)pass->call->output + (size_t)element * pass->size;
}

static unsigned bf16_all(const struct problem *problem)
{
    unsigned inputs = BF16_INPUT(0) | (problem->node->op->min_inputs == 2 ? BF16_INPUT(1) : 0);
    return bf16_together(problem, inputs | BF16_OUTPUT);
}

static int threads_of(const struct call *call)
{
    return worthwhile_threads(call->problem->threads, shape_count(call->problem->inputs[0]) * 4);
}

/* ---- element by element ---- */

/* Shared among a team. */
static void run_chunks(const struct pass *pass)
{
    const struct transformer_loops *loops = transformer_loops_select();
    const struct node *node = pass->call->problem->node;
    const int64_t n = shape_count(&node->shape);
#pragma omp for schedule(static)
    for (int64_t first = 0; first < n; first += CHUNK) {
        int64_t count = n - first < CHUNK ? n - first : CHUNK;
        const void *x = input_at(pass, 0, first);
        void *out = output_at(pass, first);
        if (node->op == &op_activate) loops->activate(pass->bf16, pass->form, count, x, out);
        else
            loops->activate_gradient(pass->bf16, pass->form, count, x, input_at(pass, 1, first),
                                     out);
    }
}

static sumi_status run_activate(const struct call *call)
{
    struct pass pass = begin(call);
    BY_TEAM(threads_of(call), run_chunks(&pass));
    return SUMI_OK;
}

const struct kernel kernel_activate = {.run = run_activate, .bf16 = bf16_all};

/* ---- gated units, row by row ---- */

/* Shared among a team. */
static void run_rows(const struct pass *pass)
{
    const struct transformer_loops *loops = transformer_loops_select();
    const struct shape *x = pass->call->problem->inputs[0];
    const int64_t width = x->size[x->rank - 1], rows = shape_count(x) / width, d = width / 2;
    const bool forward = pass->call->problem->node->op == &op_gate;
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const void *from = input_at(pass, 0, row * width);
        if (forward) loops->gate(pass->bf16, pass->form, 1, d, from, output_at(pass, row * d));
        else
            loops->gate_gradient(pass->bf16, pass->form, 1, d, from, input_at(pass, 1, row * d),
                                 output_at(pass, row * width));
    }
}

static sumi_status run_gate(const struct call *call)
{
    struct pass pass = begin(call);
    BY_TEAM(threads_of(call), run_rows(&pass));
    return SUMI_OK;
}

const struct kernel kernel_gate = {.run = run_gate, .bf16 = bf16_all};

/* ---- rotary positions, head by head ---- */

/* Shared among a team. */
static void turn_heads(const struct pass *pass)
{
    const struct transformer_loops *loops = transformer_loops_select();
    const struct problem *problem = pass->call->problem;
    const struct attributes *attributes = &problem->node->attributes;
    const int64_t length = problem->inputs[1]->size[0], pairs = problem->inputs[1]->size[1];
    const int64_t count = shape_count(problem->inputs[0]) / (2 * pairs);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        int64_t position = i / attributes->rotary.heads % length;
        loops->rotary(pass->bf16, pairs, input_at(pass, 0, 2 * i * pairs),
                      pass->call->inputs[1] + position * pairs,
                      pass->call->inputs[2] + position * pairs, attributes->rotary.inverse ? -1 : 1,
                      output_at(pass, 2 * i * pairs));
    }
}

static sumi_status run_rotary(const struct call *call)
{
    struct pass pass = begin(call);
    BY_TEAM(threads_of(call), turn_heads(&pass));
    return SUMI_OK;
}

static unsigned bf16_rotary(const struct problem *problem)
{
    return bf16_together(problem, BF16_INPUT(0) | BF16_OUTPUT);
}

const struct kernel kernel_rotary = {.run = run_rotary, .bf16 = bf16_rotary};

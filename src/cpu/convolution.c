/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions and their two gradients: the problem of a node, the choice of a way to compute it,
   and its run. */
#include "cpu/convolution.h"

#include "cpu/cpu.h"
#include "cpu/tune.h"
#include "ops/epilogue.h"
#include "ops/ops.h"

/* The problem in terms of the forward convolution: shapes of x, weight and y. */
static struct convolution_problem describe(const struct problem *problem, const struct shape *x,
                                           const struct shape *weight, const struct shape *y)
{
    const sumi_convolution *geometry = &problem->node->attributes.convolution;
    struct convolution_problem p = {.epilogue = problem->node->attributes.epilogue.parts,
                                    .constant_weights = problem->constant_weights[1],
                                    .batch = x->size[0],
                                    .height = x->size[1],
                                    .width = x->size[2],
                                    .in = x->size[3],
                                    .out_height = y->size[1],
                                    .out_width = y->size[2],
                                    .out = y->size[3],
                                    .threads = problem->threads,
                                    .bf16 = problem->input_elements[0] == SUMI_BFLOAT16,
                                    .weights = problem->input_elements[1]};
    for (int i = 0; i < 2; i++) {
        p.kernel[i] = weight->size[2 + i];
        p.stride[i] = geometry->stride[i];
        p.before[i] = geometry->before[i];
        /* the padding for which the output size has no remainder */
        p.after[i] =
            (y->size[1 + i] - 1) * p.stride[i] + p.kernel[i] - x->size[1 + i] - p.before[i];
    }
    return p;
}

static struct convolution_problem problem_of(const struct problem *problem)
{
    const struct op *op = problem->node->op;
    const struct shape *output = &problem->node->shape;
    struct convolution_problem p;
    if (op == &op_convolution) {
        p = describe(problem, problem->inputs[0], problem->inputs[1], output);
        p.direction = CONVOLUTION_FORWARD;
    } else if (op == &op_convolution_data_gradient) {
        p = describe(problem, output, problem->inputs[1], problem->inputs[0]);
        p.direction = CONVOLUTION_DATA_GRADIENT;
    } else {
        p = describe(problem, problem->inputs[0], output, problem->inputs[1]);
        p.direction = CONVOLUTION_WEIGHT_GRADIENT;
        p.weights = SUMI_FLOAT32;
    }
    return p;
}

/* Whether keeping what is made from constant weights saves time: not where so many pixels are
   multiplied by it that making it anew is a percent of the work. */
static bool is_worth_keeping(const struct convolution_problem *p)
{
    enum { MANY_PIXELS = 4096 };
    return p->batch * p->out_height * p->out_width < MANY_PIXELS;
}

/* Where what the way would keep of the weights is too much, one is chosen that keeps nothing. */
static sumi_status choose(const struct problem *problem, struct convolution_ready *ready)
{
    struct convolution_problem p = problem_of(problem);
    p.constant_weights = p.constant_weights && is_worth_keeping(&p);
    TRY(tune_choose(problem->context, problem->shared, &p, ready));
    if ((int64_t)ready->memory.kept <= problem->keep_most) return convolution_keep(ready);
    convolution_release(ready);
    p.constant_weights = false;
    return tune_choose(problem->context, problem->shared, &p, ready);
}

static size_t kept(const void *state)
{
    const struct convolution_ready *ready = state;
    return ready->memory.kept;
}

static void release(sumi_context *context, void *state)
{
    if (state) convolution_release(state);
    context_release(context, state);
}

static sumi_status prepare(const struct problem *problem, void **state, size_t *scratch)
{
    struct convolution_ready *ready = context_allocate_zeroed(problem->context, 1, sizeof *ready);
    if (!ready) return SUMI_ERROR_MEMORY;
    sumi_status status = choose(problem, ready);
    *scratch = ready->memory.scratch;
    if (status == SUMI_OK) *state = ready;
    else release(problem->context, ready);
    return status;
}

/* The ways take all operands as writable and write only the one they compute. */
static sumi_status run(const struct call *call, const void *x, const void *weight, const void *y)
{
    const struct shape *shape = &call->problem->node->shape;
    const struct convolution_ready *ready = call->state;
    struct convolution_operands operands = {.x = (void *)x,
                                            .weight = (void *)weight,
                                            .y = (void *)y,
                                            .epilogue = epilogue_of(call, shape->size[3]),
                                            .version = call->version,
                                            .kept = ready->kept};
    return convolution_run(ready, &operands, call->scratch);
}

static sumi_status run_forward(const struct call *call)
{
    return run(call, call->inputs[0], call->inputs[1], call->output);
}

static sumi_status run_data_gradient(const struct call *call)
{
    return run(call, call->output, call->inputs[1], call->inputs[0]);
}

static sumi_status run_weight_gradient(const struct call *call)
{
    return run(call, call->inputs[0], call->output, call->inputs[1]);
}

/* Accepts both images in bfloat16, or none: for the first and the last convolution of a network, of
   which one image is an input or an output, the plan converts. Weights may be of any type. */
static unsigned bf16_operands(const struct problem *problem)
{
    int residual = epilogue_input(problem->node, EPILOGUE_RESIDUAL);
    unsigned images = BF16_INPUT(0) | BF16_OUTPUT;
    if (residual >= 0) images |= BF16_INPUT(residual);
    return bf16_together(problem, images) | BF16_INPUT(1);
}

static unsigned bf16_images(const struct problem *problem)
{
    return bf16_together(problem, BF16_INPUT(0) | BF16_INPUT(1));
}

const struct kernel kernel_convolution = {.prepare = prepare,
                                          .run = run_forward,
                                          .release = release,
                                          .kept = kept,
                                          .bf16 = bf16_operands,
                                          .f16 = BF16_INPUT(1)};
const struct kernel kernel_convolution_data_gradient = {.prepare = prepare,
                                                        .run = run_data_gradient,
                                                        .release = release,
                                                        .kept = kept,
                                                        .bf16 = bf16_operands,
                                                        .f16 = BF16_INPUT(1)};
const struct kernel kernel_convolution_weight_gradient = {
    .prepare = prepare, .run = run_weight_gradient, .release = release, .bf16 = bf16_images};

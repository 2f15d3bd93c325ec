/* Convolutions and their two gradients, by oneDNN in channels-last layout. */
#include "cpu/cpu.h"
#include "cpu/epilogue.h"
#include "cpu/onednn.h"
#include "ops/epilogue.h"
#include "ops/ops.h"

/* The problem in oneDNN's terms. x, weight and y are the shapes of the forward convolution. */
static struct onednn_problem describe(const struct problem *problem, const struct shape *x,
                                      const struct shape *weight, const struct shape *y)
{
    const sumi_convolution *geometry = &problem->node->attributes.convolution;
    struct onednn_problem p = {.batch = x->size[0],
                               .height = x->size[1],
                               .width = x->size[2],
                               .channels_in = x->size[3],
                               .out_height = y->size[1],
                               .out_width = y->size[2],
                               .channels_out = y->size[3]};
    for (int i = 0; i < 2; i++) {
        p.kernel[i] = weight->size[2 + i];
        p.stride[i] = geometry->stride[i];
        p.before[i] = geometry->before[i];
        /* the library wants the padding that the output size implies, without a remainder */
        p.after[i] = (y->size[1 + i] - 1) * p.stride[i] + p.kernel[i] - x->size[1 + i]
                     - p.before[i];
    }
    return p;
}

static sumi_status prepare(const struct problem *problem, void **state, size_t *scratch)
{
    const struct op *op = problem->node->op;
    const struct shape *output = &problem->node->shape;
    struct onednn_problem p;
    if (op == &op_convolution) {
        p = describe(problem, problem->inputs[0], problem->inputs[1], output);
        p.direction = ONEDNN_FORWARD;
        p.bias = problem->node->attributes.epilogue & EPILOGUE_BIAS;
    } else if (op == &op_convolution_data_gradient) {
        p = describe(problem, output, problem->inputs[1], problem->inputs[0]);
        p.direction = ONEDNN_DATA_GRADIENT;
    } else {
        p = describe(problem, problem->inputs[0], output, problem->inputs[1]);
        p.direction = ONEDNN_WEIGHT_GRADIENT;
    }
    struct onednn_convolution *convolution = NULL;
    TRY(onednn_convolution_create(problem->context, problem->shared, &p, &convolution, scratch));
    *state = convolution;
    return SUMI_OK;
}

static void release(sumi_context *context, void *state)
{
    (void)context;
    onednn_convolution_free(state);
}

/* The library takes all operands as writable and writes only the one it computes. */
static sumi_status run_forward(const struct call *call)
{
    const struct shape *y = &call->problem->node->shape;
    struct epilogue epilogue = epilogue_of(call, y->size[3]);
    TRY(onednn_convolution_run(call->state, (float *)call->inputs[0], (float *)call->inputs[1],
                               epilogue.bias, call->output, call->scratch));
    epilogue.bias = NULL; /* the library has added it */
    epilogue_apply_all(&epilogue, call->problem->threads, shape_count(y) / y->size[3],
                       call->output);
    return SUMI_OK;
}

static sumi_status run_data_gradient(const struct call *call)
{
    const struct shape *x = &call->problem->node->shape;
    struct epilogue epilogue = epilogue_of(call, x->size[3]);
    TRY(onednn_convolution_run(call->state, call->output, (float *)call->inputs[1], NULL,
                               (float *)call->inputs[0], call->scratch));
    epilogue_apply_all(&epilogue, call->problem->threads, shape_count(x) / x->size[3],
                       call->output);
    return SUMI_OK;
}

static sumi_status run_weight_gradient(const struct call *call)
{
    return onednn_convolution_run(call->state, (float *)call->inputs[0], call->output, NULL,
                                  (float *)call->inputs[1], call->scratch);
}

const struct kernel kernel_convolution = {prepare, run_forward, release};
const struct kernel kernel_convolution_data_gradient = {prepare, run_data_gradient, release};
const struct kernel kernel_convolution_weight_gradient = {prepare, run_weight_gradient, release};

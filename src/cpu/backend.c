/* SPDX-License-Identifier: Apache-2.0 */
/* The table from ops to CPU kernels. An op that is not in it runs its reference kernel. */
#include "cpu/cpu.h"

#include <string.h>

#include "cpu/onednn.h"
#include "cpu/tune.h"
#include "ops/fusion.h"
#include "ops/linear.h"

static const struct {
    const struct op *op;
    const struct kernel *kernel;
} kernels[] = {
    {&op_add, &kernel_binary},
    {&op_subtract, &kernel_binary},
    {&op_multiply, &kernel_binary},
    {&op_divide, &kernel_binary},
    {&op_affine, &kernel_unary},
    {&op_exp, &kernel_unary},
    {&op_log, &kernel_unary},
    {&op_sqrt, &kernel_unary},
    {&op_sin, &kernel_unary},
    {&op_cos, &kernel_unary},
    {&op_sigmoid, &kernel_unary},
    {&op_tanh, &kernel_unary},
    {&op_silu, &kernel_unary},
    {&op_softplus, &kernel_unary},
    {&op_erf, &kernel_unary},
    {&op_relu, &kernel_unary},
    {&op_step, &kernel_unary},
    {&op_sum, &kernel_sum},
    {&op_broadcast, &kernel_broadcast},
    {&op_permute, &kernel_permute},
    {&op_slice, &kernel_slice},
    {&op_pad, &kernel_pad},
    {&op_concat, &kernel_concat},
    {&op_patchify, &kernel_patches},
    {&op_unpatchify, &kernel_patches},
    {&op_upsample, &kernel_upsample},
    {&op_block_sum, &kernel_block_sum},
    {&op_pool, &kernel_pool},
    {&op_dropout_mask, &kernel_dropout_mask},
    {&op_gather, &kernel_gather},
    {&op_nearest_row, &kernel_nearest_row},
    {&op_matmul, &kernel_matmul},
    {&op_linear_whole, &kernel_linear},
    {&op_linear_weight_gradient, &kernel_linear_weight_gradient},
    {&op_convolution, &kernel_convolution},
    {&op_convolution_data_gradient, &kernel_convolution_data_gradient},
    {&op_convolution_weight_gradient, &kernel_convolution_weight_gradient},
    {&op_group_moments, &kernel_group_moments},
    {&op_group_norm, &kernel_group_norm},
    {&op_group_norm_whole, &kernel_group_norm_whole},
    {&op_group_norm_backward, &kernel_group_norm_backward},
    {&op_group_norm_sums, &kernel_group_norm_sums},
    {&op_group_norm_data_gradient, &kernel_group_norm_data_gradient},
    {&op_layer_norm, &kernel_layer_norm},
    {&op_layer_norm_gradient, &kernel_layer_norm_gradient},
    {&op_layer_norm_sums, &kernel_layer_norm_gradient},
    {&op_activate, &kernel_activate},
    {&op_activate_gradient, &kernel_activate},
    {&op_gate, &kernel_gate},
    {&op_gate_gradient, &kernel_gate},
    {&op_rotary, &kernel_rotary},
    {&op_squared_error, &kernel_squared_error},
    {&op_softmax, &kernel_softmax},
    {&op_attention, &kernel_attention},
    {&op_attention_gradient, &kernel_attention_gradient},
};

static const struct kernel *find(const struct op *op)
{
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (kernels[i].op == op) return kernels[i].kernel;
    }
    return &kernel_fallback;
}

static void close_shared(sumi_context *context, void *given)
{
    struct cpu_shared *shared = given;
    if (!shared) return;
    tune_memory_close(shared->memory);
    onednn_close(context, shared->library);
    context_release(context, shared);
}

static sumi_status open_shared(sumi_context *context, void **result)
{
    struct cpu_shared *shared = context_allocate_zeroed(context, 1, sizeof *shared);
    if (!shared) return SUMI_ERROR_MEMORY;
    sumi_status status = onednn_open(context, &shared->library);
    if (status == SUMI_OK && context->tuning) status = tune_memory_open(context, &shared->memory);
    if (status == SUMI_OK) *result = shared;
    else close_shared(context, shared);
    return status;
}

/* ---- Memory of the host ---- */

static void *allocate(sumi_context *context, size_t bytes)
{
    return context_allocate_zeroed(context, bytes, 1);
}

static sumi_status copy(sumi_context *context, const void *from, size_t bytes, void *to)
{
    (void)context;
    memcpy(to, from, bytes);
    return SUMI_OK;
}

static sumi_status synchronize(sumi_context *context)
{
    (void)context; /* kernels finish before they return */
    return SUMI_OK;
}

const struct backend cpu_backend = {.host_memory = true,
                                    .allocate = allocate,
                                    .release = context_release,
                                    .upload = copy,
                                    .download = copy,
                                    .synchronize = synchronize,
                                    .open = open_shared,
                                    .close = close_shared,
                                    .find = find,
                                    .rules = fusion_rules,
                                    .widen = widen_floats,
                                    .to_bf16 = bfloat16_from_floats,
                                    .squared_norm = optimizer_squared_norm,
                                    .adamw = optimizer_adamw};

/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU backend: one kernel for each op, channels last. Kernels compute in float32; `bf16` and
   `f16` of a kernel are the operands that it accepts in these types. Kernels are tested against the
   ops' reference kernels. */
#ifndef SUMI_CPU_CPU_H
#define SUMI_CPU_CPU_H

#include "base/team.h"
#include "graph/kernel.h"
#include "graph/plan.h"

extern const struct backend cpu_backend;

/* Kernels by file. The fallback runs an op's reference kernel in double. */
extern const struct kernel kernel_fallback;
extern const struct kernel kernel_binary, kernel_unary;  /* elementwise.c */
extern const struct kernel kernel_sum, kernel_broadcast; /* reduce.c */
extern const struct kernel kernel_permute, kernel_slice, kernel_pad, kernel_concat,
    kernel_patches;                                                                /* move.c */
extern const struct kernel kernel_pool;                                            /* pool.c */
extern const struct kernel kernel_upsample, kernel_block_sum, kernel_dropout_mask; /* spatial.c */
extern const struct kernel kernel_linear, kernel_linear_weight_gradient;           /* linear.c */
extern const struct kernel kernel_gather;                                          /* gather.c */
extern const struct kernel kernel_nearest_row; /* nearest_row.c */
extern const struct kernel kernel_matmul;      /* matmul.c */
extern const struct kernel kernel_convolution, kernel_convolution_data_gradient,
    kernel_convolution_weight_gradient; /* convolution.c */
extern const struct kernel kernel_group_moments, kernel_group_norm,
    kernel_group_norm_whole; /* group_norm.c */
extern const struct kernel kernel_group_norm_sums, kernel_group_norm_data_gradient,
    kernel_group_norm_backward; /* group_norm_gradient.c */
extern const struct kernel kernel_layer_norm, kernel_layer_norm_gradient; /* layer_norm.c */
extern const struct kernel kernel_activate, kernel_gate, kernel_rotary;   /* activate.c */
extern const struct kernel kernel_squared_error;                          /* squared_error.c */
extern const struct kernel kernel_softmax, kernel_attention, kernel_attention_gradient;

/* Conversions of n elements (bfloat16.c). */
void bfloat16_to_floats(int threads, int64_t n, const bfloat16 *from, float *to);
void widen_floats(int threads, sumi_element element, int64_t n, const void *from, float *to);
void bfloat16_from_floats(int threads, int64_t n, const float *from, bfloat16 *to);

/* The optimizer's pass; see graph/backend.h (optimizer.c). */
double optimizer_squared_norm(int threads, int64_t count, struct optimizer_chunk *chunks);
void optimizer_adamw(int threads, const struct optimizer_step *step, int64_t count,
                     const struct optimizer_chunk *chunks);

#endif

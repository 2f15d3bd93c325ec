/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one kernel on operands of several types and compares it with its op's reference kernel in
   double on the same rounded operands. The difference is the rounding of float32 arithmetic and one
   rounding of each bfloat16 result, at most 2^-8 of it; a kernel that stores an intermediate value
   in bfloat16 may have that rounding too. */
#ifndef TESTS_CPU_TYPED_KERNEL_H
#define TESTS_CPU_TYPED_KERNEL_H

#include "base/philox.h"
#include "check.h"
#include "cpu/cpu.h"
#include "cpu/float16_of.h"
#include "ops/one_graph.h"

/* An operand in two forms: what the kernel gets, and as doubles for the reference. */
struct operand {
    int64_t count;
    sumi_element element;
    void *data;
    double *values;
};

static inline double operand_read(const struct operand *o, int64_t i)
{
    switch (o->element) {
    case SUMI_BFLOAT16: return bfloat16_to_float(((bfloat16 *)o->data)[i]);
    case SUMI_FLOAT16: return float16_to_float(((float16 *)o->data)[i]);
    default: return ((float *)o->data)[i];
    }
}

/* Draws an operand; where `coarse`, also one of float32 has numbers of bfloat16. */
static inline struct operand operand_create(const struct shape *shape, uint64_t key,
                                            sumi_element element, bool coarse)
{
    struct operand o = {.count = shape_count(shape), .element = element};
    float *values = malloc((size_t)o.count * sizeof *values);
    o.data = aligned_alloc(64, ((size_t)o.count * sizeof(float) + 63) / 64 * 64);
    o.values = malloc((size_t)o.count * sizeof *o.values);
    philox_stream stream = {key, PURPOSE_DATA, 0};
    philox_normal(&stream, 0, o.count, values);
    for (int64_t i = 0; i < o.count; i++) {
        if (coarse) values[i] = bfloat16_to_float(bfloat16_from_float(values[i]));
        if (element == SUMI_BFLOAT16) ((bfloat16 *)o.data)[i] = bfloat16_from_float(values[i]);
        else if (element == SUMI_FLOAT16) ((float16 *)o.data)[i] = float16_of(values[i]);
        else ((float *)o.data)[i] = values[i];
        o.values[i] = operand_read(&o, i);
    }
    free(values);
    return o;
}

static inline void operand_release(struct operand *o)
{
    free(o->data);
    free(o->values);
}

/* Fails unless each result is within `roundings` roundings of the reference, and the arithmetic's.
 */
static inline void operand_compare(const struct node *node, const struct operand *o, int roundings,
                                   double arithmetic)
{
    double largest = 0;
    for (int64_t i = 0; i < o->count; i++) largest = fmax(largest, fabs(o->values[i]));
    for (int64_t i = 0; i < o->count; i++) {
        double expected = o->values[i], actual = operand_read(o, i), bound = arithmetic * largest;
        if (o->element == SUMI_BFLOAT16)
            bound += ldexp(fabs(expected), -8) + (roundings - 1) * ldexp(largest, -8);
        if (!(fabs(actual - expected) <= bound)) {
            fail_msg("%s: element %lld is %.9g, expected %.9g within %.3g", node->op->name,
                     (long long)i, actual, expected, bound);
        }
    }
}

/* Which operands are bfloat16 and float16 (BF16_INPUT(i), BF16_OUTPUT); which inputs are written;
   the bounds of operand_compare; and whether the kernel may round factors of float32 to bfloat16,
   so that they are drawn as such numbers. */
struct typed {
    unsigned bf16, f16, written;
    int roundings;
    double arithmetic;
    bool coarse;
};

static inline sumi_element element_of(const struct typed *t, unsigned operand)
{
    return t->bf16 & operand ? SUMI_BFLOAT16 : t->f16 & operand ? SUMI_FLOAT16 : SUMI_FLOAT32;
}

/* Runs one node, whose kernel must accept its operands in their types; returns the bytes of scratch
   memory that it asked for. */
static inline size_t check_typed(sumi_node n, struct typed t)
{
    CHECK_OK(context, graph->status);
    const struct node *node = graph_node(graph, n);
    const struct kernel *kernel = cpu_backend.find(node->op);
    struct problem problem = {.context = context,
                              .graph = graph,
                              .node = node,
                              .threads = sumi_context_threads(context),
                              .output_element = element_of(&t, BF16_OUTPUT)};
    struct call call = {.problem = &problem, .version = 1};
    struct operand inputs[MAX_INPUTS], output;
    const double *values[MAX_INPUTS];
    for (int i = 0; i < node->input_count; i++) {
        problem.inputs[i] = input_shape(graph, node, i);
        problem.input_elements[i] = element_of(&t, BF16_INPUT(i));
        inputs[i] =
            operand_create(problem.inputs[i], (uint64_t)i, problem.input_elements[i], t.coarse);
        values[i] = inputs[i].values;
        call.inputs[i] = inputs[i].data;
    }
    if (t.bf16) assert_non_null(kernel->bf16);
    assert_int_equal(t.bf16 & ~(kernel->bf16 ? kernel->bf16(&problem) : 0), 0);
    assert_int_equal(t.f16 & ~kernel->f16, 0);
    output = operand_create(&node->shape, 99, problem.output_element, false);
    call.output = output.data;
    size_t scratch = 0;
    CHECK_OK(context, cpu_backend.open(context, &problem.shared));
    if (kernel->prepare) CHECK_OK(context, kernel->prepare(&problem, &call.state, &scratch));
    call.scratch = aligned_alloc(64, (scratch + 64) / 64 * 64);
    memset(call.scratch, 0x7f, (scratch + 64) / 64 * 64);
    node->op->reference(graph, node, values, output.values, &call.key);
    CHECK_OK(context, kernel->run(&call));
    operand_compare(node, &output, t.roundings, t.arithmetic);
    for (int i = 0; i < node->input_count; i++) {
        if (t.written & BF16_INPUT(i)) {
            operand_compare(node, &inputs[i], t.roundings, t.arithmetic);
        }
        operand_release(&inputs[i]);
    }
    operand_release(&output);
    free(call.scratch);
    if (kernel->release) kernel->release(context, call.state);
    cpu_backend.close(context, problem.shared);
    return scratch;
}

static inline void start_over(int threads)
{
    sumi_graph_free(graph);
    CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
    CHECK_OK(context, sumi_context_set_threads(context, threads));
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that take bfloat16 as it is: each by itself on operands rounded beforehand, against its
   op's reference kernel in double on the same numbers. What is left is the rounding of float32
   arithmetic and one rounding to nearest of each result, 2^-8 of it at most; a kernel that keeps a
   value halfway in bfloat16 is allowed that one too. */
#include "base/philox.h"
#include "check.h"
#include "cpu/cpu.h"
#include "ops/group_norm.h"
#include "ops/ops.h"
#include "ops/one_graph.h"

/* An operand in three forms: what the kernel gets, and as doubles for the reference. */
struct operand {
    int64_t count;
    void *data;
    double *values;
};

static struct operand operand_create(const struct shape *shape, uint64_t key, bool bf16)
{
    struct operand o = {.count = shape_count(shape)};
    float *values = malloc((size_t)o.count * sizeof *values);
    o.data = aligned_alloc(64, ((size_t)o.count * sizeof(float) + 63) / 64 * 64);
    o.values = malloc((size_t)o.count * sizeof *o.values);
    philox_stream stream = {key, PURPOSE_DATA, 0};
    philox_normal(&stream, 0, o.count, values);
    for (int64_t i = 0; i < o.count; i++) {
        bfloat16 rounded = bfloat16_from_float(values[i]);
        if (bf16) ((bfloat16 *)o.data)[i] = rounded;
        else ((float *)o.data)[i] = values[i];
        o.values[i] = bf16 ? bfloat16_to_float(rounded) : values[i];
    }
    free(values);
    return o;
}

static void operand_release(struct operand *o)
{
    free(o->data);
    free(o->values);
}

/* Fails unless each result is within `roundings` roundings of the reference, and the arithmetic's.
 */
static void compare(const struct node *node, const struct operand *o, bool bf16, int roundings,
                    double arithmetic)
{
    double largest = 0;
    for (int64_t i = 0; i < o->count; i++) largest = fmax(largest, fabs(o->values[i]));
    for (int64_t i = 0; i < o->count; i++) {
        double expected = o->values[i];
        double actual = bf16 ? bfloat16_to_float(((bfloat16 *)o->data)[i]) : ((float *)o->data)[i];
        double bound = arithmetic * largest;
        if (bf16) bound += ldexp(fabs(expected), -8) + (roundings - 1) * ldexp(largest, -8);
        if (!(fabs(actual - expected) <= bound)) {
            fail_msg("%s: element %lld is %.9g, expected %.9g within %.3g", node->op->name,
                     (long long)i, actual, expected, bound);
        }
    }
}

/* Runs one node with the operands of the mask as bfloat16, which its kernel must take as they are;
   `written` is a mask of inputs that it writes too. */
static void check_bf16(sumi_node n, unsigned bf16, unsigned written, int roundings,
                       double arithmetic)
{
    CHECK_OK(context, graph->status);
    const struct node *node = graph_node(graph, n);
    const struct kernel *kernel = cpu_backend.find(node->op);
    struct problem problem = {.context = context,
                              .graph = graph,
                              .node = node,
                              .threads = sumi_context_threads(context),
                              .output_element = (bf16 & BF16_OUTPUT) != 0};
    struct call call = {.problem = &problem, .version = 1};
    struct operand inputs[MAX_INPUTS], output;
    const double *values[MAX_INPUTS];
    for (int i = 0; i < node->input_count; i++) {
        problem.inputs[i] = input_shape(graph, node, i);
        problem.input_elements[i] = (bf16 & BF16_INPUT(i)) != 0;
        inputs[i] = operand_create(problem.inputs[i], (uint64_t)i, bf16 & BF16_INPUT(i));
        values[i] = inputs[i].values;
        call.inputs[i] = inputs[i].data;
    }
    assert_non_null(kernel->bf16);
    assert_int_equal(bf16 & ~kernel->bf16(&problem), 0);
    output = operand_create(&node->shape, 99, bf16 & BF16_OUTPUT);
    call.output = output.data;
    size_t scratch = 0;
    CHECK_OK(context, cpu_backend.open(context, &problem.shared));
    if (kernel->prepare) CHECK_OK(context, kernel->prepare(&problem, &call.state, &scratch));
    call.scratch = aligned_alloc(64, (scratch + 64) / 64 * 64);
    node->op->reference(graph, node, values, output.values, &call.key);
    CHECK_OK(context, kernel->run(&call));
    compare(node, &output, bf16 & BF16_OUTPUT, roundings, arithmetic);
    for (int i = 0; i < node->input_count; i++) {
        bool as_bfloat16 = bf16 & BF16_INPUT(i);
        if (written & BF16_INPUT(i)) compare(node, &inputs[i], as_bfloat16, roundings, arithmetic);
        operand_release(&inputs[i]);
    }
    operand_release(&output);
    free(call.scratch);
    if (kernel->release) kernel->release(context, call.state);
    cpu_backend.close(context, problem.shared);
}

static void start_over(int threads)
{
    sumi_graph_free(graph);
    CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
    CHECK_OK(context, sumi_context_set_threads(context, threads));
}

/* ---- group normalisation ---- */

static void group_norms_forward_round_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        for (int silu = 0; silu <= 1; silu++) {
            start_over(threads);
            struct attributes norm = {.norm = {4, 1e-5, silu}};
            sumi_node x = INPUT(3, 9, 10, 24), moments = INPUT(3, 4, 2), scale = INPUT(24);
            sumi_node shift = INPUT(24), second = INPUT(3, 9, 10, 16), wide = INPUT(40);
            const sumi_node inputs[] = {x, moments, scale, shift};
            const sumi_node pair[] = {x, moments, wide, wide, second};
            check_bf16(graph_append(graph, &op_group_moments, 1, &x, &norm), BF16_INPUT(0), 0, 1,
                       1e-5);
            check_bf16(graph_append(graph, &op_group_norm, 4, inputs, &norm),
                       BF16_INPUT(0) | BF16_OUTPUT, 0, 1, 1e-5);
            check_bf16(graph_append(graph, &op_group_norm_whole, 4, inputs, &norm),
                       BF16_INPUT(0) | BF16_OUTPUT, BF16_INPUT(1), 1, 1e-5);
            check_bf16(graph_append(graph, &op_group_norm_whole, 5, pair, &norm),
                       BF16_INPUT(0) | BF16_INPUT(4) | BF16_OUTPUT, BF16_INPUT(1), 1, 1e-5);
        }
    }
}

/* The slope of the activation lies in the result's memory between the two sweeps. */
static void group_norms_backward_round_twice(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        start_over(threads);
        struct attributes norm = {.norm = {4, 1e-5, true}};
        sumi_node x = INPUT(3, 9, 10, 24), moments = INPUT(3, 4, 2), scale = INPUT(24);
        sumi_node shift = INPUT(24), upstream = INPUT(3, 9, 10, 24), sums = INPUT(2, 3, 24);
        sumi_node residual = INPUT(3, 9, 10, 24), columns = INPUT(3, 1, 1, 24);
        const sumi_node half[] = {x, moments, scale, shift, upstream, sums};
        const sumi_node whole[] = {upstream, x, moments, scale, shift, sums, residual, columns};
        check_bf16(graph_append(graph, &op_group_norm_sums, 5, half, &norm),
                   BF16_INPUT(0) | BF16_INPUT(4), 0, 1, 1e-5);
        check_bf16(graph_append(graph, &op_group_norm_data_gradient, 6, half, &norm),
                   BF16_INPUT(0) | BF16_INPUT(4) | BF16_OUTPUT, 0, 2, 1e-5);
        norm.epilogue.parts = BACKWARD_RESIDUAL | BACKWARD_COLUMNS;
        check_bf16(graph_append(graph, &op_group_norm_backward, 8, whole, &norm),
                   BF16_INPUT(0) | BF16_INPUT(1) | BF16_INPUT(6) | BF16_OUTPUT, BF16_INPUT(5), 2,
                   1e-5);
    }
}

static void group_norms_of_two_arrays_backward_round_twice(void **state)
{
    (void)state;
    start_over(2);
    struct attributes norm = {.norm = {4, 1e-5, true}, .epilogue.parts = BACKWARD_SECOND};
    sumi_node x = INPUT(3, 9, 10, 24), moments = INPUT(3, 4, 2), scale = INPUT(40);
    sumi_node shift = INPUT(40), upstream = INPUT(3, 9, 10, 40), sums = INPUT(2, 3, 40);
    sumi_node second = INPUT(3, 9, 10, 16), room = INPUT(3, 9, 10, 16);
    const sumi_node inputs[] = {upstream, x, moments, scale, shift, sums, second, room};
    check_bf16(graph_append(graph, &op_group_norm_backward, 8, inputs, &norm),
               BF16_INPUT(0) | BF16_INPUT(1) | BF16_INPUT(6) | BF16_INPUT(7) | BF16_OUTPUT,
               BF16_INPUT(5) | BF16_INPUT(7), 2, 1e-5);
}

#define NARROW_TEST(name) GRAPH_TEST(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NARROW_TEST(group_norms_forward_round_once),
        NARROW_TEST(group_norms_backward_round_twice),
        NARROW_TEST(group_norms_of_two_arrays_backward_round_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs on a backend whose memory the host cannot access: the CPU backend plays that role and
   counts its calls. */
#include "base/context.h"
#include "cpu/both_ways.h"
#include "ops/one_graph.h"
#include "ops/ops.h"

static int blocks, uploads, downloads, waits;
static struct backend far;

static void *allocate(sumi_context *from, size_t bytes)
{
    blocks++;
    return cpu_backend.allocate(from, bytes);
}

static void release(sumi_context *from, void *memory)
{
    if (memory) blocks--;
    cpu_backend.release(from, memory);
}

static sumi_status upload(sumi_context *from, const void *source, size_t bytes, void *to)
{
    uploads++;
    return cpu_backend.upload(from, source, bytes, to);
}

static sumi_status download(sumi_context *from, const void *source, size_t bytes, void *to)
{
    assert_true(waits > 0); /* what is read must have been computed */
    downloads++;
    return cpu_backend.download(from, source, bytes, to);
}

static sumi_status synchronize(sumi_context *from)
{
    (void)from;
    waits++;
    return SUMI_OK;
}

/* y = exp(x w + table[index]) + 3, and its gradient by w: an input of each type, weights, a
   constant and several steps. Copies both to output[8 + 6]. */
static void compute(float *output)
{
    sumi_weights *weights = NULL;
    CHECK_OK(context, sumi_weights_create(context, 5, &weights));
    CHECK_OK(context, sumi_graph_create(context, weights, true, &graph));
    sumi_node x = INPUT(4, 3), one = sumi_graph_number(graph, 3);
    sumi_node index = sumi_graph_typed_input(graph, "index", SUMI_INT32, SHAPE(4));
    sumi_node w = sumi_graph_weight(graph, "w", SHAPE(3, 2), SUMI_START_NORMAL, 1);
    sumi_node table = sumi_graph_weight(graph, "t", SHAPE(5, 2), SUMI_START_NORMAL, 1);
    sumi_node rows = sumi_op_gather(graph, table, index), nodes[2];
    sumi_node sum = sumi_op_add(graph, sumi_op_matmul(graph, x, w, false, false), rows);
    nodes[0] = sumi_op_add(graph, sumi_op_exp(graph, sum), one);
    CHECK_OK(context,
             sumi_graph_gradients(graph, sumi_op_sum(graph, nodes[0], 3), 1, &w, nodes + 1));
    sumi_plan *plan = NULL;
    CHECK_OK(context, sumi_plan_create(graph, 2, nodes, &plan));
    for (int i = 0; i < 12; i++) sumi_plan_data(plan, x)[i] = 0.1F * (float)i - 0.5F;
    memcpy(sumi_plan_typed_data(plan, index, SUMI_INT32), (int32_t[]){4, 0, 3, 0}, 16);
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    memcpy(output, sumi_plan_data(plan, nodes[0]), 8 * sizeof *output);
    memcpy(output + 8, sumi_plan_data(plan, nodes[1]), 6 * sizeof *output);
    bool inside = sumi_plan_data(plan, sum) != NULL;
    assert_int_equal(inside, context->backend->host_memory);
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    graph = NULL;
}

static void values_go_to_a_backend_and_come_back(void **state)
{
    (void)state;
    float expected[14], output[14];
    sumi_graph_free(graph);
    compute(expected);
    far = cpu_backend;
    far.host_memory = false;
    far.allocate = allocate;
    far.release = release;
    far.upload = upload;
    far.download = download;
    far.synchronize = synchronize;
    context->backend = &far;
    compute(output);
    context->backend = &cpu_backend;
    assert_memory_equal(output, expected, sizeof output);
    assert_int_equal(blocks, 0);
    assert_int_equal(downloads, 2);
    assert_true(uploads >= 2 + 2 + 1); /* weights, inputs, constants */
    assert_int_equal(waits, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(values_go_to_a_backend_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rows by number on the CPU backend, with indices of both types, and what int32 inputs may be used
   for. */
#include "cpu/both_ways.h"
#include "ops/one_graph.h"
#include "ops/ops.h"

enum { ROWS = 5, WIDTH = 3, COUNT = 6 };
static const int32_t NUMBERS[COUNT] = {4, -7, 0, 2147483647, 2, 4};
static const int ROWS_MEANT[COUNT] = {4, 0, 0, 4, 2, 4};

static sumi_node integers(const char *name, int rank, const int64_t *size)
{
    return sumi_graph_typed_input(graph, name, SUMI_INT32, rank, size);
}

static void fill_table(float *table)
{
    for (int i = 0; i < ROWS * WIDTH; i++) table[i] = 0.1f * (float)(i + 1);
}

static void rows_are_the_same_by_int32_as_by_float32_indices(void **state)
{
    (void)state;
    sumi_node table = INPUT(ROWS, WIDTH), whole = integers("whole", SHAPE(2, COUNT / 2));
    sumi_node list = sumi_op_reshape(graph, whole, SHAPE(COUNT)), floats = INPUT(COUNT);
    sumi_node outputs[] = {sumi_op_gather(graph, table, list),
                           sumi_op_gather(graph, table, floats)};
    sumi_plan *plan = NULL;
    for (int bf16 = 0; bf16 < 2; bf16++) {
        CHECK_OK(context, sumi_graph_set_precision(graph, bf16 ? "bf16" : "float32"));
        CHECK_OK(context, sumi_plan_create(graph, 2, outputs, &plan));
        fill_table(sumi_plan_data(plan, table));
        memcpy(sumi_plan_typed_data(plan, whole, SUMI_INT32), NUMBERS, sizeof NUMBERS);
        for (int i = 0; i < COUNT; i++) sumi_plan_data(plan, floats)[i] = (float)NUMBERS[i];
        CHECK_OK(context, sumi_plan_run(plan, 0, 0));
        for (int k = 0; k < 2; k++) {
            const float *rows = sumi_plan_data(plan, outputs[k]);
            for (int i = 0; i < COUNT * WIDTH; i++) {
                int place = ROWS_MEANT[i / WIDTH] * WIDTH + i % WIDTH;
                assert_true(rows[i] == 0.1f * (float)(place + 1));
            }
        }
        sumi_plan_free(plan);
    }
}

static void derivatives_by_the_table_count_the_reads_of_each_row(void **state)
{
    (void)state;
    sumi_node table = INPUT(ROWS, WIDTH), list = integers("list", SHAPE(COUNT));
    sumi_node sum = sumi_op_sum(graph, sumi_op_gather(graph, table, list), 3), slope = -1;
    CHECK_OK(context, sumi_graph_gradients(graph, sum, 1, &table, &slope));
    sumi_plan *plan = NULL;
    CHECK_OK(context, sumi_plan_create(graph, 1, &slope, &plan));
    memcpy(sumi_plan_typed_data(plan, list, SUMI_INT32), NUMBERS, sizeof NUMBERS);
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    for (int i = 0; i < ROWS * WIDTH; i++) {
        int reads = 0;
        for (int k = 0; k < COUNT; k++) reads += ROWS_MEANT[k] == i / WIDTH;
        assert_true(sumi_plan_data(plan, slope)[i] == (float)reads);
    }
    sumi_plan_free(plan);
}

static void memory_is_given_only_as_the_type_it_holds(void **state)
{
    (void)state;
    sumi_node list = integers("list", SHAPE(COUNT)), x = INPUT(COUNT);
    sumi_node y = sumi_op_exp(graph, x);
    sumi_plan *plan = NULL;
    CHECK_OK(context, sumi_plan_create(graph, 1, &y, &plan));
    assert_null(sumi_plan_data(plan, list));
    assert_non_null(sumi_plan_typed_data(plan, list, SUMI_INT32));
    assert_null(sumi_plan_typed_data(plan, x, SUMI_INT32));
    assert_ptr_equal(sumi_plan_typed_data(plan, x, SUMI_FLOAT32), sumi_plan_data(plan, x));
    sumi_plan_free(plan);
}

static void expect_refusal(sumi_node node, const char *sentence)
{
    assert_int_equal(node, -1);
    assert_string_equal(sumi_context_message(context), sentence);
}

static void arithmetic_of_int32_is_refused(void **state)
{
    (void)state;
    sumi_node list = integers("list", SHAPE(COUNT));
    expect_refusal(sumi_op_add(graph, INPUT(COUNT), list),
                   "add: input 1 has int32 elements, but must be float32");
}

static void tables_of_int32_are_refused(void **state)
{
    (void)state;
    sumi_node table = integers("table", SHAPE(ROWS, WIDTH));
    expect_refusal(sumi_op_gather(graph, table, INPUT(COUNT)),
                   "gather: input 0 has int32 elements, but must be float32");
}

static void inputs_of_other_types_are_refused(void **state)
{
    (void)state;
    expect_refusal(sumi_graph_typed_input(graph, "codes", SUMI_INT8, SHAPE(COUNT)),
                   "input \"codes\": elements are float32 or int32, not int8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(rows_are_the_same_by_int32_as_by_float32_indices),
        GRAPH_TEST(derivatives_by_the_table_count_the_reads_of_each_row),
        GRAPH_TEST(memory_is_given_only_as_the_type_it_holds),
        GRAPH_TEST(arithmetic_of_int32_is_refused),
        GRAPH_TEST(tables_of_int32_are_refused),
        GRAPH_TEST(inputs_of_other_types_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: what is timed and counted, and nothing while profiling is off. */
#include "check.h"
#include "failing_allocator.h"
#include "sumi_graph.h"

/* Twice x[2, 3] w[3, 4] and the exponential of the product. */
struct work {
    sumi_graph *graph;
    sumi_plan *plan;
};

static sumi_status work_begin(sumi_context *context, struct work *work)
{
    *work = (struct work){0};
    sumi_status status = sumi_graph_create(context, NULL, false, &work->graph);
    if (status != SUMI_OK) return status;
    sumi_node x = sumi_graph_input(work->graph, "x", 2, (int64_t[]){2, 3});
    sumi_node w = sumi_graph_input(work->graph, "w", 2, (int64_t[]){3, 4});
    sumi_node first = sumi_op_matmul(work->graph, x, w, false, false);
    sumi_node second = sumi_op_matmul(work->graph, x, w, false, false);
    sumi_node y = sumi_op_exp(work->graph, sumi_op_multiply(work->graph, first, second));
    return sumi_plan_create(work->graph, 1, &y, &work->plan);
}

static void work_end(struct work *work)
{
    sumi_plan_free(work->plan);
    sumi_graph_free(work->graph);
}

static bool find_row(const sumi_context *context, const char *name, sumi_profile_row *row)
{
    for (int64_t i = 0; sumi_profile_get(context, i, row); i++) {
        if (strcmp(row->name, name) == 0) return true;
    }
    return false;
}

static void a_row_counts_the_calls_of_an_op_and_its_shapes(void **state)
{
    (void)state;
    sumi_context *context;
    struct work work;
    sumi_profile_row row = {.size = sizeof row};
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, work_begin(context, &work));
    CHECK_OK(context, sumi_profile_start(context));
    for (int i = 0; i < 5; i++) CHECK_OK(context, sumi_plan_run(work.plan, 0, 0));
    assert_true(find_row(context, "matmul", &row));
    assert_string_equal(row.shapes, "[2, 3] [3, 4] -> [2, 4]");
    assert_int_equal(row.calls, 10);
    CHECK_CLOSE(row.operations, 10 * 2 * 2 * 3 * 4, 0);
    CHECK_CLOSE(row.bytes, 10 * 4 * (6 + 12 + 8), 0);
    assert_true(row.seconds > 0);
    assert_true(find_row(context, "exp", &row));
    assert_int_equal(row.calls, 5);
    assert_false(sumi_profile_get(context, 3, &row));
    work_end(&work);
    sumi_context_free(context);
}

static void nothing_is_counted_before_the_start_or_after_the_stop(void **state)
{
    (void)state;
    sumi_context *context;
    struct work work;
    sumi_profile_row row = {.size = sizeof row};
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    sumi_profile_stop(context);
    CHECK_OK(context, work_begin(context, &work));
    CHECK_OK(context, sumi_plan_run(work.plan, 0, 0));
    assert_false(sumi_profile_get(context, 0, &row));
    CHECK_OK(context, sumi_profile_start(context));
    CHECK_OK(context, sumi_plan_run(work.plan, 0, 0));
    sumi_profile_stop(context);
    CHECK_OK(context, sumi_plan_run(work.plan, 0, 0));
    assert_true(find_row(context, "exp", &row));
    assert_int_equal(row.calls, 1);
    CHECK_OK(context, sumi_profile_start(context)); /* forgets */
    assert_false(sumi_profile_get(context, 0, &row));
    CHECK_OK(context, sumi_plan_run(work.plan, 0, 0));
    assert_true(find_row(context, "exp", &row));
    assert_int_equal(row.calls, 1);
    assert_false(sumi_profile_get(context, -1, &row));
    work_end(&work);
    sumi_context_free(context);
}

static void only_the_first_run_of_a_profile_asks_for_memory(void **state)
{
    (void)state;
    failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    sumi_context *context;
    struct work work;
    assert_int_equal(sumi_context_create(&memory.allocator, &context), SUMI_OK);
    CHECK_OK(context, work_begin(context, &work));
    CHECK_OK(context, sumi_profile_start(context));
    CHECK_OK(context, sumi_plan_run(work.plan, 0, 0));
    long calls = memory.calls;
    CHECK_OK(context, sumi_plan_run(work.plan, 0, 0));
    assert_int_equal(memory.calls, calls);
    work_end(&work);
    sumi_context_free(context);
    assert_int_equal(memory.live, 0);
}

static sumi_status profiled_run(sumi_context *context, void *user)
{
    (void)user;
    struct work work;
    sumi_status status = work_begin(context, &work);
    if (status == SUMI_OK) status = sumi_profile_start(context);
    if (status == SUMI_OK) status = sumi_plan_run(work.plan, 0, 0);
    work_end(&work);
    return status;
}

static void memory_that_runs_out_is_reported(void **state)
{
    (void)state;
    for_each_failure(profiled_run, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_counts_the_calls_of_an_op_and_its_shapes),
        cmocka_unit_test(nothing_is_counted_before_the_start_or_after_the_stop),
        cmocka_unit_test(only_the_first_run_of_a_profile_asks_for_memory),
        cmocka_unit_test(memory_that_runs_out_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

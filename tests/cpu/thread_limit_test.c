/* SPDX-License-Identifier: Apache-2.0 */
/* Fewer threads than were asked for, by OMP_THREAD_LIMIT: plans and oneDNN's primitives, which
   count on the number of threads that they were prepared for, compute what the reference kernels
   do. The OpenMP library reads the variable when a process starts, so CTest starts this program
   once for each limit (tests/CMakeLists.txt). */
#include <omp.h>
#include <stdlib.h>

#include "cpu/both_ways.h"
#include "cpu/onednn.h"
#include "cpu/tune.h"
#include "graph/plan_inside.h"
#include "ops/one_graph.h"

enum { ASKED = 5 };

/* Convolutions that oneDNN computes when nothing is timed, and one that it does not. */
static const struct {
    int64_t n, side, in, out, kernel, stride;
} cases[] = {{3, 9, 16, 32, 3, 1}, {2, 12, 20, 17, 3, 2}, {1, 8, 48, 64, 1, 1}, {2, 7, 3, 5, 5, 1}};

static void convolutions_and_their_gradients_agree_with_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t k = cases[i].kernel, pad = k / 2;
        const sumi_convolution geometry = {
            {cases[i].stride, cases[i].stride}, {pad, pad}, {pad, pad}};
        sumi_graph_free(graph);
        CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
        CHECK_OK(context, sumi_context_set_threads(context, ASKED));
        sumi_node x = INPUT(cases[i].n, cases[i].side, cases[i].side, cases[i].in);
        sumi_node w = INPUT(cases[i].out, cases[i].in, k, k);
        check_with_gradients(graph, sumi_op_convolution(graph, x, w, -1, &geometry), 2,
                             (sumi_node[]){x, w}, 1e-4);
    }
}

/* The library was asked: the ways of these convolutions are its own. */
static void a_plan_prepares_for_the_threads_that_it_can_have(void **state)
{
    (void)state;
    const sumi_convolution same = {{1, 1}, {1, 1}, {1, 1}};
    sumi_plan *plan = NULL;
    CHECK_OK(context, sumi_context_set_threads(context, ASKED));
    sumi_node y = sumi_op_convolution(graph, INPUT(3, 9, 9, 16), INPUT(32, 16, 3, 3), -1, &same);
    CHECK_OK(context, sumi_plan_create(graph, 1, &y, &plan));
    const struct convolution_ready *ready = plan->steps[0].call.state;
    assert_ptr_equal(ready->way->prepare, onednn_prepare);
    assert_int_equal(plan->threads, omp_get_thread_limit());
    assert_int_equal(ready->problem.threads, omp_get_thread_limit());
    sumi_plan_free(plan);
}

static void the_limit_of_the_environment_is_that_of_the_process(void **state)
{
    (void)state;
    const char *limit = getenv("OMP_THREAD_LIMIT");
    if (!limit) fail_msg("set OMP_THREAD_LIMIT to a number from 1 to %d", ASKED - 1);
    assert_int_equal(omp_get_thread_limit(), atoi(limit));
    assert_in_range(omp_get_thread_limit(), 1, ASKED - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_of_the_environment_is_that_of_the_process),
        GRAPH_TEST(convolutions_and_their_gradients_agree_with_the_reference),
        GRAPH_TEST(a_plan_prepares_for_the_threads_that_it_can_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

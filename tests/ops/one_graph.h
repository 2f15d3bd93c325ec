/* SPDX-License-Identifier: Apache-2.0 */
/* A graph for each test, that takes gradients, and short words for its inputs. */
#ifndef TESTS_OPS_ONE_GRAPH_H
#define TESTS_OPS_ONE_GRAPH_H

#include "one_context.h"

static sumi_graph *graph;

static inline int make_graph(void **state)
{
    if (make_context(state) != 0) return -1;
    return sumi_graph_create(context, NULL, true, &graph) == SUMI_OK ? 0 : -1;
}

static inline int leave_graph(void **state)
{
    sumi_graph_free(graph);
    return leave_context(state);
}

#define GRAPH_TEST(name) cmocka_unit_test_setup_teardown(name, make_graph, leave_graph)

/* Rank and sizes, as arguments. */
#define SHAPE(...)                                                                                 \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[])                         \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define INPUT(...) sumi_graph_input(graph, "x", SHAPE(__VA_ARGS__))

#endif

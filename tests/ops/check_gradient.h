/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of ops: a graph with random inputs, its evaluation in double, and the
   comparison of its derivatives with finite differences, for any op. */
#ifndef TESTS_OPS_CHECK_GRADIENT_H
#define TESTS_OPS_CHECK_GRADIENT_H

#include "check.h"
#include "ops/ops.h"

enum { TRIAL_INPUTS = 12 };

/* A rank and sizes in one go: SHAPE(2, 3). SCALAR is the shape of a single number. */
#define SHAPE(...)                                                                                 \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[])                         \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define SCALAR 0, NULL

struct trial {
    sumi_context *context;
    sumi_graph *graph;
    uint64_t random;
    int count;
    sumi_node inputs[TRIAL_INPUTS];
    double *values[TRIAL_INPUTS];
    bool fixed[TRIAL_INPUTS]; /* not differentiated by: indices */
};

static const struct run_key TRIAL_KEY = {.seed = 7, .step = 3};

static inline void trial_start(struct trial *trial, bool training)
{
    memset(trial, 0, sizeof *trial);
    trial->random = 12345;
    assert_int_equal(sumi_context_create(NULL, &trial->context), SUMI_OK);
    CHECK_OK(trial->context, sumi_graph_create(trial->context, NULL, training, &trial->graph));
}

static inline void trial_end(struct trial *trial)
{
    for (int i = 0; i < trial->count; i++) free(trial->values[i]);
    sumi_graph_free(trial->graph);
    sumi_context_free(trial->context);
}

/* Uniform in [0, 1): Knuth's 64-bit linear congruential generator. */
static inline double trial_random(struct trial *trial)
{
    trial->random = trial->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(trial->random >> 11) / 9007199254740992.0;
}

/* An input of the given shape with numbers from low to high. */
static inline sumi_node trial_input(struct trial *trial, int rank, const int64_t *size, double low,
                                    double high)
{
    char name[16];
    assert_true(trial->count < TRIAL_INPUTS);
    snprintf(name, sizeof name, "x%d", trial->count);
    sumi_node node = sumi_graph_input(trial->graph, name, rank, size);
    if (node < 0) fail_msg("%s", sumi_context_message(trial->context));
    int64_t count = shape_count(graph_shape(trial->graph, node));
    double *values = malloc((size_t)count * sizeof *values);
    assert_non_null(values);
    for (int64_t i = 0; i < count; i++) values[i] = low + (high - low) * trial_random(trial);
    trial->inputs[trial->count] = node;
    trial->values[trial->count++] = values;
    return node;
}

/* An input that holds the given numbers. */
static inline sumi_node trial_given(struct trial *trial, int rank, const int64_t *size,
                                    const double *numbers)
{
    sumi_node node = trial_input(trial, rank, size, 0, 0);
    size_t count = (size_t)shape_count(graph_shape(trial->graph, node));
    memcpy(trial->values[trial->count - 1], numbers, count * sizeof *numbers);
    return node;
}
#define NUMBERS(...) ((double[]){__VA_ARGS__})

/* The input made last is not differentiated by. */
static inline void trial_fix(struct trial *trial)
{
    trial->fixed[trial->count - 1] = true;
}

/* Writes the numbers of the nodes consecutively. */
static inline void trial_evaluate(struct trial *trial, int count, const sumi_node *nodes,
                                  double *numbers)
{
    sumi_graph *graph = trial->graph;
    for (int i = 0; i < count; i++) {
        if (nodes[i] < 0) fail_msg("%s", sumi_context_message(trial->context));
    }
    double **values = calloc((size_t)graph->count, sizeof *values);
    bool *owned = calloc((size_t)graph->count, sizeof *owned);
    assert_non_null(values);
    assert_non_null(owned);
    for (int i = 0; i < trial->count; i++) values[trial->inputs[i]] = trial->values[i];
    CHECK_OK(trial->context, interpret(graph, count, nodes, values, owned, &TRIAL_KEY));
    for (int i = 0; i < count; i++) {
        size_t size = (size_t)shape_count(graph_shape(graph, nodes[i]));
        memcpy(numbers, values[nodes[i]], size * sizeof *numbers);
        numbers += size;
    }
    interpret_release(graph, values, owned);
    free(values);
    free(owned);
}

/* Fails unless the node has exactly this shape and, to 1e-12, these numbers. */
static inline void trial_expect(struct trial *trial, sumi_node node, int rank, const int64_t *size,
                                const double *expected)
{
    if (node < 0) fail_msg("%s", sumi_context_message(trial->context));
    struct shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++) shape.size[i] = size[i];
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    if (!shape_equal(graph_shape(trial->graph, node), &shape)) {
        fail_msg("shape %s, expected %s", shape_text(graph_shape(trial->graph, node), have),
                 shape_text(&shape, want));
    }
    int64_t count = shape_count(&shape);
    double *numbers = malloc((size_t)count * sizeof *numbers);
    assert_non_null(numbers);
    trial_evaluate(trial, 1, &node, numbers);
    for (int64_t i = 0; i < count; i++) {
        if (!(fabs(numbers[i] - expected[i]) <= 1e-12 * fmax(1, fabs(expected[i])))) {
            fail_msg("element %lld is %.15g, expected %.15g", (long long)i, numbers[i],
                     expected[i]);
        }
    }
    free(numbers);
}

/* Fails unless the builder gave -1 and the context says why in these words. */
static inline void trial_expect_refusal(struct trial *trial, sumi_node node, const char *sentence)
{
    assert_int_equal(node, -1);
    assert_int_equal(sumi_graph_status(trial->graph), SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(trial->context), sentence);
}

static inline sumi_node trial_sum_all(struct trial *trial, sumi_node node)
{
    if (node < 0) fail_msg("%s", sumi_context_message(trial->context));
    int rank = graph_shape(trial->graph, node)->rank;
    sumi_node sum = sumi_op_sum(trial->graph, node, (1u << rank) - 1);
    return sumi_op_reshape(trial->graph, sum, 0, NULL);
}

/* Derivative of `loss` by one number of an input: the five-point central difference, whose error
   is of fourth order in the step. */
static inline double trial_difference(struct trial *trial, sumi_node loss, double *number)
{
    const double step = 1e-3, start = *number;
    double at[4];
    const double offset[4] = {-2, -1, 1, 2};
    for (int i = 0; i < 4; i++) {
        *number = start + offset[i] * step;
        trial_evaluate(trial, 1, &loss, &at[i]);
    }
    *number = start;
    return (8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * step);
}

/* Compares the derivatives of `loss` that gradients[] compute with finite differences, to a
   relative error of 1e-7 of the largest. */
static inline void trial_compare(struct trial *trial, sumi_node loss, int count,
                                 const sumi_node *wrt, const sumi_node *gradients)
{
    double size;
    trial_evaluate(trial, 1, &loss, &size);
    for (int i = 0; i < count; i++) {
        assert_true(shape_equal(graph_shape(trial->graph, gradients[i]),
                                graph_shape(trial->graph, wrt[i])));
        int64_t elements = shape_count(graph_shape(trial->graph, wrt[i]));
        double *numbers = malloc((size_t)elements * sizeof *numbers), largest = 0, *value = NULL;
        assert_non_null(numbers);
        trial_evaluate(trial, 1, &gradients[i], numbers);
        for (int64_t j = 0; j < elements; j++) largest = fmax(largest, fabs(numbers[j]));
        for (int j = 0; j < trial->count; j++) {
            if (trial->inputs[j] == wrt[i]) value = trial->values[j];
        }
        for (int64_t j = 0; j < elements; j++) {
            double difference = trial_difference(trial, loss, value + j);
            double tolerance = 1e-7 * largest + 1e-11 * (1 + fabs(size));
            if (!(fabs(numbers[j] - difference) <= tolerance)) {
                fail_msg("by input %d, element %lld: rule %.12g, finite difference %.12g", i,
                         (long long)j, numbers[j], difference);
            }
        }
        free(numbers);
    }
}

/* Checks the first derivatives of a random linear functional of y, sum(y r), by all inputs that
   are not fixed and by r; then, with order 2, the derivatives of the sum of their squares. */
static inline void trial_check_gradient(struct trial *trial, sumi_node y, int order)
{
    sumi_graph *graph = trial->graph;
    if (y < 0) fail_msg("%s", sumi_context_message(trial->context));
    struct shape shape = *graph_shape(graph, y);
    sumi_node r = trial_input(trial, shape.rank, shape.size, -1, 1);
    sumi_node loss = trial_sum_all(trial, sumi_op_multiply(graph, y, r));
    sumi_node wrt[TRIAL_INPUTS], gradients[TRIAL_INPUTS];
    int count = 0;
    for (int i = 0; i < trial->count; i++) {
        if (!trial->fixed[i]) wrt[count++] = trial->inputs[i];
    }
    CHECK_OK(trial->context, sumi_graph_gradients(graph, loss, count, wrt, gradients));
    trial_compare(trial, loss, count, wrt, gradients);
    if (order < 2) return;
    sumi_node squares = sumi_graph_number(graph, 0);
    for (int i = 0; i < count; i++) {
        sumi_node square = sumi_op_multiply(graph, gradients[i], gradients[i]);
        squares = sumi_op_add(graph, squares, trial_sum_all(trial, square));
    }
    CHECK_OK(trial->context, sumi_graph_gradients(graph, squares, count, wrt, gradients));
    trial_compare(trial, squares, count, wrt, gradients);
}

#endif

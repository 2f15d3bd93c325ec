/* SPDX-License-Identifier: Apache-2.0 */
/* Weights: their names, and initial values that do not depend on the order of making. */
#include "check.h"
#include "graph/graph.h"

enum { COUNT = 20000 };

struct fixture {
    sumi_context *context;
    sumi_weights *weights;
};

static void start(struct fixture *fixture, uint64_t seed)
{
    assert_int_equal(sumi_context_create(NULL, &fixture->context), SUMI_OK);
    CHECK_OK(fixture->context, sumi_weights_create(fixture->context, seed, &fixture->weights));
}

static void end(struct fixture *fixture)
{
    sumi_weights_free(fixture->weights);
    sumi_context_free(fixture->context);
}

/* Adds a weight [COUNT] and returns its numbers. */
static const float *add(struct fixture *fixture, const char *name, sumi_start how, double scale)
{
    int64_t number;
    const struct shape shape = {1, {COUNT}};
    CHECK_OK(fixture->context, weights_add(fixture->weights, name, &shape,
                                           &(struct weight_start){how, scale, NULL}, &number));
    assert_int_equal(weights_find(fixture->weights, name), number);
    sumi_weight weight = {.size = sizeof weight};
    assert_true(sumi_weights_get(fixture->weights, number, &weight));
    assert_string_equal(weight.name, name);
    assert_int_equal(weight.rank, 1);
    assert_int_equal(weight.shape[0], COUNT);
    assert_int_equal(weight.trainable, how != SUMI_START_FIXED);
    return weight.data;
}

static void values_do_not_depend_on_the_order_of_making(void **state)
{
    (void)state;
    struct fixture left, right;
    start(&left, 5);
    start(&right, 5);
    const float *a = add(&left, "a", SUMI_START_FAN_IN, 9);
    const float *b = add(&left, "b", SUMI_START_NORMAL, 1);
    const float *later_b = add(&right, "b", SUMI_START_NORMAL, 1);
    const float *later_a = add(&right, "a", SUMI_START_FAN_IN, 9);
    assert_memory_equal(a, later_a, COUNT * sizeof(float));
    assert_memory_equal(b, later_b, COUNT * sizeof(float));
    end(&left);
    end(&right);
}

static void names_and_seeds_draw_different_values(void **state)
{
    (void)state;
    struct fixture left, right;
    start(&left, 5);
    start(&right, 6);
    const float *a = add(&left, "a", SUMI_START_NORMAL, 1);
    const float *b = add(&left, "b", SUMI_START_NORMAL, 1);
    const float *other = add(&right, "a", SUMI_START_NORMAL, 1);
    assert_memory_not_equal(a, b, COUNT * sizeof(float));
    assert_memory_not_equal(a, other, COUNT * sizeof(float));
    end(&left);
    end(&right);
}

/* A uniform distribution on [-b, b] has variance b^2/3 and fourth moment b^4/5. */
static void fan_in_is_uniform_within_its_bound(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, 5);
    const float *values = add(&fixture, "w", SUMI_START_FAN_IN, 16);
    double sum = 0, square = 0, largest = 0;
    for (int i = 0; i < COUNT; i++) {
        sum += values[i];
        square += (double)values[i] * values[i];
        largest = fmax(largest, fabs(values[i]));
    }
    const double bound = 0.25, standard_error = bound / sqrt(3.0 * COUNT);
    assert_true(largest <= bound && largest > 0.999 * bound);
    CHECK_CLOSE(sum / COUNT, 0, 5 * standard_error);
    CHECK_CLOSE(square / COUNT, bound * bound / 3, 5 * bound * bound * sqrt(4 / 45.0 / COUNT));
    end(&fixture);
}

static void normal_and_fixed_have_the_requested_standard_deviation(void **state)
{
    (void)state;
    static const sumi_start ways[] = {SUMI_START_NORMAL, SUMI_START_FIXED};
    for (int way = 0; way < 2; way++) {
        struct fixture fixture;
        start(&fixture, 5);
        const float *values = add(&fixture, "w", ways[way], 3);
        double sum = 0, square = 0;
        for (int i = 0; i < COUNT; i++) {
            sum += values[i];
            square += (double)values[i] * values[i];
        }
        CHECK_CLOSE(sum / COUNT, 0, 5 * 3 / sqrt(COUNT));
        CHECK_CLOSE(square / COUNT, 9, 5 * 9 * sqrt(2.0 / COUNT));
        end(&fixture);
    }
}

static void zeros_and_ones_are_zeros_and_ones(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, 5);
    const float *zeros = add(&fixture, "z", SUMI_START_ZERO, 1);
    const float *ones = add(&fixture, "o", SUMI_START_ONE, 1);
    for (int i = 0; i < COUNT; i++) assert_true(zeros[i] == 0 && ones[i] == 1);
    end(&fixture);
}

static void weights_that_are_not_there_are_not_found(void **state)
{
    (void)state;
    struct fixture fixture;
    sumi_weight weight = {.size = sizeof weight};
    start(&fixture, 5);
    add(&fixture, "a", SUMI_START_ZERO, 1);
    assert_int_equal(sumi_weights_count(fixture.weights), 1);
    assert_int_equal(weights_find(fixture.weights, "b"), -1);
    assert_false(sumi_weights_get(fixture.weights, 1, &weight));
    assert_false(sumi_weights_get(fixture.weights, -1, &weight));
    end(&fixture);
}

static void graphs_share_a_weight_by_its_name(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture, 5);
    sumi_graph *graphs[2];
    const int64_t size[2] = {2, 3}, other[1] = {6};
    for (int i = 0; i < 2; i++) {
        CHECK_OK(fixture.context,
                 sumi_graph_create(fixture.context, fixture.weights, i == 0, &graphs[i]));
        sumi_node w = sumi_graph_weight(graphs[i], "w", 2, size, SUMI_START_NORMAL, 1);
        assert_int_equal(graph_node(graphs[i], w)->weight, 0);
    }
    assert_int_equal(sumi_weights_count(fixture.weights), 1);
    assert_int_equal(sumi_graph_weight(graphs[1], "w", 1, other, SUMI_START_NORMAL, 1), -1);
    assert_string_equal(sumi_context_message(fixture.context),
                        "weight \"w\": the network needs shape [6], but it has [2, 3]");
    for (int i = 0; i < 2; i++) sumi_graph_free(graphs[i]);
    end(&fixture);
}

static void a_graph_without_weights_refuses_one(void **state)
{
    (void)state;
    struct fixture fixture;
    sumi_graph *graph;
    const int64_t size[1] = {2};
    start(&fixture, 5);
    CHECK_OK(fixture.context, sumi_graph_create(fixture.context, NULL, true, &graph));
    assert_int_equal(sumi_graph_weight(graph, "w", 1, size, SUMI_START_ONE, 1), -1);
    assert_string_equal(sumi_context_message(fixture.context),
                        "weight \"w\": this graph was made without weights");
    sumi_graph_free(graph);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_do_not_depend_on_the_order_of_making),
        cmocka_unit_test(names_and_seeds_draw_different_values),
        cmocka_unit_test(fan_in_is_uniform_within_its_bound),
        cmocka_unit_test(normal_and_fixed_have_the_requested_standard_deviation),
        cmocka_unit_test(zeros_and_ones_are_zeros_and_ones),
        cmocka_unit_test(weights_that_are_not_there_are_not_found),
        cmocka_unit_test(graphs_share_a_weight_by_its_name),
        cmocka_unit_test(a_graph_without_weights_refuses_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A network for tests: built over its own weights with the loss mean(output^2) and its gradients,
   and evaluated either by the reference kernels in double or as a plan. */
#ifndef TESTS_NETS_TRIAL_H
#define TESTS_NETS_TRIAL_H

#include "../check.h"
#include "nets/net.h"

enum { TRIAL_LEAVES = 1024, TRIAL_CONDITION = NET_TIMES + 1 };

typedef struct trial {
    sumi_context *context;
    struct net *net;
    sumi_weights *weights;
    sumi_graph *graph;
    struct net_nodes inputs;
    float *x, *times, *condition; /* values of the inputs; that of the condition may be NULL */
    sumi_node output, loss;
    int leaf_count; /* trainable weights, and the gradients by them */
    sumi_node leaves[TRIAL_LEAVES], gradients[TRIAL_LEAVES];
} trial;

static inline int64_t trial_count(const trial *t, sumi_node node)
{
    return shape_count(graph_shape(t->graph, node));
}

static inline const struct weight *trial_weight(const trial *t, int leaf)
{
    return &t->weights->items[graph_node(t->graph, t->leaves[leaf])->weight];
}

static inline void trial_parse(trial *t, const char *config)
{
    *t = (trial){0};
    assert_int_equal(sumi_context_create(NULL, &t->context), SUMI_OK);
    CHECK_OK(t->context, net_parse(t->context, config, "config", &t->net));
    CHECK_OK(t->context, sumi_weights_create(t->context, 7, &t->weights));
    CHECK_OK(t->context, sumi_graph_create(t->context, t->weights, false, &t->graph));
}

/* Expects that a config is refused with a sentence that names its file and has this part. */
static inline void trial_refuse(const char *config, sumi_status status, const char *part)
{
    sumi_context *context = NULL;
    struct net *net = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    sumi_status given = net_parse(context, config, "unet/config.json", &net);
    const char *message = sumi_context_message(context);
    if (given != status || strncmp(message, "unet/config.json: ", 18) != 0
        || !strstr(message, part)) {
        fail_msg("%s: status %s, \"%s\" does not say \"%s\"", config, sumi_status_name(given),
                 message, part);
    }
    assert_null(net);
    sumi_context_free(context);
}

static inline float *trial_zeros(const trial *t, sumi_node node)
{
    return node < 0 ? NULL : calloc((size_t)trial_count(t, node), sizeof(float));
}

/* Builds on an input x of `shape`; fills nothing. */
static inline void trial_build(trial *t, const int64_t *shape)
{
    struct shape shapes[NET_INPUTS] = {{0}};
    shapes[NET_X].rank = t->net->item_rank + 1;
    for (int i = 0; i <= t->net->item_rank; i++) shapes[NET_X].size[i] = shape[i];
    net_add_inputs(t->net, t->graph, shape[0], shapes, &t->inputs);
    t->output = net_build(t->net, t->graph, &t->inputs);
    if (t->output < 0) fail_msg("%s", sumi_context_message(t->context));
    unsigned all = (1u << (t->net->item_rank + 1)) - 1;
    sumi_node square = sumi_op_multiply(t->graph, t->output, t->output);
    t->loss = sumi_op_mean(t->graph, square, all);
    for (sumi_node n = 0; n < t->graph->count; n++) {
        const struct node *node = graph_node(t->graph, n);
        if (node->op != &op_weight || !t->weights->items[node->weight].trainable) continue;
        assert_true(t->leaf_count < TRIAL_LEAVES);
        t->leaves[t->leaf_count++] = n;
    }
    t->x = trial_zeros(t, t->inputs.at[NET_X]);
    t->times = trial_zeros(t, t->inputs.at[NET_TIMES]);
    t->condition = trial_zeros(t, t->inputs.at[TRIAL_CONDITION]);
}

/* Values of x and times. */
static inline void trial_fill_inputs(trial *t)
{
    for (int64_t i = 0; i < trial_count(t, t->inputs.at[NET_X]); i++)
        t->x[i] = (float)cos(0.9 * (double)i);
    for (int64_t i = 0; i < trial_count(t, t->inputs.at[NET_TIMES]); i++)
        t->times[i] = (float)(1 + 7 * i);
}

/* Moves every weight: those that start at zero hide everything before them. */
static inline void trial_move_weights(trial *t)
{
    for (int leaf = 0; leaf < t->leaf_count; leaf++) {
        float *values = trial_weight(t, leaf)->data;
        for (int64_t j = 0; j < trial_count(t, t->leaves[leaf]); j++)
            values[j] += (float)(0.2 * sin(0.7 * (double)j + leaf));
    }
}

static inline void trial_differentiate(trial *t)
{
    CHECK_OK(t->context,
             sumi_graph_gradients(t->graph, t->loss, t->leaf_count, t->leaves, t->gradients));
}

static inline void trial_release(trial *t)
{
    free(t->x);
    free(t->times);
    free(t->condition);
    net_free(t->net);
    sumi_graph_free(t->graph);
    sumi_weights_free(t->weights);
    sumi_context_free(t->context);
}

/* The values of some nodes, results[i] to be freed. */
typedef void (*trial_evaluator)(trial *t, int count, const sumi_node *nodes, double **results);

static inline double *trial_widen(const trial *t, sumi_node node, const float *values)
{
    if (node < 0) return NULL;
    double *wide = malloc((size_t)trial_count(t, node) * sizeof *wide);
    for (int64_t i = 0; i < trial_count(t, node); i++) wide[i] = values[i];
    return wide;
}

static inline void trial_interpret_with(trial *t, sumi_node changed, double *instead, int count,
                                        const sumi_node *nodes, double **results)
{
    double **values = calloc((size_t)t->graph->count, sizeof *values);
    bool *owned = calloc((size_t)t->graph->count, sizeof *owned);
    double *x = values[t->inputs.at[NET_X]] = trial_widen(t, t->inputs.at[NET_X], t->x);
    double *times = values[t->inputs.at[NET_TIMES]] =
        trial_widen(t, t->inputs.at[NET_TIMES], t->times);
    double *condition = trial_widen(t, t->inputs.at[TRIAL_CONDITION], t->condition);
    if (condition) values[t->inputs.at[TRIAL_CONDITION]] = condition;
    if (changed >= 0) values[changed] = instead;
    CHECK_OK(t->context,
             interpret(t->graph, count, nodes, values, owned, &(struct run_key){.seed = 1}));
    for (int i = 0; i < count; i++) {
        size_t size = (size_t)trial_count(t, nodes[i]) * sizeof(double);
        results[i] = malloc(size);
        memcpy(results[i], values[nodes[i]], size);
    }
    interpret_release(t->graph, values, owned);
    free(x);
    free(times);
    free(condition);
    free(values);
    free(owned);
}

static inline void trial_interpret(trial *t, int count, const sumi_node *nodes, double **results)
{
    trial_interpret_with(t, -1, NULL, count, nodes, results);
}

static inline void trial_put(const trial *t, sumi_plan *plan, sumi_node node, const float *values)
{
    if (node < 0) return;
    int32_t *whole = sumi_plan_typed_data(plan, node, SUMI_INT32);
    for (int64_t i = 0; whole && i < trial_count(t, node); i++) whole[i] = (int32_t)values[i];
    if (whole) return;
    memcpy(sumi_plan_data(plan, node), values, (size_t)trial_count(t, node) * sizeof *values);
}

static inline void trial_plan(trial *t, int count, const sumi_node *nodes, double **results)
{
    sumi_plan *plan = NULL;
    CHECK_OK(t->context, sumi_plan_create(t->graph, count, nodes, &plan));
    trial_put(t, plan, t->inputs.at[NET_X], t->x);
    trial_put(t, plan, t->inputs.at[NET_TIMES], t->times);
    trial_put(t, plan, t->inputs.at[TRIAL_CONDITION], t->condition);
    CHECK_OK(t->context, sumi_plan_run(plan, 1, 0));
    for (int i = 0; i < count; i++) {
        results[i] = trial_widen(t, nodes[i], sumi_plan_data(plan, nodes[i]));
    }
    sumi_plan_free(plan);
}

/* The loss with leaf number `leaf` moved by `step` along sin(1 + j). */
static inline double trial_loss_along(trial *t, int leaf, double step)
{
    sumi_node node = t->leaves[leaf];
    double *moved = trial_widen(t, node, trial_weight(t, leaf)->data), *loss = NULL;
    for (int64_t j = 0; j < trial_count(t, node); j++) moved[j] += step * sin(1.0 + (double)j);
    trial_interpret_with(t, node, moved, 1, &t->loss, &loss);
    double value = *loss;
    free(moved);
    free(loss);
    return value;
}

/* Every gradient against the central difference of the loss along one direction, in double. */
static inline void trial_check_gradients(trial *t)
{
    const double step = 1e-5;
    double *results[TRIAL_LEAVES] = {NULL};
    trial_differentiate(t);
    trial_interpret(t, t->leaf_count, t->gradients, results);
    for (int leaf = 0; leaf < t->leaf_count; leaf++) {
        double along = 0;
        for (int64_t j = 0; j < trial_count(t, t->leaves[leaf]); j++) {
            along += results[leaf][j] * sin(1.0 + (double)j);
        }
        double slope =
            (trial_loss_along(t, leaf, step) - trial_loss_along(t, leaf, -step)) / (2 * step);
        if (!(fabs(along - slope) <= 1e-6 * fabs(slope) + 1e-8)) {
            fail_msg("%s: derivative %.12g, difference quotient %.12g", trial_weight(t, leaf)->name,
                     along, slope);
        }
        free(results[leaf]);
    }
}

#endif

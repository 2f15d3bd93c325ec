/* SPDX-License-Identifier: Apache-2.0 */
/* Linear regression as a training objective, through the experimental part of the public header:
   small enough for closed forms, and for training a trainer on. */
#ifndef TESTS_LEARN_REGRESSION_H
#define TESTS_LEARN_REGRESSION_H

#include "check.h"
#include "sumi_graph.h"

enum { REGRESSION_ROWS = 64, REGRESSION_COLUMNS = 3 };

/* y = w x + b, by the mean squared error over all rows at each step. */
struct regression {
    float x[REGRESSION_ROWS][REGRESSION_COLUMNS], y[REGRESSION_ROWS];
    double dropout;   /* of the inputs */
    int64_t bad_step; /* at which NaN is fed, or -1 */
    sumi_node x_node, y_node;
};

static inline sumi_node regression_build(void *user, sumi_graph *graph)
{
    struct regression *r = user;
    const int64_t x_shape[] = {REGRESSION_ROWS, REGRESSION_COLUMNS}, one = 1;
    const int64_t y_shape[] = {REGRESSION_ROWS, 1}, w_shape[] = {1, REGRESSION_COLUMNS};
    r->x_node = sumi_graph_input(graph, "x", 2, x_shape);
    r->y_node = sumi_graph_input(graph, "y", 2, y_shape);
    sumi_node w = sumi_graph_weight(graph, "w", 2, w_shape, SUMI_START_NORMAL, 1);
    sumi_node b = sumi_graph_weight(graph, "b", 1, &one, SUMI_START_ZERO, 0);
    sumi_node x = r->dropout > 0 ? sumi_op_dropout(graph, r->x_node, r->dropout) : r->x_node;
    sumi_node error = sumi_op_subtract(graph, sumi_op_linear(graph, x, w, b), r->y_node);
    return sumi_op_mean(graph, sumi_op_multiply(graph, error, error), 3);
}

static inline sumi_status regression_feed(void *user, sumi_plan *plan, int64_t step)
{
    struct regression *r = user;
    memcpy(sumi_plan_data(plan, r->x_node), r->x, sizeof r->x);
    memcpy(sumi_plan_data(plan, r->y_node), r->y, sizeof r->y);
    if (step == r->bad_step) sumi_plan_data(plan, r->y_node)[5] = NAN;
    return SUMI_OK;
}

/* Rows near a plane, with an error that the plane cannot explain. */
static inline void regression_fill(struct regression *r)
{
    memset(r, 0, sizeof *r);
    r->bad_step = -1;
    for (int i = 0; i < REGRESSION_ROWS; i++) {
        for (int k = 0; k < REGRESSION_COLUMNS; k++) {
            r->x[i][k] = sinf(1.3f * (float)((i + 1) * (k + 1)));
        }
        r->y[i] = 0.5f * r->x[i][0] - 0.8f * r->x[i][1] + 0.2f * r->x[i][2] + 0.3f
                  + 0.1f * cosf(2.9f * (float)i);
    }
}

/* A trainer of it with everything it needs. `settings` are assignments, ended by NULL. */
struct regression_training {
    struct regression regression;
    sumi_recipe *recipe;
    sumi_weights *weights;
    sumi_trainer *trainer;
};

static inline void regression_begin(sumi_context *context, double dropout,
                                    const char *const *settings, struct regression_training *t)
{
    memset(t, 0, sizeof *t);
    regression_fill(&t->regression);
    t->regression.dropout = dropout;
    sumi_objective objective = {.size = sizeof objective,
                                .user = &t->regression,
                                .build = regression_build,
                                .feed = regression_feed};
    CHECK_OK(context, sumi_recipe_open(context, "points", &t->recipe));
    for (; *settings; settings++) CHECK_OK(context, sumi_recipe_set(t->recipe, *settings));
    CHECK_OK(context, sumi_weights_create(context, 5, &t->weights));
    CHECK_OK(context,
             sumi_trainer_create_custom(context, t->recipe, t->weights, &objective, &t->trainer));
}

static inline void regression_end(struct regression_training *t)
{
    sumi_trainer_free(t->trainer);
    sumi_weights_free(t->weights);
    sumi_recipe_free(t->recipe);
}

static inline void regression_steps(sumi_context *context, struct regression_training *t, int steps)
{
    for (int i = 0; i < steps; i++) CHECK_OK(context, sumi_trainer_step(t->trainer, NULL));
}

/* The four numbers w and b as they are in the network. */
static inline void regression_weights(const struct regression_training *t,
                                      float values[REGRESSION_COLUMNS + 1])
{
    sumi_weight weight = {.size = sizeof weight};
    assert_true(sumi_weights_get(t->weights, 0, &weight));
    memcpy(values, weight.data, REGRESSION_COLUMNS * sizeof(float));
    assert_true(sumi_weights_get(t->weights, 1, &weight));
    values[REGRESSION_COLUMNS] = weight.data[0];
}

#endif

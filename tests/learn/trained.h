/* SPDX-License-Identifier: Apache-2.0 */
/* A recipe in training, with what it needs, for tests of objectives and of steps. */
#ifndef TESTS_LEARN_TRAINED_H
#define TESTS_LEARN_TRAINED_H

#include "learn/trainer.h"
#include "noise/schedule.h"
#include "scratch.h"

struct training {
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;
    sumi_trainer *trainer;
    struct schedule schedule; /* a test's own, to compare with */
};

/* Opens a recipe with settings (ended by NULL) on top, its data and model, and a trainer. */
static inline void training_of_recipe(sumi_context *context, const char *name,
                                      const char *const *settings, struct training *t)
{
    memset(t, 0, sizeof *t);
    CHECK_OK(context, sumi_recipe_open(context, name, &t->recipe));
    for (; *settings; settings++) CHECK_OK(context, sumi_recipe_set(t->recipe, *settings));
    CHECK_OK(context, sumi_data_open(context, t->recipe, &t->data));
    CHECK_OK(context, sumi_model_create_from_recipe(context, t->recipe, t->data, &t->model));
    CHECK_OK(context, sumi_trainer_create(context, t->recipe, t->model, t->data, &t->trainer));
}

static inline void training_end(struct training *t)
{
    sumi_trainer_free(t->trainer);
    sumi_model_free(t->model);
    sumi_data_free(t->data);
    sumi_recipe_free(t->recipe);
}

/* What lies in the input of that name. */
static inline sumi_node fed_node(const struct training *t, const char *name)
{
    const sumi_graph *graph = t->trainer->plans->graph;
    for (sumi_node n = 0; n < graph->count; n++) {
        const struct node *node = graph_node(graph, n);
        if (node->op == &op_input && strcmp(node->name, name) == 0) return n;
    }
    fail_msg("there is no input \"%s\"", name);
    return -1;
}

static inline float *fed(const struct training *t, const char *name)
{
    return sumi_plan_data(t->trainer->plans->plan, fed_node(t, name));
}

/* Of the input "class". */
static inline int32_t *fed_classes(const struct training *t)
{
    return sumi_plan_typed_data(t->trainer->plans->plan, fed_node(t, "class"), SUMI_INT32);
}

static inline void feed(sumi_context *context, const struct training *t, int64_t step)
{
    const struct objective *objective = &t->trainer->plans->objective;
    CHECK_OK(context, objective->feed(objective->user, t->trainer->plans->plan, step));
}

/* Feeds and runs a step; returns its loss. */
static inline double loss_of(sumi_context *context, const struct training *t, int64_t step)
{
    feed(context, t, step);
    CHECK_OK(context, sumi_plan_run(t->trainer->plans->plan, 0, (uint64_t)step));
    return *sumi_plan_data(t->trainer->plans->plan, t->trainer->plans->losses[0]);
}

#endif

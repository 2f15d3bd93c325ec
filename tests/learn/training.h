/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of objectives: a model whose network is a number times x (and a second number
   for a learned variance), trained on points, and the inputs of its objective. */
#ifndef TESTS_LEARN_TRAINING_H
#define TESTS_LEARN_TRAINING_H

#include "data/data.h"
#include "learn/trained.h"

enum { BATCH = 64, SIZE = 2 };

/* scale x, and table[class] more where `user` is not NULL. */
static inline sumi_node build_scaled(void *user, sumi_graph *graph, const sumi_node *inputs)
{
    const int64_t one = 1, table_shape[] = {8, SIZE};
    sumi_node scale = sumi_graph_weight(graph, "scale", 1, &one, SUMI_START_ZERO, 0);
    sumi_node output = sumi_op_multiply(graph, inputs[0], scale);
    if (!user) return output;
    sumi_node table = sumi_graph_weight(graph, "table", 2, table_shape, SUMI_START_NORMAL, 1);
    return sumi_op_add(graph, output, sumi_op_gather(graph, table, inputs[2]));
}

/* That network with so many classes, 0 to 8. */
static inline sumi_network scaled_network(int classes)
{
    static sumi_input inputs[9]; /* by the number of classes */
    sumi_input *input = &inputs[classes];
    *input = (sumi_input){
        .size = sizeof *input, .name = "class", .element = SUMI_INT32, .rank = 1, .limit = classes};
    return (sumi_network){.size = sizeof(sumi_network),
                          .user = classes ? input : NULL,
                          .rank = 1,
                          .shape = {SIZE},
                          .input_count = classes ? 1 : 0,
                          .inputs = input,
                          .build = build_scaled};
}

/* Opens recipe and data: eight Gaussians, and the settings (ended by NULL) on top. */
static inline void training_open(sumi_context *context, const char *const *settings,
                                 struct training *t)
{
    static const char *const usual[] = {"data.kind=gaussians", "data.count=1000", "train.batch=64",
                                        NULL};
    memset(t, 0, sizeof *t);
    CHECK_OK(context, sumi_recipe_open(context, "points", &t->recipe));
    for (int i = 0; usual[i]; i++) CHECK_OK(context, sumi_recipe_set(t->recipe, usual[i]));
    for (int i = 0; settings[i]; i++) CHECK_OK(context, sumi_recipe_set(t->recipe, settings[i]));
    CHECK_OK(context, sumi_data_open(context, t->recipe, &t->data));
}

/* The same with a trainer over the scaled network, sampled as `scheduler` says. */
static inline void training_begin(sumi_context *context, const char *const *settings,
                                  const char *scheduler, struct training *t)
{
    training_open(context, settings, t);
    const sumi_network network = scaled_network(sumi_data_classes(t->data));
    CHECK_OK(context, sumi_model_compose(context, &network, 1, &t->model));
    CHECK_OK(context, sumi_model_set_scheduler(t->model, scheduler));
    CHECK_OK(context, sumi_trainer_create(context, t->recipe, t->model, t->data, &t->trainer));
}

/* The loss of each item of the last run. */
static inline const float *item_losses(const struct training *t)
{
    const struct objective *objective = &t->trainer->plans->objective;
    return sumi_plan_data(t->trainer->plans->plan, objective->observed(objective->user));
}

/* The only number of the network. */
static inline float *scale_of(const struct training *t)
{
    return t->model->weights->items[0].data;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Classification of noised items (Dhariwal and Nichol 2021, section 4): any network whose output
   channels are the classes of the data becomes a classifier at all times of the path. The logits
   are the means of its outputs over the positions of an item, kept within 15 of zero by 15
   tanh(mean / 15), and the loss is -log softmax of the item's class. Its gradient by the item is
   what the guide "classifier" adds to the score. */
#include <math.h>

#include "learn/noised.h"
#include "models/classifier.h"

struct classification {
    struct noised noised; /* first: noised_observe and its like cast `user` to this */
    int64_t classes;
    sumi_node wanted; /* [n, classes]: 1 for the class of each item */
};

/* The means over positions: output[n, ..., classes] to [n, classes], limited. */
static sumi_node build_logits(struct classification *c, sumi_graph *graph, sumi_node output)
{
    int64_t shape[2] = {c->noised.batch, c->classes};
    if (output < 0) return -1;
    int rank = graph_shape(graph, output)->rank;
    unsigned positions = ((1u << (rank - 1)) - 1) & ~1u;
    sumi_node means = positions ? sumi_op_mean(graph, output, positions) : output;
    means = sumi_op_reshape(graph, means, 2, shape);
    sumi_node limited = sumi_op_tanh(graph, sumi_op_affine(graph, means, 1 / CLASSIFIER_LIMIT, 0));
    return sumi_op_affine(graph, limited, CLASSIFIER_LIMIT, 0);
}

static sumi_node build(void *user, sumi_graph *graph)
{
    struct classification *c = user;
    sumi_node logits = build_logits(c, graph, noised_build(&c->noised, graph));
    int64_t shape[2] = {c->noised.batch, c->classes};
    c->wanted = sumi_graph_input(graph, "wanted", 2, shape);
    sumi_node total = sumi_op_sum(graph, sumi_op_exp(graph, logits), 1u << 1);
    sumi_node log_softmax = sumi_op_subtract(graph, logits, sumi_op_log(graph, total));
    sumi_node picked = sumi_op_multiply(graph, c->wanted, log_softmax);
    sumi_node losses = sumi_op_affine(graph, sumi_op_sum(graph, picked, 1u << 1), -1, 0);
    return noised_loss(&c->noised, graph, sumi_op_reshape(graph, losses, 1, shape));
}

/* Writes the row of an item. */
static void finish_item(void *user, sumi_plan *plan, int64_t item)
{
    const struct classification *c = user;
    float *row = sumi_plan_data(plan, c->wanted) + item * c->classes;
    for (int64_t k = 0; k < c->classes; k++) row[k] = k == c->noised.labels[item];
}

static sumi_status feed(void *user, sumi_plan *plan, int64_t number)
{
    struct classification *c = user;
    return noised_feed(&c->noised, plan, number, finish_item, c);
}

static double zero_loss(void *user, double mean_square)
{
    const struct classification *c = user;
    (void)mean_square;
    return log((double)c->classes);
}

static sumi_status check(const struct learning *learning)
{
    sumi_context *context = learning->context;
    int64_t classes = sumi_data_classes(learning->data);
    if (classes < 2) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "train.objective = classification needs items with labels of two or "
                            "more classes; set data.labels = yes, if the data set has them");
    }
    if (sumi_model_classes(learning->model)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "train.objective = classification is for a network that does not get "
                            "the class: set model.class_conditional = no");
    }
    if (learning->model->net->out_channels == classes) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "train.objective = classification needs a network with an output channel "
                        "for each of the %lld classes, and this one has %lld",
                        (long long)classes, (long long)learning->model->net->out_channels);
}

static sumi_status create(const struct learning *learning, struct objective *objective)
{
    TRY(check(learning));
    struct classification *c = context_allocate_zeroed(learning->context, 1, sizeof *c);
    if (!c) return SUMI_ERROR_MEMORY;
    c->classes = sumi_data_classes(learning->data);
    sumi_status status = noised_open_labelled(learning, &c->noised);
    if (status == SUMI_OK) status = noised_check(&c->noised, false, NULL, NULL);
    *objective = noised_objective(c);
    objective->build = build;
    objective->feed = feed;
    objective->zero_loss = zero_loss;
    if (status != SUMI_OK) noised_free(c);
    return status;
}

const struct objective_type objective_classification = {.name = "classification", .create = create};

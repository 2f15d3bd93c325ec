/* SPDX-License-Identifier: Apache-2.0 */
/* A network for tests that run it several times with other inputs: built once with the shapes of
   its inputs, its weights changed so that none is zero. */
#ifndef TESTS_NETS_FORWARD_H
#define TESTS_NETS_FORWARD_H

#include "../check.h"
#include "graph/plan.h"
#include "nets/net.h"

enum { FORWARD_OUTPUTS = 24 };

struct forward {
    sumi_context *context;
    struct net *net;
    sumi_weights *weights;
    sumi_graph *graph;
    struct net_nodes nodes;
    sumi_plan *plan;
    int count;
    sumi_node outputs[FORWARD_OUTPUTS];
};

/* A context, weights and a graph. */
static inline void forward_begin(struct forward *f)
{
    *f = (struct forward){.count = 0};
    assert_int_equal(sumi_context_create(NULL, &f->context), SUMI_OK);
    CHECK_OK(f->context, sumi_weights_create(f->context, 7, &f->weights));
    CHECK_OK(f->context, sumi_graph_create(f->context, f->weights, false, &f->graph));
}

/* Values of the weights, so that those that start at zero matter too. */
static inline void forward_fill(const struct forward *f)
{
    for (int64_t i = 0; i < f->weights->count; i++) {
        struct weight *weight = &f->weights->items[i];
        int64_t count = shape_count(&weight->shape);
        double size =
            weight->shape.rank > 1 ? 1 / sqrt((double)(count / weight->shape.size[0])) : 0.1;
        for (int64_t j = 0; weight->trainable && j < count; j++)
            weight->data[j] = (float)(size * sin(0.7 * (double)j + (double)i) + weight->data[j]);
    }
    weights_changed(f->weights);
}

/* Adds an output, plans all of them at the end with forward_plan. */
static inline void forward_output(struct forward *f, sumi_node node)
{
    if (node < 0) fail_msg("%s", sumi_context_message(f->context));
    assert_true(f->count < FORWARD_OUTPUTS);
    f->outputs[f->count++] = node;
}

static inline void forward_plan(struct forward *f)
{
    CHECK_OK(f->context, sumi_plan_create(f->graph, f->count, f->outputs, &f->plan));
}

/* A network of the table on inputs of these shapes; a shape of rank 0 is the declared one. */
static inline void forward_open(struct forward *f, const char *config, const struct shape *shapes,
                                int64_t items)
{
    forward_begin(f);
    CHECK_OK(f->context, net_parse(f->context, config, "config", &f->net));
    net_add_inputs(f->net, f->graph, items, shapes, &f->nodes);
    forward_output(f, net_build(f->net, f->graph, &f->nodes));
    forward_fill(f);
    forward_plan(f);
}

static inline int64_t forward_size(const struct forward *f, sumi_node node)
{
    return shape_count(graph_shape(f->graph, node));
}

/* Fills an input with cos(frequency j + shift). */
static inline void forward_wave(const struct forward *f, sumi_node node, double frequency,
                                double shift)
{
    float *values = sumi_plan_data(f->plan, node);
    for (int64_t j = 0; j < forward_size(f, node); j++)
        values[j] = (float)cos(frequency * (double)j + shift);
}

/* Runs it and copies output `number` to values. */
static inline void forward_run(const struct forward *f, int number, float *values)
{
    CHECK_OK(f->context, sumi_plan_run(f->plan, 0, 0));
    memcpy(values, sumi_plan_data(f->plan, f->outputs[number]),
           (size_t)forward_size(f, f->outputs[number]) * sizeof *values);
}

/* The largest difference of two arrays. */
static inline double forward_apart(const float *a, const float *b, int64_t count)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)a[i] - b[i]));
    return largest;
}

static inline void forward_close(struct forward *f)
{
    sumi_plan_free(f->plan);
    net_free(f->net);
    sumi_graph_free(f->graph);
    sumi_weights_free(f->weights);
    sumi_context_free(f->context);
}

/* Refuses a config with a message that has `part`. */
static inline void forward_refuse(const char *config, const char *part)
{
    sumi_context *context = NULL;
    struct net *net = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    if (net_parse(context, config, "config", &net) == SUMI_OK)
        fail_msg("%s is not refused", config);
    if (!strstr(sumi_context_message(context), part))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), part);
    sumi_context_free(context);
}

#endif

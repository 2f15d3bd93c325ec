/* The objective of a denoising model (Ho et al. 2020, algorithm 1 and eq. 14): clean items are
   noised to random times, and the network is asked for the noise, the clean item or v. All draws
   are keyed by seed, step and item, so a step can be repeated exactly. */
#include "base/philox.h"
#include "cpu/cpu.h"
#include "data/data.h"
#include "learn/trainer.h"
#include "models/model.h"
#include "noise/rows.h"
#include "noise/schedule.h"
#include "solvers/solver.h"

struct denoising {
    sumi_context *context;
    sumi_model *model;
    sumi_data *data;
    sumi_solver *solver; /* as the model will be sampled: owner of what the next two point to */
    const struct schedule *schedule;
    const struct solver_options *options;
    bool bound; /* weigh times as the variational bound does */
    uint64_t seed;
    int64_t batch, item_size;
    float *clean, *noise; /* [batch, item_size] */
    int32_t *labels;      /* [batch] */
    sumi_node x, times, classes, target, weights;
};

/* Mean over the batch of weight[n] mean((prediction - target)^2). */
static sumi_node weighted_loss(sumi_graph *graph, sumi_node prediction, sumi_node target,
                               sumi_node weights)
{
    sumi_node error = sumi_op_subtract(graph, prediction, target);
    sumi_node square = sumi_op_multiply(graph, error, error);
    if (square < 0) return -1;
    int rank = graph_shape(graph, square)->rank;
    unsigned all = (1u << rank) - 1;
    if (weights < 0) return sumi_op_mean(graph, square, all);
    sumi_node each = sumi_op_mean(graph, square, all & ~1u); /* [n, 1, ...] */
    int64_t batch = graph_shape(graph, square)->size[0];
    each = sumi_op_reshape(graph, each, 1, &batch);
    return sumi_op_mean(graph, sumi_op_multiply(graph, each, weights), 1u);
}

static sumi_node build(void *user, sumi_graph *graph)
{
    struct denoising *d = user;
    int64_t item[SUMI_MAX_RANK], shape[SUMI_MAX_RANK + 1] = {d->batch};
    int rank = sumi_model_shape(d->model, item) + 1;
    for (int i = 1; i < rank; i++) shape[i] = item[i - 1];
    d->x = sumi_graph_input(graph, "x", rank, shape);
    d->target = sumi_graph_input(graph, "target", rank, shape);
    d->times = sumi_graph_input(graph, "times", 1, &d->batch);
    d->classes = d->labels ? sumi_graph_input(graph, "labels", 1, &d->batch) : -1;
    d->weights = d->bound ? sumi_graph_input(graph, "weights", 1, &d->batch) : -1;
    struct net_inputs inputs = {d->x, d->times, d->classes};
    sumi_node prediction = net_build(d->model->net, graph, &inputs);
    return weighted_loss(graph, prediction, d->target, d->weights);
}

/* Noises item i to a random time and writes its row of every input. */
static void feed_item(struct denoising *d, sumi_plan *plan, int64_t step, int64_t i)
{
    const struct schedule *schedule = d->schedule;
    const philox_stream time_stream = {d->seed, PURPOSE_TIME, (uint64_t)step};
    const philox_stream noise_stream = {d->seed, PURPOSE_NOISE, (uint64_t)step};
    int64_t at = i * d->item_size;
    int64_t time = (int64_t)philox_below(&time_stream, (uint64_t)i, (uint64_t)schedule->count);
    double signal = schedule_signal(schedule, time), level = schedule_noise(schedule, time);
    enum prediction_type prediction = (enum prediction_type)d->options->prediction_type;
    philox_normal(&noise_stream, (uint64_t)at, d->item_size, d->noise + at);
    const struct row_term terms[] = {{signal, d->clean + at}, {level, d->noise + at}};
    rows_combine(1, d->item_size, sumi_plan_data(plan, d->x) + at, 2, terms);
    prediction_target(prediction, signal, level, 1, d->item_size, d->clean + at, d->noise + at,
                      sumi_plan_data(plan, d->target) + at);
    sumi_plan_data(plan, d->times)[i] = (float)time;
    if (d->classes >= 0) sumi_plan_data(plan, d->classes)[i] = (float)d->labels[i];
    if (d->weights >= 0) {
        sumi_plan_data(plan, d->weights)[i] =
            (float)schedule_bound_weight(schedule, time, prediction,
                                         (enum variance_type)d->options->variance_type);
    }
}

static sumi_status feed(void *user, sumi_plan *plan, int64_t step)
{
    struct denoising *d = user;
    TRY(data_read_batch(d->data, d->seed, step, d->batch, d->clean, d->labels));
    enum { WORK_OF_A_NUMBER = 32 }; /* mostly its normal draw */
    int threads = worthwhile_threads(d->context->threads,
                                     WORK_OF_A_NUMBER * d->batch * d->item_size);
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (int64_t i = 0; i < d->batch; i++) feed_item(d, plan, step, i);
    return SUMI_OK;
}

void denoising_release(void *user)
{
    struct denoising *d = user;
    if (!d) return;
    sumi_solver_free(d->solver);
    context_release(d->context, d->clean);
    context_release(d->context, d->noise);
    context_release(d->context, d->labels);
    context_release(d->context, d);
}

/* The data's items must be what the model takes. */
static sumi_status check_shapes(sumi_context *context, const sumi_model *model,
                                const sumi_data *data)
{
    struct shape wanted, given;
    wanted.rank = sumi_model_shape(model, wanted.size);
    given.rank = sumi_data_shape(data, given.size);
    if (!shape_equal(&wanted, &given)) {
        char want[SHAPE_TEXT], have[SHAPE_TEXT];
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the model takes items of shape %s, but the data set has %s",
                            shape_text(&wanted, want), shape_text(&given, have));
    }
    int classes = sumi_model_classes(model);
    if (classes && sumi_data_classes(data) > classes) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the model knows %d classes, but the data set has %d", classes,
                            sumi_data_classes(data));
    }
    if (classes && !sumi_data_classes(data)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the model wants a class for each item, but the data set has none: "
                            "set data.labels=yes or model.class_conditional=no");
    }
    return SUMI_OK;
}

/* The solver as the model will be sampled, its schedule and its options. */
static sumi_status open_solver(struct denoising *d)
{
    TRY(sumi_model_solver(d->model, NULL, &d->solver));
    TRY(solver_schedule(d->solver, &d->schedule));
    d->options = solver_options(d->solver);
    if (d->options->variance_type < VARIANCE_LEARNED) return SUMI_OK;
    return context_fail(d->context, SUMI_ERROR_UNSUPPORTED,
                        "a network that also gives the variance (variance_type \"learned\" or "
                        "\"learned_range\") can be sampled but not trained");
}

sumi_status denoising_create(sumi_context *context, const sumi_recipe *recipe, sumi_model *model,
                             sumi_data *data, sumi_objective *objective)
{
    TRY(check_shapes(context, model, data));
    struct denoising *d = context_allocate_zeroed(context, 1, sizeof *d);
    if (!d) return SUMI_ERROR_MEMORY;
    d->context = context;
    d->model = model;
    d->data = data;
    d->bound = recipe_is(recipe, "train.weighting", "bound");
    d->seed = (uint64_t)recipe_int(recipe, "train.seed");
    d->batch = recipe_int(recipe, "train.batch");
    struct shape item;
    item.rank = sumi_model_shape(model, item.size);
    d->item_size = shape_count(&item);
    sumi_status status = open_solver(d);
    size_t count = (size_t)d->batch * (size_t)d->item_size;
    if (status == SUMI_OK) {
        d->clean = context_allocate(context, count, sizeof *d->clean);
        d->noise = context_allocate(context, count, sizeof *d->noise);
        if (!d->clean || !d->noise) status = SUMI_ERROR_MEMORY;
    }
    if (status == SUMI_OK && sumi_model_classes(model)) {
        d->labels = context_allocate(context, (size_t)d->batch, sizeof *d->labels);
        if (!d->labels) status = SUMI_ERROR_MEMORY;
    }
    *objective = (sumi_objective){d, build, feed};
    if (status != SUMI_OK) denoising_release(d);
    return status;
}

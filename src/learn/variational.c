/* SPDX-License-Identifier: Apache-2.0 */
/* The variational bound as a loss (Ho et al. 2020, eq. 5), in bits for each number of an item, with
   fixed or learned variances; and the hybrid of Nichol & Dhariwal 2021, eq. 16: the simple loss of
   denoising plus 0.001 of the bound, whose gradient there reaches only the variance. One time is
   drawn for each item, so the bound's sum over T times is estimated by T times the mean of the
   drawn terms. The term of the last time, L_T, does not depend on the network and is left out. */
#include <math.h>
#include <string.h>

#include "learn/noised.h"
#include "learn/variational_terms.h"
#include "ops/ops.h"

static const double BOUND_SHARE = 0.001; /* weight of the bound in the hybrid */

struct variational {
    struct noised noised;         /* first: noised_observe and its like cast `user` to this */
    bool hybrid, learned, levels; /* levels: the data have 256 levels, else any numbers */
    int64_t channels;
    int rank; /* of a batch */
    sumi_node target, clean;
    /* For each item: 1 at the first time, else 0; the error of the mean per unit of error of the
       prediction; log btilde; and the bounds of the reverse step's log variance, least and least +
       gap. */
    sumi_node first, slope, posterior, least, gap;
};

/* An input of one number per item, reshaped to broadcast over the item's numbers. */
static sumi_node column(const struct variational *v, sumi_graph *graph, sumi_node numbers)
{
    const int64_t shape[SUMI_MAX_RANK] = {v->noised.batch, 1, 1, 1, 1, 1};
    return sumi_op_reshape(graph, numbers, v->rank, shape);
}

/* Nichol & Dhariwal 2021, eq. 15: the second half of the output, from -1 to 1, interpolates the log
   variance between its bounds. */
static sumi_node log_variance(const struct variational *v, sumi_graph *graph, sumi_node output)
{
    sumi_node least = column(v, graph, v->least);
    if (!v->learned) return least;
    sumi_node half = sumi_op_slice(graph, output, v->rank - 1, v->channels, v->channels);
    sumi_node share = sumi_op_affine(graph, half, 0.5, 0.5);
    return sumi_op_add(graph, least, sumi_op_multiply(graph, share, column(v, graph, v->gap)));
}

/* L_t of each item in bits: the decoder's at the first time, else the divergence of the reverse
   step from the posterior. `error` is the prediction's. */
static sumi_node bound(const struct variational *v, sumi_graph *graph, sumi_node error,
                       sumi_node variance)
{
    sumi_node first = column(v, graph, v->first);
    sumi_node distance = sumi_op_multiply(graph, error, column(v, graph, v->slope));
    sumi_node square = sumi_op_multiply(graph, distance, distance);
    sumi_node divergence =
        variational_divergence(graph, square, column(v, graph, v->posterior), variance);
    sumi_node decoder = variational_density(graph, square, variance);
    if (v->levels) {
        /* zero where it is not used, because its value could be infinite */
        sumi_node near = sumi_op_multiply(graph, distance, first);
        decoder = variational_decoder(graph, v->clean, near, variance);
    }
    sumi_node choice = sumi_op_multiply(graph, sumi_op_subtract(graph, decoder, divergence), first);
    sumi_node nats = objective_item_means(graph, sumi_op_add(graph, divergence, choice));
    return sumi_op_affine(graph, nats, 1 / log(2), 0);
}

static sumi_node build(void *user, sumi_graph *graph)
{
    struct variational *v = user;
    struct noised *noised = &v->noised;
    sumi_node output = noised_build(noised, graph);
    v->target = noised_input(noised, graph, "target", true);
    v->clean = v->levels ? noised_input(noised, graph, "clean", true) : -1;
    v->first = noised_input(noised, graph, "first", false);
    v->slope = noised_input(noised, graph, "slope", false);
    v->posterior = noised_input(noised, graph, "posterior", false);
    v->least = noised_input(noised, graph, "least", false);
    v->gap = v->learned ? noised_input(noised, graph, "gap", false) : -1;
    sumi_node prediction =
        v->learned ? sumi_op_slice(graph, output, v->rank - 1, 0, v->channels) : output;
    sumi_node error = sumi_op_subtract(graph, v->target, prediction);
    sumi_node variance = log_variance(v, graph, output);
    double times = (double)noised->path->count;
    if (!v->hybrid) {
        sumi_node terms = bound(v, graph, error, variance);
        return noised_loss(noised, graph, sumi_op_affine(graph, terms, times, 0));
    }
    sumi_node terms = bound(v, graph, ops_stop_gradient(graph, error), variance);
    sumi_node simple = objective_item_means(graph, sumi_op_multiply(graph, error, error));
    sumi_node share = sumi_op_affine(graph, terms, BOUND_SHARE * times, 0);
    return noised_loss(noised, graph, sumi_op_add(graph, simple, share));
}

/* The inputs of the bound for an item at a whole time. */
struct numbers {
    double slope, posterior, least, gap;
};

static struct numbers numbers_at(const struct variational *v, const struct place *place)
{
    const struct noised *noised = &v->noised;
    const struct schedule *schedule = noised->schedule;
    int64_t time = place->index;
    struct posterior posterior = posterior_between(
        schedule->alphas_cumprod[time], time > 0 ? schedule->alphas_cumprod[time - 1] : 1);
    struct prediction_map map = path_map(noised->path, noised->prediction, &place->level);
    struct variance_range range = schedule_variance_range(schedule, time);
    int type = noised->options->variance_type;
    bool large = type == VARIANCE_FIXED_LARGE || type == VARIANCE_FIXED_LARGE_LOG;
    double least = large ? range.log_most : range.log_least;
    return (struct numbers){posterior.clean * map.clean_prediction, range.log_least, least,
                            range.log_most - least};
}

static void finish_item(void *user, sumi_plan *plan, int64_t item)
{
    const struct variational *v = user;
    const struct noised *noised = &v->noised;
    const struct place *place = &noised->places[item];
    struct numbers numbers = numbers_at(v, place);
    int64_t size = noised->item_size, at = item * size;
    noised_target(noised, item, sumi_plan_data(plan, v->target));
    if (v->levels) {
        memcpy(sumi_plan_data(plan, v->clean) + at, noised->clean + at,
               (size_t)size * sizeof(float));
    }
    sumi_plan_data(plan, v->first)[item] = place->index == 0;
    sumi_plan_data(plan, v->slope)[item] = (float)numbers.slope;
    sumi_plan_data(plan, v->posterior)[item] = (float)numbers.posterior;
    sumi_plan_data(plan, v->least)[item] = (float)numbers.least;
    if (v->learned) sumi_plan_data(plan, v->gap)[item] = (float)numbers.gap;
}

/* The bound divides the square of the slope by a variance between e^-46 and 1. */
static const char *judge(const void *user, const struct place *place)
{
    struct numbers numbers = numbers_at(user, place);
    bool finite = isfinite(numbers.posterior) && isfinite(numbers.least) && isfinite(numbers.gap)
                  && numbers.slope * numbers.slope * exp(-numbers.least) < 1e34;
    return finite ? NULL : "the variational bound";
}

static sumi_status feed(void *user, sumi_plan *plan, int64_t number)
{
    struct variational *v = user;
    return noised_feed(&v->noised, plan, number, finish_item, v);
}

static sumi_status check_variance(const struct variational *v)
{
    sumi_context *context = v->noised.learning.context;
    int type = v->noised.options->variance_type;
    if (type == VARIANCE_LEARNED) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "variance_type \"learned\" can be sampled but not trained; "
                            "\"learned_range\" can be both");
    }
    if (type == VARIANCE_LEARNED_RANGE || !v->hybrid) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "train.objective = hybrid needs a network that also learns the variance: "
                        "set noise.variance = learned_range, or use denoising or variational");
}

static sumi_status open_parts(const struct learning *learning, struct variational *v)
{
    TRY(noised_open(learning, &v->noised));
    int64_t shape[SUMI_MAX_RANK];
    v->rank = 1 + sumi_model_shape(learning->model, shape);
    v->channels = shape[v->rank - 2];
    v->learned = v->noised.options->variance_type >= VARIANCE_LEARNED;
    if (v->noised.path->kind != PATH_TABLE || v->noised.draws.kind == TIMES_UNIFORM
        || v->noised.draws.kind == TIMES_LOG_NORMAL) {
        return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                            "train.objective = %s sums over the whole times of a table: set "
                            "noise.path = table and train.times = whole or importance; on other "
                            "paths use train.weighting = bound, the bound of continuous time",
                            recipe_text(learning->recipe, "train.objective"));
    }
    v->levels = learning->data->kind->read_bytes != NULL;
    TRY(check_variance(v));
    return noised_check(&v->noised, true, judge, v);
}

static sumi_status create(const struct learning *learning, bool hybrid, struct objective *objective)
{
    struct variational *v = context_allocate_zeroed(learning->context, 1, sizeof *v);
    if (!v) return SUMI_ERROR_MEMORY;
    v->hybrid = hybrid;
    sumi_status status = open_parts(learning, v);
    *objective = noised_objective(v);
    objective->build = build;
    objective->feed = feed;
    if (status != SUMI_OK) noised_free(v);
    return status;
}

static sumi_status create_variational(const struct learning *learning, struct objective *objective)
{
    return create(learning, false, objective);
}

static sumi_status create_hybrid(const struct learning *learning, struct objective *objective)
{
    return create(learning, true, objective);
}

const struct objective_type objective_variational = {.name = "variational",
                                                     .create = create_variational};
const struct objective_type objective_hybrid = {.name = "hybrid", .create = create_hybrid};

/* SPDX-License-Identifier: Apache-2.0 */
/* Learned betas (Sohl-Dickstein et al. 2015, section 2.4.1): the network and the schedule maximise
   the bound K together. The noise is frozen: item i has the same noise e_it for its states x_t =
   a_t x_0 + s_t e_it in every epoch, so that K over the data set is a function of only the network
   and the betas, and its derivative by beta goes through the states. Each item is noised to all T
   times, and K is the sum of their closed forms (their eq. 14)

       K = - sum_{t >= 2} KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t))
           + H_q(x_T | x_0) - H_q(x_1 | x_0) - H_p(x_T)

   in bits per item, where the entropies of the prior are cross-entropies, E_q(-log pi), so that K
   is a bound for data of any scale; for data of unit variance it is the paper's. beta_1 stays that
   of the recipe. K models the last reverse step as the reverse of the first forward step; so that
   solvers can use the network there, the simple loss trains it in addition, without changing the
   value of the loss. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/members.h"
#include "base/philox.h"
#include "data/shuffle.h"
#include "learn/objective.h"
#include "learn/variational_terms.h"
#include "ops/ops.h"
#include "solvers/solver.h"

static const double bits_in_a_nat = 1.44269504088896340736;
static const double log_two_pi = 1.83787706640934548356;
static const char WEIGHT_NAME[] = "objective.betas";

struct betas {
    struct learning learning;
    uint64_t seed;
    int64_t batch, times, size; /* items of a feed, T, numbers of an item */
    float *first;               /* [T] log-odds of the betas that training starts from */
    float *clean;               /* [batch, size] */
    sumi_node x0, noise;        /* [n, 1, size], [n, T, size] */
};

/* Nodes with a value for every time, [T, 1]: log beta, log alpha, log abar, log(1 - abar), and
   log(1 - abar) of the previous time (0 before the first). */
struct table {
    sumi_node beta, alpha, product, variance, before;
};

/* ---- The schedule as graph ---- */

static sumi_node constant_column(const struct betas *b, sumi_graph *graph, const float *values)
{
    const int64_t shape[2] = {b->times, 1};
    return sumi_graph_constant(graph, 2, shape, values);
}

/* 1 where column <= row, [T, T]. */
static sumi_node lower_triangle(const struct betas *b, sumi_graph *graph)
{
    const int64_t shape[2] = {b->times, b->times};
    sumi_context *context = b->learning.context;
    float *values = context_allocate(context, (size_t)(b->times * b->times), sizeof *values);
    if (!values) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return -1;
    }
    for (int64_t i = 0; i < b->times * b->times; i++) values[i] = i % b->times <= i / b->times;
    sumi_node node = sumi_graph_constant(graph, 2, shape, values);
    context_release(context, values);
    return node;
}

/* log(1 - abar_t), computed as the sum over k <= t of beta_k abar_t / abar_k, which avoids
   cancellation. */
static sumi_node log_variances(const struct betas *b, sumi_graph *graph, const struct table *table,
                               sumi_node triangle)
{
    const int order[2] = {1, 0};
    const int64_t shape[2] = {b->times, b->times};
    sumi_node own = sumi_op_subtract(graph, table->beta, table->product);  /* [T, 1] of k */
    sumi_node spread = sumi_op_broadcast(graph, table->product, 2, shape); /* of t */
    sumi_node exponent = sumi_op_add(graph, spread, sumi_op_permute(graph, own, order));
    sumi_node parts = sumi_op_exp(graph, sumi_op_multiply(graph, exponent, triangle));
    return sumi_op_log(graph, sumi_op_sum(graph, sumi_op_multiply(graph, parts, triangle), 2u));
}

static struct table build_table(const struct betas *b, sumi_graph *graph)
{
    const int64_t others = b->times - 1;
    struct table table;
    sumi_node change = sumi_graph_weight(graph, WEIGHT_NAME, 1, &others, SUMI_START_ZERO, 0);
    change = sumi_op_pad(graph, change, 0, 1, 0); /* beta_1 is not learned */
    const int64_t column[2] = {b->times, 1};
    change = sumi_op_reshape(graph, change, 2, column);
    sumi_node odds = sumi_op_add(graph, constant_column(b, graph, b->first), change);
    sumi_node triangle = lower_triangle(b, graph);
    table.alpha = sumi_op_affine(graph, sumi_op_softplus(graph, odds), -1, 0);
    table.beta = sumi_op_add(graph, odds, table.alpha); /* log sigmoid */
    table.product = sumi_op_matmul(graph, triangle, table.alpha, false, false);
    table.variance = log_variances(b, graph, &table, triangle);
    table.before = sumi_op_pad(graph, sumi_op_slice(graph, table.variance, 0, 0, others), 0, 1, 0);
    return table;
}

/* ---- The bound as graph ---- */

/* [T, 1] as [1, T, 1]. */
static sumi_node by_time(const struct betas *b, sumi_graph *graph, sumi_node column)
{
    const int64_t shape[3] = {1, b->times, 1};
    return sumi_op_reshape(graph, column, 3, shape);
}

static sumi_node power(const struct betas *b, sumi_graph *graph, sumi_node log_column, double scale)
{
    return by_time(b, graph, sumi_op_exp(graph, sumi_op_affine(graph, log_column, scale, 0)));
}

/* 1 at the first time or at all others, [1, T, 1]. */
static sumi_node mask(const struct betas *b, sumi_graph *graph, bool first)
{
    sumi_context *context = b->learning.context;
    float *values = context_allocate(context, (size_t)b->times, sizeof *values);
    if (!values) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return -1;
    }
    for (int64_t t = 0; t < b->times; t++) values[t] = (t == 0) == first;
    sumi_node node = by_time(b, graph, constant_column(b, graph, values));
    context_release(context, values);
    return node;
}

/* The two halves of the network's output for every item at every time: the noise and the
   interpolation of the log variance, [n, T, size] each. */
static void build_network(struct betas *b, sumi_graph *graph, const struct table *table,
                          sumi_node *predicted, sumi_node *share)
{
    int64_t rows = b->batch * b->times, flat[2] = {rows, b->size};
    const int64_t halves[3] = {b->batch, b->times, 2 * b->size};
    sumi_node signal = sumi_op_multiply(graph, b->x0, power(b, graph, table->product, 0.5));
    sumi_node noise = sumi_op_multiply(graph, b->noise, power(b, graph, table->variance, 0.5));
    sumi_node x = sumi_op_reshape(graph, sumi_op_add(graph, signal, noise), 2, flat);
    const int64_t grid[2] = {b->batch, b->times};
    float *counts = context_allocate(b->learning.context, (size_t)b->times, sizeof *counts);
    if (!counts) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return;
    }
    for (int64_t t = 0; t < b->times; t++) counts[t] = (float)t;
    sumi_node times = sumi_graph_constant(graph, 1, &b->times, counts);
    context_release(b->learning.context, counts);
    times = sumi_op_reshape(graph, sumi_op_broadcast(graph, times, 2, grid), 1, &rows);
    struct net_nodes inputs = net_nodes_of(x, times);
    sumi_node output = net_build(b->learning.model->net, graph, &inputs);
    output = sumi_op_reshape(graph, output, 3, halves);
    *predicted = sumi_op_slice(graph, output, 2, 0, b->size);
    *share = sumi_op_affine(graph, sumi_op_slice(graph, output, 2, b->size, b->size), 0.5, 0.5);
}

static sumi_node total(sumi_graph *graph, sumi_node x)
{
    if (x < 0) return -1;
    sumi_node sum = sumi_op_sum(graph, x, (1u << graph_shape(graph, x)->rank) - 1);
    return sumi_op_reshape(graph, sum, 0, NULL);
}

/* The sum over items, times from 2 and numbers of KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)).
   The means differ by beta / sqrt(alpha (1 - abar)) (e - ehat) (Ho et al. 2020, eq. 12), and p's
   log variance lies between those of btilde and beta (Nichol & Dhariwal 2021, eq. 15). */
static sumi_node divergences(const struct betas *b, sumi_graph *graph, const struct table *table,
                             sumi_node squares, sumi_node share)
{
    sumi_node ratio = sumi_op_subtract(graph, table->before, table->variance);
    sumi_node posterior = by_time(b, graph, sumi_op_add(graph, table->beta, ratio));
    sumi_node slope = sumi_op_subtract(graph, sumi_op_affine(graph, table->beta, 2, 0),
                                       sumi_op_add(graph, table->variance, table->alpha));
    sumi_node gap = sumi_op_affine(graph, by_time(b, graph, ratio), -1, 0);
    sumi_node variance = sumi_op_add(graph, posterior, sumi_op_multiply(graph, gap, share));
    sumi_node square = sumi_op_multiply(graph, squares, power(b, graph, slope, 1));
    sumi_node each = variational_divergence(graph, square, posterior, variance);
    return total(graph, sumi_op_multiply(graph, each, mask(b, graph, false)));
}

/* KL(q(x_T | x_0) || N(0, 1)) summed over items and numbers. */
static sumi_node prior(const struct betas *b, sumi_graph *graph, const struct table *table)
{
    sumi_node last = sumi_op_slice(graph, table->variance, 0, b->times - 1, 1);
    sumi_node product = sumi_op_slice(graph, table->product, 0, b->times - 1, 1);
    sumi_node own = sumi_op_subtract(graph, sumi_op_exp(graph, last), last);
    sumi_node count = sumi_op_affine(graph, total(graph, own), (double)(b->batch * b->size), 0);
    sumi_node squares = total(graph, sumi_op_multiply(graph, b->x0, b->x0));
    sumi_node pull = sumi_op_multiply(graph, total(graph, sumi_op_exp(graph, product)), squares);
    sumi_node sum = sumi_op_add(graph, count, pull);
    return sumi_op_affine(graph, sum, 0.5, -0.5 * (double)(b->batch * b->size));
}

/* H_q(x_1 | x_0) and the change of log pi in the first step, summed the same way. */
static sumi_node first_step(const struct betas *b, sumi_graph *graph)
{
    double beta = 1 / (1 + exp(-(double)b->first[0])), count = (double)(b->batch * b->size);
    sumi_node squares = total(graph, sumi_op_multiply(graph, b->x0, b->x0));
    return sumi_op_affine(graph, squares, 0.5 * beta,
                          0.5 * count * (log_two_pi + 1 + log(beta) - beta));
}

/* -K, the mean over items. */
static sumi_node build(void *user, sumi_graph *graph)
{
    struct betas *b = user;
    const int64_t one[3] = {b->batch, 1, b->size}, all[3] = {b->batch, b->times, b->size};
    sumi_node predicted = -1, share = -1;
    b->x0 = sumi_graph_input(graph, "clean", 3, one);
    b->noise = sumi_graph_input(graph, "noise", 3, all);
    struct table table = build_table(b, graph);
    build_network(b, graph, &table, &predicted, &share);
    sumi_node error = sumi_op_subtract(graph, predicted, b->noise);
    sumi_node squares = sumi_op_multiply(graph, error, error);
    sumi_node sum = divergences(b, graph, &table, squares, share);
    sum = sumi_op_add(graph, sum, prior(b, graph, &table));
    sum = sumi_op_add(graph, sum, first_step(b, graph));
    sumi_node simple = total(graph, sumi_op_multiply(graph, squares, mask(b, graph, true)));
    sum =
        sumi_op_add(graph, sum, sumi_op_subtract(graph, simple, ops_stop_gradient(graph, simple)));
    return sumi_op_affine(graph, sum, bits_in_a_nat / (double)b->batch, 0);
}

/* ---- Feeding ---- */

/* Feeds the items of a portion, with the frozen noise of each, keyed by its index in the data
   set. */
static sumi_status feed(void *user, sumi_plan *plan, int64_t number)
{
    struct betas *b = user;
    sumi_data *data = b->learning.data;
    const philox_stream stream = {b->seed, PURPOSE_NOISE, 0};
    int64_t row = b->times * b->size, spaced = (row + 3) / 4 * 4, count = sumi_data_count(data);
    TRY(data_read_batch(data, b->seed, number, b->batch, b->clean, NULL));
    memcpy(sumi_plan_data(plan, b->x0), b->clean, (size_t)(b->batch * b->size) * sizeof *b->clean);
    for (int64_t i = 0; i < b->batch; i++) {
        int64_t position = number * b->batch + i;
        int64_t index =
            shuffle_index(b->seed, (uint64_t)(position / count), count, position % count);
        philox_normal(&stream, (uint64_t)(index * spaced), row,
                      sumi_plan_data(plan, b->noise) + i * row);
    }
    return SUMI_OK;
}

/* ---- Results ---- */

static bool add_betas(json_object *config, const float *first, const float *change, int64_t times)
{
    json_object *list = json_object_new_array();
    bool complete = list;
    for (int64_t t = 0; t < times && complete; t++) {
        double odds = first[t] + (t > 0 ? (double)change[t - 1] : 0);
        json_object *value = json_object_new_double(1 / (1 + exp(-odds)));
        complete = value && json_object_array_add(list, value) == 0;
        if (!complete) json_object_put(value);
    }
    if (complete) return member_add(config, "trained_betas", list);
    json_object_put(list);
    return false;
}

/* Writes the betas into the model's scheduler. */
static sumi_status publish(void *user)
{
    struct betas *b = user;
    sumi_context *context = b->learning.context;
    sumi_model *model = b->learning.model;
    int64_t number = weights_find(model->weights, WEIGHT_NAME);
    json_object *config = NULL;
    char *text = NULL;
    if (number < 0) return SUMI_OK;
    TRY(json_parse(context, model->scheduler, strlen(model->scheduler), "the model's scheduler",
                   &config));
    bool complete = add_betas(config, b->first, model->weights->items[number].data, b->times);
    sumi_status status = members_check(context, complete, "the learned betas");
    if (status == SUMI_OK) status = json_to_text(context, config, &text);
    json_object_put(config);
    if (status == SUMI_OK) status = sumi_model_set_scheduler(model, text);
    context_release(context, text);
    return status;
}

/* ---- Preparing ---- */

static void release(void *user)
{
    struct betas *b = user;
    context_release(b->learning.context, b->first);
    context_release(b->learning.context, b->clean);
    context_release(b->learning.context, b);
}

static sumi_status check_model(const struct learning *learning,
                               const struct solver_options *options, const struct noise_path *path)
{
    bool fits = path->kind == PATH_TABLE && options->prediction_type == PREDICTION_EPSILON
                && options->variance_type == VARIANCE_LEARNED_RANGE;
    if (!fits || sumi_model_kind(learning->model) != SUMI_POINTS
        || sumi_model_classes(learning->model)) {
        return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                            "train.objective = betas is for points without classes, with"
                            " noise.path = table, noise.prediction = epsilon and"
                            " noise.variance = learned_range");
    }
    if (path->schedule->count <= 4096) return SUMI_OK;
    return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                        "train.objective = betas noises every item to every time; noise.steps = "
                        "%lld is too large for that",
                        (long long)path->schedule->count);
}

/* Computes the log-odds of the recipe's initial betas. */
static sumi_status take_first(struct betas *b, const struct schedule *schedule)
{
    b->times = schedule->count;
    b->first = context_allocate(b->learning.context, (size_t)b->times, sizeof *b->first);
    b->clean =
        context_allocate(b->learning.context, (size_t)(b->batch * b->size), sizeof *b->clean);
    if (!b->first || !b->clean) return SUMI_ERROR_MEMORY;
    for (int64_t t = 0; t < b->times; t++) {
        double beta = schedule->betas[t];
        if (!(beta > 0)) {
            return context_fail(b->learning.context, SUMI_ERROR_ARGUMENT,
                                "train.objective = betas needs initial betas above 0, but beta at "
                                "time %lld is %g; choose another noise.schedule",
                                (long long)t, beta);
        }
        b->first[t] = (float)log(beta / (1 - fmin(beta, 1 - 1e-6)));
    }
    return SUMI_OK;
}

static sumi_status prepare(struct betas *b)
{
    sumi_solver *solver = NULL;
    const struct noise_path *path = NULL;
    TRY(sumi_model_solver(b->learning.model, NULL, &solver));
    sumi_status status = solver_path(solver, &path);
    if (status == SUMI_OK) status = check_model(&b->learning, solver_options(solver), path);
    if (status == SUMI_OK) status = take_first(b, path->schedule);
    sumi_solver_free(solver);
    return status;
}

static sumi_status create(const struct learning *learning, struct objective *objective)
{
    struct betas *b = context_allocate_zeroed(learning->context, 1, sizeof *b);
    if (!b) return SUMI_ERROR_MEMORY;
    b->learning = *learning;
    b->seed = recipe_seed(learning->recipe, "train.seed");
    b->batch = portion_of(learning->recipe, 0).count;
    b->size = model_item_size(learning->model);
    sumi_status status = prepare(b);
    *objective = (struct objective){
        .user = b, .build = build, .feed = feed, .publish = publish, .release = release};
    if (status != SUMI_OK) release(b);
    return status;
}

const struct objective_type objective_betas = {.name = "betas", .create = create};

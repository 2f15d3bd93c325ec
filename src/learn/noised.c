/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and noising the batch of a step (Ho et al. 2020, eq. 4); see noised.h. */
#include "learn/noised.h"

#include <math.h>

#include "base/philox.h"
#include "base/team.h"
#include "ops/ops.h"
#include "solvers/places.h"
#include "vectors/rows.h"

/* Opens the solver that the model will be sampled with, and reads its path and options. */
static sumi_status open_solver(struct noised *noised, bool labelled)
{
    const struct learning *learning = &noised->learning;
    TRY(labelled ? model_path_solver(learning->context, learning->model, &noised->solver)
                 : sumi_model_solver(learning->model, NULL, &noised->solver));
    TRY(solver_schedule(noised->solver, &noised->schedule));
    TRY(solver_path(noised->solver, &noised->path));
    noised->options = solver_options(noised->solver);
    noised->prediction = (enum prediction_type)noised->options->prediction_type;
    return SUMI_OK;
}

static sumi_status take_memory(struct noised *noised, bool labelled)
{
    sumi_context *context = noised->learning.context;
    size_t batch = (size_t)noised->batch, count = batch * (size_t)noised->item_size;
    noised->clean = context_allocate(context, count, sizeof *noised->clean);
    noised->noise = context_allocate(context, count, sizeof *noised->noise);
    noised->places = context_allocate(context, batch, sizeof *noised->places);
    if (!noised->clean || !noised->noise || !noised->places) return SUMI_ERROR_MEMORY;
    if (!labelled && !sumi_model_classes(noised->learning.model)) return SUMI_OK;
    noised->labels = context_allocate(context, batch, sizeof *noised->labels);
    return noised->labels ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static sumi_status open_with(const struct learning *learning, bool labelled, struct noised *noised)
{
    *noised = (struct noised){.learning = *learning,
                              .seed = recipe_seed(learning->recipe, "train.seed"),
                              .batch = portion_of(learning->recipe, 0).count,
                              .item_size = model_item_size(learning->model),
                              .label_dropout = label_dropout_of(learning)};
    TRY(open_solver(noised, labelled));
    TRY(take_memory(noised, labelled));
    TRY(times_open(learning, noised->path, places_shift(noised->options), &noised->draws));
    return coupling_open(learning, noised->batch, &noised->coupling);
}

sumi_status noised_open(const struct learning *learning, struct noised *noised)
{
    return open_with(learning, false, noised);
}

sumi_status noised_open_labelled(const struct learning *learning, struct noised *noised)
{
    return open_with(learning, true, noised);
}

void noised_release(struct noised *noised)
{
    sumi_context *context = noised->learning.context;
    sumi_solver_free(noised->solver);
    context_release(context, noised->clean);
    context_release(context, noised->noise);
    context_release(context, noised->labels);
    context_release(context, noised->places);
    times_release(context, &noised->draws);
    coupling_release(context, &noised->coupling);
}

void noised_free(void *user)
{
    struct noised *noised = user;
    noised_release(noised);
    context_release(noised->learning.context, noised);
}

sumi_node noised_input(const struct noised *noised, sumi_graph *graph, const char *name, bool each)
{
    int64_t shape[SUMI_MAX_RANK + 1] = {noised->batch};
    int rank = 1 + sumi_model_shape(noised->learning.model, shape + 1);
    return sumi_graph_input(graph, name, each ? rank : 1, shape);
}

sumi_node noised_build(struct noised *noised, sumi_graph *graph)
{
    const struct net *net = noised->learning.model->net;
    struct net_nodes nodes;
    net_add_inputs(net, graph, noised->batch, NULL, &nodes);
    noised->x = nodes.at[NET_X];
    noised->times = nodes.at[NET_TIMES];
    noised->classes =
        sumi_model_classes(noised->learning.model) ? nodes.at[net_find_input(net, "class")] : -1;
    return net_build(net, graph, &nodes);
}

static void add_chances(struct noised *noised, sumi_graph *graph)
{
    bool importance = noised->draws.kind == TIMES_IMPORTANCE;
    noised->chances = importance ? noised_input(noised, graph, "chances", false) : -1;
}

sumi_node noised_loss(struct noised *noised, sumi_graph *graph, sumi_node losses)
{
    noised->losses = losses;
    add_chances(noised, graph);
    if (noised->chances >= 0) losses = sumi_op_multiply(graph, losses, noised->chances);
    return sumi_op_mean(graph, losses, 1u);
}

sumi_node noised_squared_error(struct noised *noised, sumi_graph *graph, sumi_node prediction,
                               sumi_node target, sumi_node weights)
{
    add_chances(noised, graph);
    sumi_node c = weights, chances = noised->chances;
    if (chances >= 0) c = weights < 0 ? chances : sumi_op_multiply(graph, weights, chances);
    if (c >= 0) c = sumi_op_affine(graph, c, 1.0 / (double)noised->batch, 0);
    sumi_node loss = ops_squared_error(graph, prediction, target, c, &noised->losses);
    if (weights >= 0) noised->losses = sumi_op_multiply(graph, noised->losses, weights);
    return loss;
}

static sumi_node observed(void *user)
{
    const struct noised *noised = user;
    return noised->losses;
}

static void observe(void *user, sumi_plan *plan)
{
    struct noised *noised = user;
    const float *losses = sumi_plan_data(plan, noised->losses);
    if (noised->draws.kind != TIMES_IMPORTANCE) return;
    for (int64_t i = 0; i < noised->batch; i++) {
        importance_note(&noised->draws.importance, noised->places[i].index, losses[i]);
    }
}

static int keep(void *user, struct kept kept[MOST_KEPT])
{
    const struct noised *noised = user;
    return importance_keep(&noised->draws.importance, kept);
}

struct objective noised_objective(void *user)
{
    return (struct objective){.user = user,
                              .observed = observed,
                              .observe = observe,
                              .keep = keep,
                              .release = noised_free};
}

/* ---- Numbers that are not finite ---- */

bool noised_holds(double value)
{
    return fabs(value) < 1e17; /* false for NaN */
}

static const char *judge_place(const struct noised *noised, const struct place *place, bool targets)
{
    double scale = path_input_scale(noised->path, &place->level);
    bool state =
        noised_holds(scale * place->level.signal) && noised_holds(scale * place->level.noise);
    if (!noised_holds(place->time)) return "the time that the network takes (noise.time)";
    if (!state) return "the noised item";
    if (!targets) return NULL;
    struct prediction_target wanted = path_target(noised->path, noised->prediction, &place->level);
    bool finite = noised_holds(wanted.of_clean) && noised_holds(wanted.of_noise);
    return finite ? NULL : "what the network should predict";
}

static const char *advice_for(const struct noised *noised, const struct place *place)
{
    bool noise = noised->prediction == PREDICTION_EPSILON || noised->prediction == PREDICTION_SCORE;
    if (place->level.signal >= 1e-6 * place->level.noise) {
        return "there is almost no noise; raise the least noise level or train another quantity";
    }
    return noise ? "no signal is left, so the noise does not determine the data; set "
                   "noise.prediction = v_prediction, or choose noise levels that keep some signal "
                   "(noise.zero_snr = no), or another weighting or objective"
                 : "no signal is left; choose noise levels that keep some, or another weighting or "
                   "objective";
}

sumi_status noised_check(const struct noised *noised, bool targets, noised_judge judge,
                         const void *user)
{
    struct place place;
    for (int64_t i = 0; times_visit(&noised->draws, i, &place); i++) {
        const char *what = judge_place(noised, &place, targets);
        if (!what && judge) what = judge(user, &place);
        if (!what) continue;
        return context_fail(noised->learning.context, SUMI_ERROR_ARGUMENT,
                            "with a prediction of type %s, %s has no finite value at time %g, "
                            "where signal is %.3g and noise %.3g: %s",
                            prediction_name(noised->prediction), what, place.time,
                            place.level.signal, place.level.noise, advice_for(noised, &place));
    }
    return SUMI_OK;
}

/* ---- Feeding ---- */

/* The number of threads that pays off for drawing a random number for each number of a batch. */
static int threads_for(const struct noised *noised)
{
    enum { WORK_OF_A_DRAW = 32 };
    return worthwhile_threads(noised->learning.context->threads,
                              WORK_OF_A_DRAW * noised->batch * noised->item_size);
}

/* Draws the noise of item i of a portion, keyed by the item's index in the step. */
static void draw_item(struct noised *noised, const struct portion *portion, int64_t i)
{
    const philox_stream stream = {noised->seed, PURPOSE_NOISE, (uint64_t)portion->step};
    uint64_t first = (uint64_t)((portion->first + i) * noised->item_size);
    philox_normal(&stream, first, noised->item_size, noised->noise + i * noised->item_size);
}

/* Called by every thread of a team. */
static void draw_items(struct noised *noised, const struct portion *portion)
{
#pragma omp for schedule(static)
    for (int64_t i = 0; i < noised->batch; i++) draw_item(noised, portion, i);
}

/* Reads the items of a feed, and draws their noise if the coupling depends on the whole batch;
   otherwise feed_item draws it, while the item is in cache. */
static sumi_status read_pairs(struct noised *noised, const struct portion *portion, int64_t feed)
{
    if (noised->coupling.kind == COUPLING_REFLOW) {
        coupling_read(&noised->coupling, feed, noised->clean, noised->noise, noised->labels);
        label_dropout_apply(&noised->label_dropout, portion, noised->labels);
        return SUMI_OK;
    }
    TRY(label_dropout_read(&noised->label_dropout, noised->learning.data, portion, feed,
                           noised->clean, noised->labels));
    if (noised->coupling.kind == COUPLING_INDEPENDENT) return SUMI_OK;
    int threads = threads_for(noised);
    BY_TEAM(threads, draw_items(noised, portion));
    coupling_match(&noised->coupling, noised->clean, noised->noise);
    return SUMI_OK;
}

/* Adds the noise to item i of a portion and writes its row of every input. */
static void feed_item(struct noised *noised, sumi_plan *plan, const struct portion *portion,
                      int64_t i)
{
    int64_t at = i * noised->item_size;
    struct place place = noised->places[i] =
        times_draw(&noised->draws, noised->seed, portion->step, portion->first + i);
    double scale = path_input_scale(noised->path, &place.level);
    const struct row_term terms[] = {{scale * place.level.signal, noised->clean + at},
                                     {scale * place.level.noise, noised->noise + at}};
    rows_combine(1, noised->item_size, sumi_plan_data(plan, noised->x) + at, 2, terms);
    sumi_plan_data(plan, noised->times)[i] = (float)place.time;
    if (noised->chances >= 0) sumi_plan_data(plan, noised->chances)[i] = (float)(1 / place.chance);
    if (noised->classes >= 0) net_put_integers(plan, noised->classes, i, 1, &noised->labels[i]);
}

void noised_target(const struct noised *noised, int64_t item, float *target)
{
    int64_t size = noised->item_size, at = item * size;
    struct prediction_target wanted =
        path_target(noised->path, noised->prediction, &noised->places[item].level);
    prediction_fill(&wanted, 1, size, noised->clean + at, noised->noise + at, target + at);
}

/* Called by every thread of a team. */
static void feed_items(struct noised *noised, sumi_plan *plan, const struct portion *portion,
                       void (*finish)(void *user, sumi_plan *plan, int64_t item), void *user)
{
#pragma omp for schedule(static)
    for (int64_t i = 0; i < noised->batch; i++) {
        if (noised->coupling.kind == COUPLING_INDEPENDENT) draw_item(noised, portion, i);
        feed_item(noised, plan, portion, i);
        if (finish) finish(user, plan, i);
    }
}

sumi_status noised_feed(struct noised *noised, sumi_plan *plan, int64_t feed,
                        void (*finish)(void *user, sumi_plan *plan, int64_t item), void *user)
{
    const struct portion portion = portion_of(noised->learning.recipe, feed);
    TRY(read_pairs(noised, &portion, feed));
    times_prepare(&noised->draws);
    int threads = threads_for(noised);
    BY_TEAM(threads, feed_items(noised, plan, &portion, finish, user));
    return SUMI_OK;
}

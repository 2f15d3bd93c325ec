/* SPDX-License-Identifier: Apache-2.0 */
/* A continuous normalizing flow trained by maximum likelihood (Chen et al. 2018; Grathwohl et al.
   2019): the network is the right-hand side of a neural ODE dx/dt = f(x, t) that maps data, at t =
   0, to standard normal noise at t = 1, and

       log p(x(0)) = log N(x(1); 0, 1) + integral_0^1 tr(df/dx) dt

   (instantaneous change of variables). The integration, with steps of length h, is unrolled into
   the graph together with the traces, so that training differentiates derivatives and optimises the
   discretised flow. The length of the first step is random in each evaluation, and the last one is
   the rest, so that the network is trained at all times and not only at those of one grid. For
   points the trace is exact, with one product for each number; for larger items it is Hutchinson's
   estimate v' (df/dx) v with random signs v. With train.energy > 0 the loss includes the mean of
   |f|^2 along the trajectory, which keeps the flow straight (Finlay et al. 2020). */
#include <math.h>

#include "base/philox.h"
#include "learn/keys.h"
#include "learn/label_dropout.h"
#include "solvers/solver.h"

static const double bits_in_a_nat = 1.44269504088896340736;
static const double log_two_pi = 1.83787706640934548356;

const struct option flow_keys[] = {
    {WHOLE_OPTION("train.segments", "8", 1, 10000,
                  "number of steps of a flow that is trained by likelihood"),
     .when = "train.objective=likelihood"},
    {CHOICE_OPTION("train.method", "midpoint", "euler|midpoint|heun|rk4", "method of these steps"),
     .when = "train.objective=likelihood"},
    {NUMBER_OPTION("train.energy", "0", 0, 1e6, "weight of the flow's energy in the loss"),
     .when = "train.objective=likelihood"},
    {.name = NULL},
};

enum { EXACT_LIMIT = 4, MOST_STAGES = 4 };

/* A Runge-Kutta method in which stage i depends only on the slope of stage i - 1. */
struct method {
    const char *name;
    int stages;
    double places[MOST_STAGES]; /* of a step: how far stage i goes along the slope of stage i - 1 */
    double weights[MOST_STAGES];
};
static const struct method methods[] = {
    {"euler", 1, {0}, {1}},
    {"midpoint", 2, {0, 0.5}, {0, 1}},
    {"heun", 2, {0, 1}, {0.5, 0.5}},
    {"rk4", 4, {0, 0.5, 0.5, 1}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}},
};

struct flow {
    struct learning learning;
    const struct method *method;
    uint64_t seed;
    int64_t batch, size, segments; /* of the time from 0 to 1 */
    double times;                  /* the network's time input at t = 1 */
    double energy;
    int rank; /* of a batch */
    int64_t shape[SUMI_MAX_RANK + 1];
    int32_t *labels; /* [batch], NULL where the network takes no classes */
    struct label_dropout label_dropout;
    sumi_node x, probes, classes; /* probes: -1 where the trace is exact */
    sumi_node grid;               /* [segments + 1, 2]: where each step begins, and its length */
};

/* A state or its derivative: [n, item] and [n, 1, ...]. */
struct way {
    sumi_node x, trace, energy;
};

static sumi_node item_sums(const struct flow *f, sumi_graph *graph, sumi_node x)
{
    return sumi_op_sum(graph, x, ((1u << f->rank) - 1) & ~1u);
}

/* The sum over items of v' f, whose derivative by x has each item's own v' (df/dx). */
static sumi_node pull(const struct flow *f, sumi_graph *graph, sumi_node x, sumi_node slope,
                      sumi_node v)
{
    sumi_node along = sumi_op_multiply(graph, slope, v), product = -1;
    if (along < 0) return -1;
    sumi_node sum = sumi_op_sum(graph, along, (1u << f->rank) - 1);
    if (sumi_graph_gradients(graph, sum, 1, &x, &product) != SUMI_OK) return -1;
    return item_sums(f, graph, sumi_op_multiply(graph, product, v));
}

/* tr(df/dx) of each item. */
static sumi_node trace(const struct flow *f, sumi_graph *graph, sumi_node x, sumi_node slope)
{
    float unit[EXACT_LIMIT];
    sumi_node sum = -1;
    if (f->probes >= 0) return pull(f, graph, x, slope, f->probes);
    for (int64_t i = 0; i < f->size; i++) {
        for (int64_t k = 0; k < f->size; k++) unit[k] = k == i;
        sumi_node v = sumi_graph_constant(graph, f->rank - 1, f->shape + 1, unit);
        v = sumi_op_broadcast(graph, v, f->rank, f->shape);
        sumi_node part = pull(f, graph, x, slope, v);
        sum = i == 0 ? part : sumi_op_add(graph, sum, part);
    }
    return sum;
}

static struct way look(const struct flow *f, sumi_graph *graph, sumi_node x, sumi_node t)
{
    struct way way = {-1, -1, -1};
    sumi_node time = sumi_op_affine(graph, t, f->times, 0);
    const struct net *net = f->learning.model->net;
    struct net_nodes inputs = net_nodes_of(x, sumi_op_broadcast(graph, time, 1, &f->batch));
    if (f->labels) inputs.at[net_find_input(net, "class")] = f->classes;
    way.x = net_build(net, graph, &inputs);
    way.trace = trace(f, graph, x, way.x);
    way.energy = item_sums(f, graph, sumi_op_multiply(graph, way.x, way.x));
    return way;
}

/* from + share length slope */
static sumi_node advance(sumi_graph *graph, sumi_node from, sumi_node slope, sumi_node length,
                         double share)
{
    sumi_node scale = sumi_op_affine(graph, length, share, 0);
    return sumi_op_add(graph, from, sumi_op_multiply(graph, slope, scale));
}

/* A number of the grid, of rank 0. */
static sumi_node grid_number(const struct flow *f, sumi_graph *graph, int64_t step, int column)
{
    sumi_node row = sumi_op_slice(graph, f->grid, 0, step, 1);
    return sumi_op_reshape(graph, sumi_op_slice(graph, row, 1, column, 1), 0, NULL);
}

static void take_step(const struct flow *f, sumi_graph *graph, struct way *way, int64_t number)
{
    const struct method *method = f->method;
    sumi_node start = grid_number(f, graph, number, 0), length = grid_number(f, graph, number, 1);
    sumi_node begin = way->x, at = begin;
    for (int i = 0; i < method->stages; i++) {
        double weight = method->weights[i];
        struct way slope =
            look(f, graph, at,
                 advance(graph, start, length, sumi_graph_number(graph, 1), method->places[i]));
        if (weight > 0) {
            way->x = advance(graph, way->x, slope.x, length, weight);
            way->trace = advance(graph, way->trace, slope.trace, length, weight);
            way->energy = advance(graph, way->energy, slope.energy, length, weight);
        }
        if (i + 1 < method->stages) {
            at = advance(graph, begin, slope.x, length, method->places[i + 1]);
        }
    }
}

/* The mean over items of -log2 p, plus the energy term. */
static sumi_node build(void *user, sumi_graph *graph)
{
    struct flow *f = user;
    f->x = sumi_graph_input(graph, "x", f->rank, f->shape);
    f->probes = f->size > EXACT_LIMIT ? sumi_graph_input(graph, "probes", f->rank, f->shape) : -1;
    f->classes = f->labels ? sumi_graph_typed_input(graph, "class", SUMI_INT32, 1, &f->batch) : -1;
    const int64_t grid[2] = {f->segments + 1, 2};
    f->grid = sumi_graph_input(graph, "grid", 2, grid);
    sumi_node nothing = sumi_op_affine(graph, item_sums(f, graph, f->x), 0, 0);
    struct way way = {f->x, nothing, nothing};
    for (int64_t i = 0; i <= f->segments; i++) take_step(f, graph, &way, i);
    sumi_node squares = item_sums(f, graph, sumi_op_multiply(graph, way.x, way.x));
    sumi_node loss = sumi_op_affine(graph, squares, 0.5, 0.5 * log_two_pi * (double)f->size);
    loss = sumi_op_subtract(graph, loss, way.trace);
    loss = sumi_op_add(graph, loss, sumi_op_affine(graph, way.energy, f->energy, 0));
    if (loss < 0) return -1;
    sumi_node mean = sumi_op_mean(graph, loss, (1u << f->rank) - 1);
    return sumi_op_affine(graph, sumi_op_reshape(graph, mean, 0, NULL), bits_in_a_nat, 0);
}

/* Steps of length h, the first cut to a random part of it and the last to the rest. */
static void draw_grid(const struct flow *f, int64_t step, float *grid)
{
    const philox_stream stream = {f->seed, PURPOSE_TIME, (uint64_t)step};
    double h = 1 / (double)f->segments, place = 0, next = h * philox_uniform(&stream, 0);
    for (int64_t i = 0; i <= f->segments; i++) {
        grid[2 * i] = (float)place;
        grid[2 * i + 1] = (float)(next - place);
        place = next;
        next = fmin(next + h, 1);
    }
}

static sumi_status feed(void *user, sumi_plan *plan, int64_t number)
{
    struct flow *f = user;
    const struct portion portion = portion_of(f->learning.recipe, number);
    float *x = sumi_plan_data(plan, f->x);
    TRY(label_dropout_read(&f->label_dropout, f->learning.data, &portion, number, x, f->labels));
    draw_grid(f, portion.step, sumi_plan_data(plan, f->grid));
    if (f->labels) net_put_integers(plan, f->classes, 0, f->batch, f->labels);
    if (f->probes < 0) return SUMI_OK;
    const philox_stream stream = {f->seed, PURPOSE_NOISE, (uint64_t)portion.step};
    float *probes = sumi_plan_data(plan, f->probes);
    for (int64_t i = 0; i < f->batch * f->size; i++) {
        probes[i] = philox_below(&stream, (uint64_t)(portion.first * f->size + i), 2) ? 1 : -1;
    }
    return SUMI_OK;
}

/* ---- Preparing ---- */

static void release(void *user)
{
    struct flow *f = user;
    context_release(f->learning.context, f->labels);
    context_release(f->learning.context, f);
}

/* Requires the path and prediction that this objective trains. */
static sumi_status check_path(struct flow *f)
{
    sumi_solver *solver = NULL;
    const struct noise_path *path = NULL;
    TRY(sumi_model_solver(f->learning.model, NULL, &solver));
    sumi_status status = solver_path(solver, &path);
    if (status == SUMI_OK) {
        enum prediction_type type = (enum prediction_type)solver_options(solver)->prediction_type;
        bool velocity = type == PREDICTION_FLOW || type == PREDICTION_VELOCITY;
        bool discrete =
            path->time_kind == TIME_DISCRETE; /* other time inputs are infinite at t = 1 */
        if (discrete) f->times = path_time_of(path, 1);
        if (path->kind != PATH_FLOW || !velocity || !discrete) {
            status = context_fail(f->learning.context, SUMI_ERROR_ARGUMENT,
                                  "train.objective = likelihood trains the velocity of a flow: set"
                                  " noise.path = flow, noise.prediction = flow_prediction and"
                                  " noise.time = discrete");
        }
    }
    sumi_solver_free(solver);
    return status;
}

static void choose_method(struct flow *f)
{
    f->method = methods;
    while (!recipe_is(f->learning.recipe, "train.method", f->method->name)) f->method++;
}

static sumi_status create(const struct learning *learning, struct objective *objective)
{
    struct flow *f = context_allocate_zeroed(learning->context, 1, sizeof *f);
    if (!f) return SUMI_ERROR_MEMORY;
    f->learning = *learning;
    f->seed = recipe_seed(learning->recipe, "train.seed");
    f->batch = f->shape[0] = portion_of(learning->recipe, 0).count;
    f->rank = 1 + sumi_model_shape(learning->model, f->shape + 1);
    f->size = model_item_size(learning->model);
    f->segments = recipe_int(learning->recipe, "train.segments");
    f->energy = recipe_number(learning->recipe, "train.energy");
    f->label_dropout = label_dropout_of(learning);
    choose_method(f);
    sumi_status status = check_path(f);
    if (status == SUMI_OK && sumi_model_classes(learning->model)) {
        f->labels = context_allocate(learning->context, (size_t)f->batch, sizeof *f->labels);
        if (!f->labels) status = SUMI_ERROR_MEMORY;
    }
    *objective = (struct objective){.user = f, .build = build, .feed = feed, .release = release};
    if (status != SUMI_OK) release(f);
    return status;
}

const struct objective_type objective_likelihood = {.name = "likelihood", .create = create};

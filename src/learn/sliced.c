/* SPDX-License-Identifier: Apache-2.0 */
/* Sliced score matching (Song, Garg, Shi, Ermon 2019, eq. 8, the form with reduced variance): the
   score s of the noised data is learned without the noise as a target, from

       E_v [ v' (ds/dx) v ] + |s|^2 / 2

   whose minimum is the score itself (Hyvarinen 2005). v has random signs, so that E vv' = I. The
   first term is the derivative of v's along v, so that training differentiates a derivative. All
   noise levels have equal influence: each loss is weighted by s(t)^2, as for denoising (Song &
   Ermon 2019, eq. 6). */
#include "learn/noised.h"

#include "base/philox.h"

struct sliced {
    struct noised noised; /* first: noised_observe and its like cast `user` to this */
    int rank;             /* of a batch */
    sumi_node directions; /* [batch, item], of -1 and 1 */
    /* for each item: the score is of_state x + of_prediction p; and the weight of the loss */
    sumi_node of_state, of_prediction, weights;
};

/* numbers[n] times x[n, item]. */
static sumi_node scale_items(const struct sliced *s, sumi_graph *graph, sumi_node numbers,
                             sumi_node x)
{
    int64_t shape[SUMI_MAX_RANK] = {s->noised.batch};
    for (int i = 1; i < s->rank; i++) shape[i] = 1;
    return sumi_op_multiply(graph, sumi_op_reshape(graph, numbers, s->rank, shape), x);
}

/* v (ds/dx) v of every number, from the derivative of the sum of all v s, because items are
   independent. */
static sumi_node curvature(const struct sliced *s, sumi_graph *graph, sumi_node score)
{
    sumi_node along = sumi_op_multiply(graph, score, s->directions), slope = -1;
    if (along < 0) return -1;
    sumi_node sum = sumi_op_sum(graph, along, (1u << s->rank) - 1);
    if (sumi_graph_gradients(graph, sum, 1, &s->noised.x, &slope) != SUMI_OK) return -1;
    return sumi_op_multiply(graph, slope, s->directions);
}

static sumi_node build(void *user, sumi_graph *graph)
{
    struct sliced *s = user;
    struct noised *noised = &s->noised;
    sumi_node prediction = noised_build(noised, graph);
    s->directions = noised_input(noised, graph, "directions", true);
    s->of_state = noised_input(noised, graph, "of_state", false);
    s->of_prediction = noised_input(noised, graph, "of_prediction", false);
    s->weights = noised_input(noised, graph, "weights", false);
    sumi_node score = sumi_op_add(graph, scale_items(s, graph, s->of_state, noised->x),
                                  scale_items(s, graph, s->of_prediction, prediction));
    sumi_node half = sumi_op_affine(graph, sumi_op_multiply(graph, score, score), 0.5, 0);
    sumi_node each = sumi_op_add(graph, curvature(s, graph, score), half);
    sumi_node losses = objective_item_means(graph, each);
    return noised_loss(noised, graph, sumi_op_multiply(graph, losses, s->weights));
}

/* score = -e / s, with e from the model's prediction. */
struct numbers {
    double of_state, of_prediction, weight;
};

static struct numbers numbers_at(const struct sliced *s, const struct place *place)
{
    const struct noise_level *level = &place->level;
    struct prediction_map map = path_map(s->noised.path, s->noised.prediction, level);
    return (struct numbers){-map.noise_state / level->noise, -map.noise_prediction / level->noise,
                            level->noise * level->noise};
}

static void finish_item(void *user, sumi_plan *plan, int64_t item)
{
    const struct sliced *s = user;
    struct numbers numbers = numbers_at(s, &s->noised.places[item]);
    sumi_plan_data(plan, s->of_state)[item] = (float)numbers.of_state;
    sumi_plan_data(plan, s->of_prediction)[item] = (float)numbers.of_prediction;
    sumi_plan_data(plan, s->weights)[item] = (float)numbers.weight;
}

static const char *judge(const void *user, const struct place *place)
{
    struct numbers numbers = numbers_at(user, place);
    bool finite = noised_holds(numbers.of_state) && noised_holds(numbers.of_prediction)
                  && noised_holds(numbers.weight);
    return finite ? NULL : "the score";
}

static sumi_status feed(void *user, sumi_plan *plan, int64_t number)
{
    struct sliced *s = user;
    const struct portion portion = portion_of(s->noised.learning.recipe, number);
    const philox_stream stream = {s->noised.seed, PURPOSE_DIRECTION, (uint64_t)portion.step};
    int64_t size = s->noised.item_size, count = s->noised.batch * size;
    float *directions = sumi_plan_data(plan, s->directions);
    philox_normal(&stream, (uint64_t)(portion.first * size), count, directions);
    for (int64_t i = 0; i < count; i++) directions[i] = directions[i] < 0 ? -1 : 1;
    return noised_feed(&s->noised, plan, number, finish_item, s);
}

static sumi_status check(const struct sliced *s)
{
    sumi_context *context = s->noised.learning.context;
    if (s->noised.options->variance_type >= VARIANCE_LEARNED) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "train.objective = sliced trains no variance; set noise.variance = "
                            "fixed_small");
    }
    if (s->noised.path->kind != PATH_EDM) return noised_check(&s->noised, false, judge, s);
    return context_fail(
        context, SUMI_ERROR_ARGUMENT,
        "train.objective = sliced cannot train the preconditioned networks of noise.path = edm");
}

static sumi_status create(const struct learning *learning, struct objective *objective)
{
    struct sliced *s = context_allocate_zeroed(learning->context, 1, sizeof *s);
    int64_t shape[SUMI_MAX_RANK];
    if (!s) return SUMI_ERROR_MEMORY;
    s->rank = 1 + sumi_model_shape(learning->model, shape);
    sumi_status status = noised_open(learning, &s->noised);
    if (status == SUMI_OK) status = check(s);
    *objective = noised_objective(s);
    objective->build = build;
    objective->feed = feed;
    if (status != SUMI_OK) noised_free(s);
    return status;
}

const struct objective_type objective_sliced = {.name = "sliced", .create = create};

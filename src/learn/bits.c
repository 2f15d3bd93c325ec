/* SPDX-License-Identifier: Apache-2.0 */
/* Binomial diffusion (Sohl-Dickstein et al. 2015): the network gets bits, some of them flipped, and
   predicts for each the log-odds that it differs from the data's. From these follows the
   probability that the reverse step flips it. The loss is the bound on -log2 p(x0): the sum of the
   divergences between the Bernoulli distributions of the steps, and the coding cost of the last
   step. Each item is noised to one time; the times of a batch are spread evenly over the
   schedule. */
#include <math.h>

#include "base/philox.h"
#include "learn/noised.h"
#include "noise/binomial.h"

static const double bits_in_a_nat = 1.44269504088896340736;

struct bits {
    struct noised noised; /* first, for noised_free; only its inputs and memory are used */
    /* [n, item]: q(x_{t-1} != x_t | x_t, x0) */
    sumi_node truth;
    /* [n, 1]: p = kept + gap share, 1 - p = stays + gap (1 - share); the mean entropy of truth */
    sumi_node kept, stays, gap, entropy;
};

static sumi_node number_input(const struct bits *b, sumi_graph *graph, const char *name)
{
    const int64_t shape[2] = {b->noised.batch, 1};
    return sumi_graph_input(graph, name, 2, shape);
}

/* log(floor + least + gap share); `least` avoids the logarithm of zero. */
static sumi_node log_probability(sumi_graph *graph, sumi_node least, sumi_node gap, sumi_node share)
{
    sumi_node sum = sumi_op_add(graph, least, sumi_op_multiply(graph, gap, share));
    return sumi_op_log(graph, sumi_op_affine(graph, sum, 1, 1e-30));
}

/* Mean over items of T sum over bits KL(truth || p), in bits of information. */
static sumi_node build(void *user, sumi_graph *graph)
{
    struct bits *b = user;
    sumi_node log_odds = noised_build(&b->noised, graph);
    b->truth = noised_input(&b->noised, graph, "truth", true);
    b->kept = number_input(b, graph, "kept");
    b->stays = number_input(b, graph, "stays");
    b->gap = number_input(b, graph, "gap");
    b->entropy = number_input(b, graph, "entropy");
    sumi_node share = sumi_op_sigmoid(graph, log_odds);
    sumi_node other = sumi_op_sigmoid(graph, sumi_op_affine(graph, log_odds, -1, 0));
    sumi_node flips = log_probability(graph, b->kept, b->gap, share);
    sumi_node not = log_probability(graph, b->stays, b->gap, other);
    sumi_node inverse = sumi_op_affine(graph, b->truth, -1, 1);
    sumi_node cross = sumi_op_add(graph, sumi_op_multiply(graph, b->truth, flips),
                                  sumi_op_multiply(graph, inverse, not ));
    if (cross < 0) return -1;
    unsigned all = (1u << graph_shape(graph, cross)->rank) - 1;
    sumi_node mean_cross = sumi_op_reshape(graph, sumi_op_mean(graph, cross, all), 0, NULL);
    sumi_node entropy = sumi_op_reshape(graph, sumi_op_mean(graph, b->entropy, 3u), 0, NULL);
    sumi_node mean = sumi_op_add(graph, mean_cross, entropy);
    double weight = bits_in_a_nat * (double)b->noised.schedule->count;
    return sumi_op_affine(graph, mean, -weight * (double)b->noised.item_size, 0);
}

/* The time of item `number` of `batch`: evenly spaced over the schedule, with one random offset per
   step. */
static int64_t draw_time(const struct noised *noised, int64_t step, int64_t number, int64_t batch)
{
    const philox_stream stream = {noised->seed, PURPOSE_TIME, (uint64_t)step};
    double place = ((double)number + philox_uniform(&stream, 0)) / (double)batch;
    int64_t time = (int64_t)(place * (double)noised->schedule->count);
    return time < noised->schedule->count ? time : noised->schedule->count - 1;
}

/* Flips the bits of item i, and writes the true probabilities of the reverse step. */
static void feed_bits(struct bits *b, sumi_plan *plan, const philox_stream *stream, int64_t number,
                      int64_t i, double product, const struct binomial_back *back)
{
    int64_t size = b->noised.item_size, at = i * size;
    const float *clean = b->noised.clean + at;
    float *x = sumi_plan_data(plan, b->noised.x) + at, *truth = sumi_plan_data(plan, b->truth) + at;
    double flipped = binomial_flipped(product), entropy = 0;
    for (int64_t k = 0; k < size; k++) {
        bool flips = philox_uniform(stream, (uint64_t)(number * size + k)) < flipped;
        double probability = flips ? back->flipped : back->kept;
        x[k] = flips ? -clean[k] : clean[k];
        truth[k] = (float)probability;
        entropy += binomial_entropy(probability) / (double)size;
    }
    sumi_plan_data(plan, b->entropy)[i] = (float)entropy;
}

static void feed_item(struct bits *b, sumi_plan *plan, const struct portion *portion, int64_t i)
{
    const struct noised *noised = &b->noised;
    const philox_stream stream = {noised->seed, PURPOSE_NOISE, (uint64_t)portion->step};
    int64_t number = portion->first + i;
    int64_t batch = recipe_int(noised->learning.recipe, "train.batch");
    int64_t time = draw_time(noised, portion->step, number, batch);
    const float *products = noised->schedule->alphas_cumprod;
    double product = products[time];
    struct binomial_back back = binomial_back(product, time > 0 ? products[time - 1] : 1);
    feed_bits(b, plan, &stream, number, i, product, &back);
    sumi_plan_data(plan, noised->times)[i] = (float)time;
    sumi_plan_data(plan, b->kept)[i] = (float)back.kept;
    sumi_plan_data(plan, b->stays)[i] = (float)(1 - back.flipped);
    sumi_plan_data(plan, b->gap)[i] = (float)(back.flipped - back.kept);
    if (noised->labels) net_put_integers(plan, noised->classes, i, 1, &noised->labels[i]);
}

static sumi_status feed(void *user, sumi_plan *plan, int64_t number)
{
    struct bits *b = user;
    struct noised *noised = &b->noised;
    const struct portion portion = portion_of(noised->learning.recipe, number);
    TRY(label_dropout_read(&noised->label_dropout, noised->learning.data, &portion, number,
                           noised->clean, noised->labels));
    for (int64_t i = 0; i < noised->batch * noised->item_size; i++) {
        if (fabsf(noised->clean[i]) == 1) continue;
        return context_fail(noised->learning.context, SUMI_ERROR_ARGUMENT,
                            "train.objective = bits needs data of -1 and 1, but item %lld of step "
                            "%lld has the number %g",
                            (long long)(i / noised->item_size), (long long)portion.step,
                            (double)noised->clean[i]);
    }
    for (int64_t i = 0; i < noised->batch; i++) feed_item(b, plan, &portion, i);
    return SUMI_OK;
}

static sumi_status create(const struct learning *learning, struct objective *objective)
{
    struct bits *b = context_allocate_zeroed(learning->context, 1, sizeof *b);
    if (!b) return SUMI_ERROR_MEMORY;
    sumi_status status = noised_open(learning, &b->noised);
    *objective =
        (struct objective){.user = b, .build = build, .feed = feed, .release = noised_free};
    if (status != SUMI_OK) noised_free(b);
    return status;
}

const struct objective_type objective_bits = {.name = "bits", .create = create, .of_bits = true};

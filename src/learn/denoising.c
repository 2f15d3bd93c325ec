/* SPDX-License-Identifier: Apache-2.0 */
/* Denoising (Ho et al. 2020, algorithm 1 and eq. 14): the network gets noised items and predicts
   the noise, the clean item, v, the score or the velocity; the loss is the weighted squared
   error. */
#include "learn/noised.h"
#include "learn/weighting.h"

struct denoising {
    struct noised noised; /* first: noised_observe and its like cast `user` to this */
    struct weighting weighting;
    sumi_node target, weights; /* weights: -1 where all are one */
};

static sumi_node build(void *user, sumi_graph *graph)
{
    struct denoising *d = user;
    sumi_node prediction = noised_build(&d->noised, graph);
    d->target = noised_input(&d->noised, graph, "target", true);
    d->weights = d->weighting.kind == WEIGHTING_SIMPLE
                     ? -1
                     : noised_input(&d->noised, graph, "weights", false);
    return noised_squared_error(&d->noised, graph, prediction, d->target, d->weights);
}

/* Writes the target of an item and its weight. */
static void finish_item(void *user, sumi_plan *plan, int64_t item)
{
    const struct denoising *d = user;
    noised_target(&d->noised, item, sumi_plan_data(plan, d->target));
    if (d->weights < 0) return;
    sumi_plan_data(plan, d->weights)[item] =
        (float)weighting_at(&d->weighting, &d->noised, &d->noised.places[item]);
}

static sumi_status feed(void *user, sumi_plan *plan, int64_t number)
{
    struct denoising *d = user;
    return noised_feed(&d->noised, plan, number, finish_item, d);
}

/* The mean over times of the weighted square of the target, c x0 + n e, with x0 and e
   independent. */
static double zero_loss(void *user, double mean_square)
{
    enum { DRAWS = 256 };
    struct denoising *d = user;
    struct noised *noised = &d->noised;
    double sum = 0;
    times_prepare(&noised->draws);
    for (int64_t i = 0; i < DRAWS; i++) {
        struct place place = times_draw(&noised->draws, noised->seed, 0, i);
        struct prediction_target wanted =
            path_target(noised->path, noised->prediction, &place.level);
        sum +=
            weighting_at(&d->weighting, noised, &place)
            * (wanted.of_clean * wanted.of_clean * mean_square + wanted.of_noise * wanted.of_noise);
    }
    return sum / DRAWS;
}

static sumi_status check_variance(const struct noised *noised)
{
    if (noised->options->variance_type < VARIANCE_LEARNED) return SUMI_OK;
    return context_fail(noised->learning.context, SUMI_ERROR_ARGUMENT,
                        "train.objective = denoising does not train the variance that the network "
                        "also outputs (variance_type \"learned_range\"); use hybrid or "
                        "variational");
}

/* Checks the weight and its product with the square of the target. A weight beyond 1e14 is an
   infinite one at the end of a path, up to rounding. */
static const char *judge(const void *user, const struct place *place)
{
    const struct denoising *d = user;
    const struct noised *noised = &d->noised;
    double weight = weighting_at(&d->weighting, noised, place);
    struct prediction_target wanted = path_target(noised->path, noised->prediction, &place->level);
    double square = wanted.of_clean * wanted.of_clean + wanted.of_noise * wanted.of_noise;
    return weight < 1e14 && weight * square < 1e34 ? NULL
                                                   : "the weight of a loss (train.weighting)";
}

static sumi_status create(const struct learning *learning, struct objective *objective)
{
    struct denoising *d = context_allocate_zeroed(learning->context, 1, sizeof *d);
    if (!d) return SUMI_ERROR_MEMORY;
    d->weighting = weighting_of(learning->recipe);
    sumi_status status = noised_open(learning, &d->noised);
    if (status == SUMI_OK) status = check_variance(&d->noised);
    if (status == SUMI_OK) status = noised_check(&d->noised, true, judge, d);
    *objective = noised_objective(d);
    objective->build = build;
    objective->feed = feed;
    objective->zero_loss = zero_loss;
    if (status != SUMI_OK) noised_free(d);
    return status;
}

const struct objective_type objective_denoising = {.name = "denoising", .create = create};

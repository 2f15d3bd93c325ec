/* SPDX-License-Identifier: Apache-2.0 */
/* Trainers: creating one, taking a step (step_plan.c has its computation), and swapping the
   averaged weights in and out. */
#include "learn/trainer.h"

#include <math.h>
#include <string.h>

#include "base/structure.h"
#include "data/buckets.h"
#include "learn/keys.h"
#include "models/auto_encoder.h"

const struct option trainer_keys[] = {
    {WHOLE_OPTION("train.steps", "2000", 1, 1e12, "optimizer steps")},
    {WHOLE_OPTION("train.batch", "64", 1, 1 << 20, "items in each step")},
    {.name = NULL},
};

const struct option train_seed_keys[] = {
    {SEED_OPTION("train.seed", "0", "seed of weights, noise, times, order and dropout")},
    {.name = NULL},
};

sumi_status trainer_reserve_losses(sumi_trainer *trainer, int64_t count)
{
    if (count <= trainer->losses_capacity) return SUMI_OK;
    int64_t capacity = count < 1024 ? 1024 : 2 * count;
    float *losses = context_allocate(trainer->context, (size_t)capacity, sizeof *losses);
    if (!losses) return SUMI_ERROR_MEMORY;
    if (trainer->step) memcpy(losses, trainer->losses, (size_t)trainer->step * sizeof *losses);
    context_release(trainer->context, trainer->losses);
    trainer->losses = losses;
    trainer->losses_capacity = capacity;
    return SUMI_OK;
}

static void release_objective(const struct objective *objective)
{
    if (objective->release) objective->release(objective->user);
}

/* The initial capacity for losses: for a whole run of usual length, so that no step allocates. */
static int64_t first_losses(const sumi_trainer *trainer)
{
    enum { USUAL = 1 << 20 };
    return trainer->steps < USUAL ? trainer->steps : USUAL;
}

/* The optimizer of each learner, for its own weights. */
static sumi_status make_optimizers(sumi_trainer *trainer)
{
    sumi_weights *weights = trainer->weights;
    struct optimizer_settings settings = optimizer_settings_of(trainer->recipe);
    bool *takes = context_allocate(trainer->context, (size_t)weights->count + 1, sizeof *takes);
    sumi_status status = takes ? SUMI_OK : SUMI_ERROR_MEMORY;
    settings.takes = takes;
    for (int k = 0; k < trainer->learner_count && status == SUMI_OK; k++) {
        struct learner *learner = &trainer->learners[k];
        for (int64_t i = 0; i < weights->count; i++)
            takes[i] = trainer_learner_of(trainer, i) == learner;
        status = optimizer_create(weights, &settings, &learner->optimizer);
    }
    context_release(trainer->context, takes);
    return status;
}

/* Creates a trainer with so many plans, whose objectives are to be set. */
static sumi_status begin(sumi_context *context, const sumi_recipe *recipe, sumi_weights *weights,
                         int plan_count, sumi_trainer **trainer)
{
    *trainer = context_allocate_zeroed(context, 1, sizeof **trainer);
    if (!*trainer) return SUMI_ERROR_MEMORY;
    sumi_trainer *made = *trainer;
    *made = (sumi_trainer){.context = context,
                           .recipe = recipe,
                           .weights = weights,
                           .batch = recipe_int(recipe, "train.batch"),
                           .parts = recipe_int(recipe, "train.accumulate"),
                           .seed = recipe_seed(recipe, "train.seed"),
                           .steps = recipe_int(recipe, "train.steps")};
    made->plans = context_allocate_zeroed(context, (size_t)plan_count, sizeof *made->plans);
    made->plan_count = made->plans ? plan_count : 0;
    return made->plans ? SUMI_OK : SUMI_ERROR_MEMORY;
}

/* Plans the objectives, and makes what the steps need. */
static sumi_status prepare(sumi_trainer *trainer)
{
    TRY(trainer_plan(trainer));
    TRY(make_optimizers(trainer));
    return trainer_reserve_losses(trainer, first_losses(trainer));
}

/* Frees a trainer that could not be completed. */
static sumi_status complete(sumi_status status, sumi_trainer **trainer)
{
    if (status == SUMI_OK) return SUMI_OK;
    sumi_trainer_free(*trainer);
    *trainer = NULL;
    return status;
}

sumi_status sumi_trainer_create_custom(sumi_context *context, const sumi_recipe *recipe,
                                       sumi_weights *weights, const sumi_objective *objective,
                                       sumi_trainer **trainer)
{
    static const char *const sections[] = {"train", NULL};
    sumi_objective given;
    *trainer = NULL;
    TRY(recipe_refuse_keys(context, recipe, built_in_objective_tables,
                           "an objective of the caller's own"));
    TRY(recipe_check_read(context, recipe, sections));
    TRY(structure_read(context, "sumi_objective", objective, &given, sizeof given));
    const struct objective calls = {.user = given.user, .build = given.build, .feed = given.feed};
    sumi_status status = begin(context, recipe, weights, 1, trainer);
    if (status == SUMI_OK) {
        (*trainer)->plans->objective = calls;
        status = prepare(*trainer);
    }
    return complete(status, trainer);
}

/* A model for items of another size, over the same weights. */
static sumi_status resize(const sumi_model *model, const sumi_data *data, struct step_plan *made)
{
    made->model = *model;
    made->net = *model->net;
    made->model.net = &made->net;
    return net_set_size(&made->net, data->rank - 1, data->shape);
}

/* The state of an objective is that of one size. */
static sumi_status check_state(const struct learning *learning, const struct objective *objective)
{
    struct kept kept[MOST_KEPT];
    bool keeps = objective->keep && objective->keep(objective->user, kept) > 0;
    if (!keeps && !objective->publish) return SUMI_OK;
    return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                        "items of several sizes (data.heights) cannot be trained with "
                        "train.objective = %s and train.times = %s, which learn something beside "
                        "the network for items of one size",
                        recipe_text(learning->recipe, "train.objective"),
                        recipe_text(learning->recipe, "train.times"));
}

/* Creates the objective of a plan for items of one size of the data set. */
static sumi_status create_objective(const struct learning *whole, int size, bool opening,
                                    struct step_plan *made)
{
    struct learning learning = *whole;
    bool several = buckets_count(whole->data) > 1;
    learning.data = buckets_at(whole->data, size);
    learning.opening = opening;
    if (learning.data != whole->data && learning.model) {
        TRY(resize(whole->model, learning.data, made));
        learning.model = &made->model;
    }
    TRY(objective_create(&learning, &made->objective));
    return several ? check_state(whole, &made->objective) : SUMI_OK;
}

/* The objectives of a trainer's plans. */
static sumi_status create_objectives(const struct learning *learning, sumi_trainer *trainer)
{
    int sizes = buckets_count(learning->data);
    TRY(buckets_arrange(learning->data, trainer->seed, trainer->batch, trainer->parts));
    for (int i = 0; i < trainer->plan_count; i++)
        TRY(create_objective(learning, i % sizes, i >= sizes, &trainer->plans[i]));
    return SUMI_OK;
}

/* Looks at the data, for checkpoints and warnings. */
static sumi_status look_at_data(const struct learning *learning, sumi_trainer *trainer)
{
    const struct objective *objective = &trainer->plans->objective;
    double mean_square = 0;
    TRY(fingerprint_take(learning->data, &trainer->data));
    TRY(advice_before(learning, &mean_square));
    if (objective->zero_loss)
        trainer->course.zero_loss = objective->zero_loss(objective->user, mean_square);
    return SUMI_OK;
}

/* A trainer of what `learning` names, whose weights they are. */
static sumi_status create_for(const struct learning *learning, sumi_weights *weights,
                              sumi_trainer **trainer)
{
    static const char *const sections[] = {"train", NULL};
    sumi_context *context = learning->context;
    const sumi_recipe *recipe = learning->recipe;
    int64_t opening = objective_opening(recipe);
    *trainer = NULL;
    TRY(recipe_check_read(context, recipe, sections));
    TRY(weights_own_all(weights)); /* copies mapped weights, because training writes to them */
    int plans = buckets_count(learning->data) * (opening > 0 ? 2 : 1);
    sumi_status status = begin(context, recipe, weights, plans, trainer);
    if (status == SUMI_OK) {
        (*trainer)->model = learning->model;
        (*trainer)->source = learning->data;
        (*trainer)->opening = opening;
        status = create_objectives(learning, *trainer);
    }
    if (status == SUMI_OK) status = prepare(*trainer);
    if (status == SUMI_OK) status = look_at_data(learning, *trainer);
    return complete(status, trainer);
}

sumi_status sumi_trainer_create(sumi_context *context, const sumi_recipe *recipe, sumi_model *model,
                                sumi_data *data, sumi_trainer **trainer)
{
    const struct learning learning = {
        .context = context, .recipe = recipe, .model = model, .data = data};
    return create_for(&learning, model->weights, trainer);
}

sumi_status sumi_trainer_create_auto_encoder(sumi_context *context, const sumi_recipe *recipe,
                                             sumi_auto_encoder *auto_encoder, sumi_data *data,
                                             sumi_trainer **trainer)
{
    const struct learning learning = {
        .context = context, .recipe = recipe, .auto_encoder = auto_encoder, .data = data};
    *trainer = NULL;
    if (auto_encoder->own) return create_for(&learning, auto_encoder->own->weights, trainer);
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "this auto-encoder is a part of a model, which others may be using; open "
                        "its folder by itself to train it");
}

void sumi_trainer_free(sumi_trainer *trainer)
{
    if (!trainer) return;
    sumi_context *context = trainer->context;
    for (int k = 0; k < trainer->learner_count; k++)
        optimizer_release(&trainer->learners[k].optimizer);
    trainer_release_plans(trainer);
    for (int i = 0; i < trainer->plan_count; i++) release_objective(&trainer->plans[i].objective);
    context_release(context, trainer->plans);
    context_release(context, trainer->losses);
    context_release(context, trainer);
}

/* Moves the weights of the learners whose losses the step had. */
static sumi_status apply_gradients(sumi_trainer *trainer, const float *const *gradients)
{
    int count = trainer_next_plan(trainer)->loss_count;
    for (int k = 0; k < count; k++) {
        struct optimizer *optimizer = &trainer->learners[k].optimizer;
        struct cost cost = {0, 0};
        double norm = 0, begin = profile_begin(trainer->context);
        TRY(optimizer_apply(optimizer, trainer->step, gradients, &norm));
        if (profile_is_on(trainer->context)) cost = optimizer_cost(optimizer, gradients);
        TRY(profile_end(trainer->context, begin, "optimizer", &cost));
    }
    return SUMI_OK;
}

sumi_status sumi_trainer_step(sumi_trainer *trainer, double *loss)
{
    TRY(sumi_trainer_use_average(trainer, false));
    TRY(trainer_reserve_losses(trainer, trainer->step + 1));
    const float *const *gradients = NULL;
    float value = 0;
    TRY(trainer_descend(trainer, &value, &gradients));
    TRY(apply_gradients(trainer, gradients));
    trainer->losses[trainer->step++] = value;
    advice_after(trainer->context, trainer->recipe, &trainer->course, trainer->losses,
                 trainer->step);
    if (loss) *loss = value;
    return SUMI_OK;
}

int64_t sumi_trainer_steps_done(const sumi_trainer *trainer)
{
    return trainer->step;
}

int64_t sumi_trainer_losses(const sumi_trainer *trainer, const float **losses)
{
    *losses = trainer->losses;
    return trainer->step;
}

static void exchange(int64_t count, float *left, float *right)
{
    for (int64_t i = 0; i < count; i++) {
        float kept = left[i];
        left[i] = right[i];
        right[i] = kept;
    }
}

sumi_status sumi_trainer_use_average(sumi_trainer *trainer, bool average)
{
    sumi_weights *weights = trainer->weights;
    if (average == trainer->averaged) return SUMI_OK;
    for (int64_t i = 0; i < trainer->learners->optimizer.count; i++) {
        if (!weights->items[i].trainable) continue;
        exchange(shape_count(&weights->items[i].shape), weights->items[i].data,
                 trainer_learner_of(trainer, i)->optimizer.average[i]);
    }
    weights_changed(weights);
    trainer->averaged = average;
    const struct objective *objective = &trainer->plans->objective;
    return average && objective->publish ? objective->publish(objective->user) : SUMI_OK;
}

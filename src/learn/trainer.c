/* SPDX-License-Identifier: Apache-2.0 */
/* Trainers: creating one, taking a step (step_plan.c has its computation), and swapping the
   averaged weights in and out. */
#include "learn/trainer.h"

#include <math.h>
#include <string.h>

#include "base/structure.h"
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

/* Creates a trainer, which takes ownership of the objective. */
static sumi_status create(sumi_context *context, const sumi_recipe *recipe, sumi_weights *weights,
                          const struct objective *objective, sumi_trainer **trainer)
{
    *trainer = NULL;
    sumi_trainer *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) {
        release_objective(objective);
        return SUMI_ERROR_MEMORY;
    }
    *made = (sumi_trainer){.context = context,
                           .recipe = recipe,
                           .weights = weights,
                           .objective = *objective,
                           .batch = recipe_int(recipe, "train.batch"),
                           .parts = recipe_int(recipe, "train.accumulate"),
                           .seed = recipe_seed(recipe, "train.seed"),
                           .steps = recipe_int(recipe, "train.steps")};
    sumi_status status = trainer_plan(made);
    if (status == SUMI_OK) status = make_optimizers(made);
    if (status == SUMI_OK) status = trainer_reserve_losses(made, first_losses(made));
    if (status == SUMI_OK) *trainer = made;
    else sumi_trainer_free(made);
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
    return create(context, recipe, weights, &calls, trainer);
}

/* A trainer of what `learning` names, whose weights they are. */
static sumi_status create_for(const struct learning *learning, sumi_weights *weights,
                              sumi_trainer **trainer)
{
    static const char *const sections[] = {"train", NULL};
    struct objective objective;
    *trainer = NULL;
    TRY(recipe_check_read(learning->context, learning->recipe, sections));
    TRY(weights_own_all(weights)); /* copies mapped weights, because training writes to them */
    TRY(objective_create(learning, &objective));
    TRY(create(learning->context, learning->recipe, weights, &objective, trainer));
    (*trainer)->model = learning->model;
    double mean_square = 0;
    sumi_status status = fingerprint_take(learning->data, &(*trainer)->data);
    if (status == SUMI_OK) status = advice_before(learning, &mean_square);
    const struct objective *made = &(*trainer)->objective;
    if (status == SUMI_OK && made->zero_loss)
        (*trainer)->course.zero_loss = made->zero_loss(made->user, mean_square);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_trainer_free(*trainer);
    *trainer = NULL;
    return status;
}

sumi_status sumi_trainer_create(sumi_context *context, const sumi_recipe *recipe, sumi_model *model,
                                sumi_data *data, sumi_trainer **trainer)
{
    const struct learning learning = {context, recipe, model, NULL, data};
    return create_for(&learning, model->weights, trainer);
}

sumi_status sumi_trainer_create_auto_encoder(sumi_context *context, const sumi_recipe *recipe,
                                             sumi_auto_encoder *auto_encoder, sumi_data *data,
                                             sumi_trainer **trainer)
{
    const struct learning learning = {context, recipe, NULL, auto_encoder, data};
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
    trainer_release_plan(trainer);
    context_release(context, trainer->losses);
    release_objective(&trainer->objective);
    context_release(context, trainer);
}

static sumi_status apply_gradients(sumi_trainer *trainer, const float *const *gradients)
{
    for (int k = 0; k < trainer->learner_count; k++) {
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
    if (average && trainer->objective.publish) {
        return trainer->objective.publish(trainer->objective.user);
    }
    return SUMI_OK;
}

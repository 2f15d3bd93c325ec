/* Trainers: making one, taking a step, swapping averaged weights in and out. */
#include "learn/trainer.h"

#include <math.h>
#include <string.h>

#include "models/model.h"

/* Collects the leaves of trained weights: nodes[i] is the leaf of weight numbers[i]. */
static int find_trained(const sumi_trainer *trainer, sumi_node *nodes, int64_t *numbers)
{
    const sumi_graph *graph = trainer->graph;
    int count = 0;
    for (sumi_node n = 0; n < graph->count; n++) {
        int64_t weight = graph_node(graph, n)->weight;
        if (weight < 0 || !trainer->weights->items[weight].trainable) continue;
        numbers[count] = weight;
        nodes[count++] = n;
    }
    return count;
}

/* Differentiates the loss by all trained weights and plans loss and gradients together. */
static sumi_status plan_gradients(sumi_trainer *trainer, sumi_node *nodes, sumi_node *outputs,
                                  int64_t *numbers)
{
    const struct objective *objective = &trainer->objective;
    int count = find_trained(trainer, nodes, numbers), more = 1;
    TRY(sumi_graph_gradients(trainer->graph, trainer->loss, count, nodes, outputs));
    outputs[count] = trainer->loss;
    if (objective->observed) outputs[count + more++] = objective->observed(objective->user);
    TRY(sumi_plan_create(trainer->graph, count + more, outputs, &trainer->plan));
    for (int i = 0; i < count; i++) {
        trainer->gradients[numbers[i]] = sumi_plan_data(trainer->plan, outputs[i]);
    }
    return SUMI_OK;
}

static sumi_status plan_step(sumi_trainer *trainer)
{
    sumi_context *context = trainer->context;
    TRY(sumi_graph_create(context, trainer->weights, true, &trainer->graph));
    trainer->loss = trainer->objective.build(trainer->objective.user, trainer->graph);
    TRY(trainer->graph->status);
    size_t room = (size_t)trainer->weights->count + 2;
    sumi_node *nodes = context_allocate(context, 2 * room, sizeof *nodes);
    int64_t *numbers = context_allocate(context, room, sizeof *numbers);
    trainer->gradients = context_allocate_zeroed(context, room, sizeof *trainer->gradients);
    sumi_status status = SUMI_ERROR_MEMORY;
    if (nodes && numbers && trainer->gradients) {
        status = plan_gradients(trainer, nodes, nodes + room, numbers);
    }
    context_release(context, nodes);
    context_release(context, numbers);
    return status;
}

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

/* Makes a trainer, which from then on owns the objective. */
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
                           .seed = (uint64_t)recipe_int(recipe, "train.seed"),
                           .steps = recipe_int(recipe, "train.steps")};
    sumi_status status = plan_step(made);
    struct optimizer_settings settings = optimizer_settings_of(recipe);
    if (status == SUMI_OK) status = optimizer_create(weights, &settings, &made->optimizer);
    if (status == SUMI_OK) status = trainer_reserve_losses(made, 1);
    if (status == SUMI_OK) *trainer = made;
    else sumi_trainer_free(made);
    return status;
}

sumi_status sumi_trainer_create_custom(sumi_context *context, const sumi_recipe *recipe,
                                       sumi_weights *weights, const sumi_objective *objective,
                                       sumi_trainer **trainer)
{
    const struct objective calls = {
        .user = objective->user, .build = objective->build, .feed = objective->feed};
    return create(context, recipe, weights, &calls, trainer);
}

sumi_status sumi_trainer_create(sumi_context *context, const sumi_recipe *recipe,
                                sumi_model *model, sumi_data *data, sumi_trainer **trainer)
{
    *trainer = NULL;
    struct objective objective;
    const struct learning learning = {context, recipe, model, data};
    TRY(objective_create(&learning, &objective));
    TRY(create(context, recipe, model->weights, &objective, trainer));
    (*trainer)->model = model;
    return SUMI_OK;
}

void sumi_trainer_free(sumi_trainer *trainer)
{
    if (!trainer) return;
    sumi_context *context = trainer->context;
    optimizer_release(&trainer->optimizer);
    sumi_plan_free(trainer->plan);
    sumi_graph_free(trainer->graph);
    context_release(context, trainer->gradients);
    context_release(context, trainer->losses);
    release_objective(&trainer->objective);
    context_release(context, trainer);
}

static sumi_status fill_inputs(sumi_trainer *trainer)
{
    const struct cost unknown = {0, 0};
    double begin = profile_begin(trainer->context);
    TRY(trainer->objective.feed(trainer->objective.user, trainer->plan, trainer->step));
    return profile_end(trainer->context, begin, "data and noise", &unknown);
}

static sumi_status apply_gradients(sumi_trainer *trainer)
{
    struct optimizer *optimizer = &trainer->optimizer;
    struct cost cost = {0, 0};
    double norm = 0, begin = profile_begin(trainer->context);
    TRY(optimizer_apply(optimizer, trainer->step, trainer->gradients, &norm));
    if (profile_is_on(trainer->context)) cost = optimizer_cost(optimizer, trainer->gradients);
    return profile_end(trainer->context, begin, "optimizer", &cost);
}

sumi_status sumi_trainer_step(sumi_trainer *trainer, double *loss)
{
    TRY(sumi_trainer_use_average(trainer, false));
    TRY(trainer_reserve_losses(trainer, trainer->step + 1));
    TRY(fill_inputs(trainer));
    TRY(sumi_plan_run(trainer->plan, trainer->seed, (uint64_t)trainer->step));
    float value = *sumi_plan_data(trainer->plan, trainer->loss);
    if (!isfinite(value)) {
        return context_fail(trainer->context, SUMI_ERROR_NUMBER,
                            "the loss is not finite at step %lld: lower train.learning_rate",
                            (long long)trainer->step);
    }
    if (trainer->objective.observe) {
        trainer->objective.observe(trainer->objective.user, trainer->plan);
    }
    TRY(apply_gradients(trainer));
    trainer->losses[trainer->step++] = value;
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
    for (int64_t i = 0; i < trainer->optimizer.count; i++) {
        if (!weights->items[i].trainable) continue;
        exchange(shape_count(&weights->items[i].shape), weights->items[i].data,
                 trainer->optimizer.average[i]);
    }
    trainer->averaged = average;
    return SUMI_OK;
}

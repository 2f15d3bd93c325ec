/* SPDX-License-Identifier: Apache-2.0 */
/* The computation of a training step: loss and gradients in one plan, which runs once or, with
   train.accumulate, several times with averaged gradients. Where there are several plans, only one
   runs at a time, so that they share their memory. */
#include <math.h>
#include <string.h>

#include "base/machine.h"
#include "base/profile.h"
#include "data/buckets.h"
#include "graph/plan.h"
#include "learn/keys.h"
#include "learn/trainer.h"
#include "vectors/rows.h"

const struct option step_keys[] = {
    {WHOLE_OPTION("train.accumulate", "1", 1, 1 << 20,
                  "number of parts that a batch is computed in, to save memory; their gradients "
                  "are averaged")},
    {CHOICE_OPTION("train.recompute", "auto", "auto|yes|no",
                   "recompute activations for the gradient instead of storing them; auto: if "
                   "memory is short")},
    {.name = NULL},
};

const struct option precision_keys[] = {
    {CHOICE_OPTION("train.precision", "float32", "float32|bf16",
                   "type of stored activations: bf16 halves their memory; weights stay float32")},
    {.name = NULL},
};

struct portion portion_of(const sumi_recipe *recipe, int64_t feed)
{
    int64_t parts = recipe_int(recipe, "train.accumulate");
    int64_t count = recipe_int(recipe, "train.batch") / parts;
    return (struct portion){feed / parts, feed % parts * count, count};
}

static size_t weight_count(const sumi_trainer *trainer, size_t number)
{
    return (size_t)shape_count(&trainer->weights->items[number].shape);
}

static sumi_status check_parts(const sumi_trainer *trainer)
{
    if (trainer->batch % trainer->parts == 0) return SUMI_OK;
    return context_fail(trainer->context, SUMI_ERROR_ARGUMENT,
                        "train.accumulate = %lld does not divide train.batch = %lld into equal "
                        "parts",
                        (long long)trainer->parts, (long long)trainer->batch);
}

struct learner *trainer_learner_of(const sumi_trainer *trainer, int64_t weight)
{
    const char *name = trainer->weights->items[weight].name;
    int number = trainer->learner_count - 1;
    for (; number > 0; number--) {
        const char *prefix = trainer->learners[number].prefix;
        if (strncmp(name, prefix, strlen(prefix)) == 0) break;
    }
    return (struct learner *)&trainer->learners[number];
}

/* The leaves of trained weights, those of a learner one after another: nodes[i] is the leaf of
   weight numbers[i], of learner k from first[k] to before first[k + 1]. */
struct trained {
    sumi_node *nodes;
    int64_t *numbers;
    int first[MOST_LEARNERS + 1];
    int count;
};

static void find_trained(const sumi_trainer *trainer, const struct step_plan *made,
                         struct trained *trained)
{
    const sumi_graph *graph = made->graph;
    trained->count = 0;
    for (int k = 0; k < made->loss_count; k++) {
        for (sumi_node n = 0; n < graph->count; n++) {
            int64_t weight = graph_node(graph, n)->weight;
            if (weight < 0 || !trainer->weights->items[weight].trainable) continue;
            if (trainer_learner_of(trainer, weight) != &trainer->learners[k]) continue;
            trained->numbers[trained->count] = weight;
            trained->nodes[trained->count++] = n;
        }
        trained->first[k + 1] = trained->count;
    }
}

/* The bytes of memory that remain for the plan after the optimizer's moments and averages. */
static int64_t memory_for_plan(const sumi_trainer *trainer)
{
    int64_t weights = 0;
    for (int64_t i = 0; i < trainer->weights->count; i++) {
        weights += (int64_t)weight_count(trainer, (size_t)i);
    }
    int64_t arrays = trainer->parts > 1 ? 4 : 3;
    return machine_free_memory() - arrays * weights * (int64_t)sizeof(float);
}

/* Lists the further outputs of the plan: the losses, and the node that the objective observes. */
enum { MOST_OTHERS = MOST_LEARNERS + 1 };
static int list_others(const struct step_plan *made, sumi_node outputs[MOST_OTHERS])
{
    const struct objective *objective = &made->objective;
    int count = made->loss_count;
    memcpy(outputs, made->losses, (size_t)count * sizeof *outputs);
    if (objective->observed) outputs[count++] = objective->observed(objective->user);
    return count;
}

/* Adds the gradients of each learner's loss by its weights to outputs. */
static sumi_status add_gradients(const struct step_plan *made, const struct trained *trained,
                                 sumi_node *outputs)
{
    for (int k = 0; k < made->loss_count; k++) {
        int first = trained->first[k];
        TRY(sumi_graph_gradients(made->graph, made->losses[k], trained->first[k + 1] - first,
                                 trained->nodes + first, outputs + first));
    }
    return SUMI_OK;
}

/* Adds the gradients to outputs, recomputing activations where the recipe says so or memory is
   short. `more` other outputs follow these. */
static sumi_status differentiate(const sumi_trainer *trainer, const struct step_plan *made,
                                 const struct trained *trained, sumi_node *outputs, int more)
{
    sumi_graph *graph = made->graph;
    sumi_graph_set_recompute(graph, recipe_is(trainer->recipe, "train.recompute", "yes"));
    TRY(add_gradients(made, trained, outputs));
    if (!recipe_is(trainer->recipe, "train.recompute", "auto")) return SUMI_OK;
    int64_t bytes = 0, lent = graph->lender ? (int64_t)plan_memory(graph->lender) : 0;
    TRY(plan_measure(graph, trained->count + more, outputs, &bytes));
    if (bytes <= lent || bytes <= memory_for_plan(trainer)) return SUMI_OK;
    sumi_graph_set_recompute(graph, true); /* discards the gradients that were added without it */
    return add_gradients(made, trained, outputs);
}

/* Differentiates the losses and plans losses and gradients together. */
static sumi_status plan_gradients(const sumi_trainer *trainer, struct step_plan *made,
                                  struct trained *trained, sumi_node *outputs)
{
    find_trained(trainer, made, trained);
    int count = trained->count, more = list_others(made, outputs + count);
    TRY(differentiate(trainer, made, trained, outputs, more));
    TRY(sumi_plan_create(made->graph, count + more, outputs, &made->plan));
    for (int i = 0; i < count; i++)
        made->gradients[trained->numbers[i]] = sumi_plan_data(made->plan, outputs[i]);
    return SUMI_OK;
}

/* Builds the objective's losses. The first plan has them all, and lists their learners. */
static sumi_status build_losses(sumi_trainer *trainer, struct step_plan *made)
{
    struct objective *objective = &made->objective;
    struct rival rivals[MOST_RIVALS];
    made->losses[0] = objective->build(objective->user, made->graph);
    TRY(made->graph->status);
    int count = objective->rivals ? objective->rivals(objective->user, rivals) : 0;
    made->loss_count = 1 + count;
    for (int k = 0; k < count; k++) {
        made->losses[k + 1] = rivals[k].loss;
        if (made == trainer->plans) trainer->learners[k + 1].prefix = rivals[k].prefix;
    }
    if (made == trainer->plans) trainer->learner_count = made->loss_count;
    return SUMI_OK;
}

/* Allocates the sums over a step's parts. */
static sumi_status make_sums(sumi_trainer *trainer)
{
    size_t weights = (size_t)trainer->weights->count, total = 0;
    if (trainer->parts == 1) return SUMI_OK;
    for (size_t i = 0; i < weights; i++) {
        if (trainer->plans->gradients[i]) total += weight_count(trainer, i);
    }
    trainer->sums = context_allocate_zeroed(trainer->context, weights, sizeof *trainer->sums);
    trainer->sum_values = context_allocate(trainer->context, total, sizeof(float));
    if (!trainer->sums || !trainer->sum_values) return SUMI_ERROR_MEMORY;
    float *next = trainer->sum_values;
    for (size_t i = 0; i < weights; i++) {
        if (!trainer->plans->gradients[i]) continue;
        trainer->sums[i] = next;
        next += weight_count(trainer, i);
    }
    return SUMI_OK;
}

/* The plan of the plans before `made` with the most memory; NULL for the first. */
static const sumi_plan *find_lender(const sumi_trainer *trainer, const struct step_plan *made)
{
    const sumi_plan *most = NULL;
    for (const struct step_plan *other = trainer->plans; other < made; other++)
        if (!most || plan_memory(other->plan) > plan_memory(most)) most = other->plan;
    return most;
}

static sumi_status make_plan(sumi_trainer *trainer, struct step_plan *made)
{
    sumi_context *context = trainer->context;
    TRY(sumi_graph_create(context, trainer->weights, true, &made->graph));
    made->graph->bfloat16 = recipe_is(trainer->recipe, "train.precision", "bf16");
    made->graph->lender = find_lender(trainer, made);
    TRY(build_losses(trainer, made));
    size_t capacity = (size_t)trainer->weights->count + MOST_OTHERS;
    struct trained trained = {.nodes = context_allocate(context, 2 * capacity, sizeof(sumi_node)),
                              .numbers = context_allocate(context, capacity, sizeof(int64_t))};
    made->gradients = context_allocate_zeroed(context, capacity, sizeof *made->gradients);
    sumi_status status = SUMI_ERROR_MEMORY;
    if (trained.nodes && trained.numbers && made->gradients)
        status = plan_gradients(trainer, made, &trained, trained.nodes + capacity);
    context_release(context, trained.nodes);
    context_release(context, trained.numbers);
    return status;
}

sumi_status trainer_plan(sumi_trainer *trainer)
{
    TRY(check_parts(trainer));
    for (int i = 0; i < trainer->plan_count; i++) TRY(make_plan(trainer, &trainer->plans[i]));
    return make_sums(trainer);
}

void trainer_release_plans(sumi_trainer *trainer)
{
    for (int i = trainer->plan_count - 1; i >= 0; i--) { /* those that lend memory last */
        sumi_plan_free(trainer->plans[i].plan);
        sumi_graph_free(trainer->plans[i].graph);
        context_release(trainer->context, trainer->plans[i].gradients);
    }
    context_release(trainer->context, trainer->sums);
    context_release(trainer->context, trainer->sum_values);
}

struct step_plan *trainer_next_plan(const sumi_trainer *trainer)
{
    int sizes = trainer->opening > 0 ? trainer->plan_count / 2 : trainer->plan_count;
    int size = trainer->source ? buckets_of_step(trainer->source, trainer->step) : 0;
    return &trainer->plans[size + (trainer->step < trainer->opening ? sizes : 0)];
}

/* sums += gradients / parts; the first part overwrites them. */
static void add_part(sumi_trainer *trainer, const struct step_plan *now, int64_t part)
{
    double share = 1 / (double)trainer->parts;
    for (int64_t i = 0; i < trainer->learners->optimizer.count; i++) {
        if (!now->gradients[i]) continue;
        const struct row_term terms[] = {{part > 0 ? 1 : 0, trainer->sums[i]},
                                         {share, now->gradients[i]}};
        rows_combine(trainer->context->threads, (int64_t)weight_count(trainer, (size_t)i),
                     trainer->sums[i], 2, terms);
    }
}

static sumi_status fill_inputs(sumi_trainer *trainer, const struct step_plan *now, int64_t part)
{
    const struct objective *objective = &now->objective;
    const struct cost unknown = {0, 0};
    double begin = profile_begin(trainer->context);
    TRY(objective->feed(objective->user, now->plan, trainer->step * trainer->parts + part));
    return profile_end(trainer->context, begin, "data and noise", &unknown);
}

/* Requires all losses to be finite. */
static sumi_status check_losses(const sumi_trainer *trainer, const struct step_plan *now)
{
    for (int k = 0; k < now->loss_count; k++) {
        if (isfinite(*sumi_plan_data(now->plan, now->losses[k]))) continue;
        return context_fail(trainer->context, SUMI_ERROR_NUMBER,
                            "the loss is not finite at step %lld: lower train.learning_rate",
                            (long long)trainer->step);
    }
    return SUMI_OK;
}

/* Writes the objective's loss of one part to *loss; the gradients are then in the plan. */
static sumi_status run_part(sumi_trainer *trainer, const struct step_plan *now, int64_t part,
                            float *loss)
{
    const struct objective *objective = &now->objective;
    const struct run_key key = {trainer->seed, (uint64_t)trainer->step, (uint64_t)part};
    TRY(fill_inputs(trainer, now, part));
    TRY(plan_run(now->plan, &key));
    *loss = *sumi_plan_data(now->plan, now->losses[0]);
    TRY(check_losses(trainer, now));
    if (objective->observe) objective->observe(objective->user, now->plan);
    return SUMI_OK;
}

sumi_status trainer_descend(sumi_trainer *trainer, float *loss, const float *const **gradients)
{
    const struct step_plan *now = trainer_next_plan(trainer);
    double sum = 0;
    *gradients = now->gradients;
    if (trainer->parts == 1) return run_part(trainer, now, 0, loss);
    for (int64_t part = 0; part < trainer->parts; part++) {
        TRY(run_part(trainer, now, part, loss));
        sum += *loss;
        add_part(trainer, now, part);
    }
    *loss = (float)(sum / (double)trainer->parts);
    *gradients = (const float *const *)trainer->sums;
    return SUMI_OK;
}

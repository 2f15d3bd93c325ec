/* Drawing and noising the batch of a step (Ho et al. 2020, eq. 4); see noised.h. */
#include "learn/noised.h"

#include "base/philox.h"
#include "cpu/cpu.h"
#include "noise/rows.h"

/* The solver as the model will be sampled, its schedule and its options. */
static sumi_status open_solver(struct noised *noised)
{
    TRY(sumi_model_solver(noised->learning.model, NULL, &noised->solver));
    TRY(solver_schedule(noised->solver, &noised->schedule));
    noised->options = solver_options(noised->solver);
    return SUMI_OK;
}

static sumi_status take_memory(struct noised *noised)
{
    sumi_context *context = noised->learning.context;
    size_t batch = (size_t)noised->batch, count = batch * (size_t)noised->item_size;
    noised->clean = context_allocate(context, count, sizeof *noised->clean);
    noised->noise = context_allocate(context, count, sizeof *noised->noise);
    noised->places = context_allocate(context, batch, sizeof *noised->places);
    if (!noised->clean || !noised->noise || !noised->places) return SUMI_ERROR_MEMORY;
    if (!sumi_model_classes(noised->learning.model)) return SUMI_OK;
    noised->labels = context_allocate(context, batch, sizeof *noised->labels);
    return noised->labels ? SUMI_OK : SUMI_ERROR_MEMORY;
}

sumi_status noised_open(const struct learning *learning, struct noised *noised)
{
    *noised = (struct noised){.learning = *learning,
                              .seed = (uint64_t)recipe_int(learning->recipe, "train.seed"),
                              .batch = portion_of(learning->recipe, 0).count,
                              .item_size = model_item_size(learning->model)};
    TRY(open_solver(noised));
    return take_memory(noised);
}

void noised_release(struct noised *noised)
{
    sumi_context *context = noised->learning.context;
    sumi_solver_free(noised->solver);
    context_release(context, noised->clean);
    context_release(context, noised->noise);
    context_release(context, noised->labels);
    context_release(context, noised->places);
}

sumi_node noised_input(const struct noised *noised, sumi_graph *graph, const char *name, bool each)
{
    int64_t shape[SUMI_MAX_RANK + 1] = {noised->batch};
    int rank = 1 + sumi_model_shape(noised->learning.model, shape + 1);
    return sumi_graph_input(graph, name, each ? rank : 1, shape);
}

sumi_node noised_build(struct noised *noised, sumi_graph *graph)
{
    noised->x = noised_input(noised, graph, "x", true);
    noised->times = noised_input(noised, graph, "times", false);
    noised->classes = noised->labels ? noised_input(noised, graph, "labels", false) : -1;
    struct net_inputs inputs = {noised->x, noised->times, noised->classes};
    return net_build(noised->learning.model->net, graph, &inputs);
}

/* Draws the time of item i of a step. */
static struct place draw_place(const struct noised *noised, int64_t step, int64_t i)
{
    const struct schedule *schedule = noised->schedule;
    const philox_stream stream = {noised->seed, PURPOSE_TIME, (uint64_t)step};
    int64_t time = (int64_t)philox_below(&stream, (uint64_t)i, (uint64_t)schedule->count);
    return (struct place){.index = time,
                          .time = (double)time,
                          .signal = schedule_signal(schedule, time),
                          .noise = schedule_noise(schedule, time)};
}

/* Noises item i of a portion and writes its row of every input. */
static void feed_item(struct noised *noised, sumi_plan *plan, const struct portion *portion,
                      int64_t i)
{
    const philox_stream stream = {noised->seed, PURPOSE_NOISE, (uint64_t)portion->step};
    int64_t at = i * noised->item_size, number = portion->first + i;
    struct place place = noised->places[i] = draw_place(noised, portion->step, number);
    philox_normal(&stream, (uint64_t)(number * noised->item_size), noised->item_size,
                  noised->noise + at);
    const struct row_term terms[] = {{place.signal, noised->clean + at},
                                     {place.noise, noised->noise + at}};
    rows_combine(1, noised->item_size, sumi_plan_data(plan, noised->x) + at, 2, terms);
    sumi_plan_data(plan, noised->times)[i] = (float)place.time;
    if (noised->labels) sumi_plan_data(plan, noised->classes)[i] = (float)noised->labels[i];
}

sumi_status noised_feed(struct noised *noised, sumi_plan *plan, int64_t feed,
                        void (*finish)(void *user, sumi_plan *plan, int64_t item), void *user)
{
    const struct portion portion = portion_of(noised->learning.recipe, feed);
    TRY(data_read_batch(noised->learning.data, noised->seed, feed, noised->batch, noised->clean,
                        noised->labels));
    enum { WORK_OF_A_NUMBER = 32 }; /* mostly its normal draw */
    int threads = worthwhile_threads(noised->learning.context->threads,
                                     WORK_OF_A_NUMBER * noised->batch * noised->item_size);
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (int64_t i = 0; i < noised->batch; i++) {
        feed_item(noised, plan, &portion, i);
        if (finish) finish(user, plan, i);
    }
    return SUMI_OK;
}

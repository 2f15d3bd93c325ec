/* SPDX-License-Identifier: Apache-2.0 */
/* Couplings of noise and data; see coupling.h. */
#include "learn/coupling.h"

#include <string.h>

#include "base/team.h"
#include "data/shuffle.h"
#include "learn/keys.h"

const struct option coupling_keys[] = {
    {CHOICE_OPTION("train.coupling", "independent", "independent|optimal|reflow",
                   "coupling of noise and items: independent, optimal transport within the batch, "
                   "or pairs from a trained model"),
     .when = OF_NOISED},
    {.name = NULL},
};

static enum coupling_kind kind_of(const sumi_recipe *recipe)
{
    if (recipe_is(recipe, "train.coupling", "optimal")) return COUPLING_OPTIMAL;
    return recipe_is(recipe, "train.coupling", "reflow") ? COUPLING_REFLOW : COUPLING_INDEPENDENT;
}

static sumi_status open_optimal(sumi_context *context, struct coupling *coupling)
{
    size_t batch = (size_t)coupling->batch;
    TRY(assignment_open(context, coupling->batch, &coupling->assignment));
    coupling->costs = context_allocate(context, batch * batch, sizeof *coupling->costs);
    coupling->spare = context_allocate(context, batch * (size_t)coupling->item_size, sizeof(float));
    coupling->column_of = context_allocate(context, batch, sizeof *coupling->column_of);
    bool complete = coupling->costs && coupling->spare && coupling->column_of;
    return complete ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static sumi_status open_reflow(const struct learning *learning, struct coupling *coupling)
{
    sumi_context *context = learning->context;
    coupling->pairs = reflow_pairs(learning->recipe);
    size_t pairs = (size_t)coupling->pairs, total = pairs * (size_t)coupling->item_size;
    coupling->noise = context_allocate(context, total, sizeof(float));
    coupling->clean = context_allocate(context, total, sizeof(float));
    if (!coupling->noise || !coupling->clean) return SUMI_ERROR_MEMORY;
    if (sumi_model_classes(learning->model)) {
        coupling->labels = context_allocate(context, pairs, sizeof *coupling->labels);
        if (!coupling->labels) return SUMI_ERROR_MEMORY;
    }
    return reflow_draw(learning, coupling);
}

sumi_status coupling_open(const struct learning *learning, int64_t batch, struct coupling *coupling)
{
    *coupling = (struct coupling){.kind = kind_of(learning->recipe),
                                  .batch = batch,
                                  .item_size = model_item_size(learning->model),
                                  .threads = learning->context->threads,
                                  .seed = recipe_seed(learning->recipe, "train.seed")};
    if (coupling->kind == COUPLING_OPTIMAL) return open_optimal(learning->context, coupling);
    return coupling->kind == COUPLING_REFLOW ? open_reflow(learning, coupling) : SUMI_OK;
}

void coupling_release(sumi_context *context, struct coupling *coupling)
{
    assignment_release(context, &coupling->assignment);
    context_release(context, coupling->costs);
    context_release(context, coupling->spare);
    context_release(context, coupling->column_of);
    context_release(context, coupling->noise);
    context_release(context, coupling->clean);
    context_release(context, coupling->labels);
    *coupling = (struct coupling){.kind = COUPLING_INDEPENDENT};
}

/* |x - e|^2 = |x|^2 + |e|^2 - 2 x e, of which the sum of the first two does not depend on the
   assignment. Called by every thread of a team, which share the loop. */
static void fill_costs(struct coupling *coupling, const float *clean, const float *noise)
{
    int64_t batch = coupling->batch, size = coupling->item_size;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < batch; i++) {
        for (int64_t j = 0; j < batch; j++) {
            double product = 0;
            for (int64_t k = 0; k < size; k++) {
                product += (double)clean[i * size + k] * noise[j * size + k];
            }
            coupling->costs[i * batch + j] = (float)-product;
        }
    }
}

void coupling_match(struct coupling *coupling, const float *clean, float *noise)
{
    size_t row = (size_t)coupling->item_size * sizeof *noise;
    int threads = worthwhile_threads(coupling->threads,
                                     coupling->batch * coupling->batch * coupling->item_size);
    BY_TEAM(threads, fill_costs(coupling, clean, noise));
    assignment_solve(&coupling->assignment, coupling->batch, coupling->costs, coupling->column_of);
    memcpy(coupling->spare, noise, (size_t)coupling->batch * row);
    for (int64_t i = 0; i < coupling->batch; i++) {
        memcpy(noise + i * coupling->item_size,
               coupling->spare + coupling->column_of[i] * coupling->item_size, row);
    }
}

void coupling_read(const struct coupling *coupling, int64_t feed, float *clean, float *noise,
                   int32_t *labels)
{
    int64_t size = coupling->item_size, pairs = coupling->pairs;
    for (int64_t i = 0; i < coupling->batch; i++) {
        int64_t position = feed * coupling->batch + i;
        int64_t from =
            shuffle_index(coupling->seed, (uint64_t)(position / pairs), pairs, position % pairs);
        memcpy(clean + i * size, coupling->clean + from * size, (size_t)size * sizeof *clean);
        memcpy(noise + i * size, coupling->noise + from * size, (size_t)size * sizeof *noise);
        if (labels) labels[i] = coupling->labels[from];
    }
}

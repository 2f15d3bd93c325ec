/* SPDX-License-Identifier: Apache-2.0 */
/* The state and the rates of AdamW (Loshchilov & Hutter 2019, algorithm 2), clipping by the global
   norm (Pascanu et al. 2013) and averaging; the backend performs the pass over the weights. See
   optimizer.h. */
#include "learn/optimizer.h"

#include <math.h>
#include <string.h>

#include "graph/backend.h"

enum { CHUNK = 1 << 14 }; /* elements of a task */

const struct option optimizer_keys[] = {
    {NUMBER_OPTION("train.learning_rate", "0.0002", 0, 10, "learning rate after the warm-up")},
    {WHOLE_OPTION("train.warmup", "100", 0, 1e12,
                  "steps over which the learning rate rises from 0")},
    {CHOICE_OPTION("train.decay", "constant", "constant|cosine",
                   "learning rate schedule after the warm-up")},
    {NUMBER_OPTION("train.final_learning_rate", "0", 0, 10, "final learning rate of cosine decay"),
     .when = "train.decay=cosine"},
    {NUMBER_OPTION("train.weight_decay", "0", 0, 10, "decoupled weight decay of AdamW")},
    {NUMBER_OPTION("train.beta1", "0.9", 0, 0.999999, "AdamW's beta1, decay of the mean gradient")},
    {NUMBER_OPTION("train.beta2", "0.999", 0, 0.9999999,
                   "AdamW's beta2, decay of the mean squared gradient")},
    {NUMBER_OPTION("train.epsilon", "1e-8", 1e-20, 1, "AdamW's epsilon, added to the square root")},
    {NUMBER_OPTION("train.clip_gradient", "1", 0, 1e12,
                   "largest norm of the whole gradient; 0: no limit")},
    {NUMBER_OPTION("train.ema", "0.999", 0, 0.9999999,
                   "decay of the averaged weights (EMA); 0: no average")},
    {FLAG_OPTION("train.ema_warmup", "yes", "average over fewer steps at the beginning"),
     .when = "train.ema!=0"},
    {.name = NULL},
};

struct optimizer_settings optimizer_settings_of(const sumi_recipe *recipe)
{
    return (struct optimizer_settings){
        .learning_rate = recipe_number(recipe, "train.learning_rate"),
        .final_learning_rate = recipe_number(recipe, "train.final_learning_rate"),
        .weight_decay = recipe_number(recipe, "train.weight_decay"),
        .beta1 = recipe_number(recipe, "train.beta1"),
        .beta2 = recipe_number(recipe, "train.beta2"),
        .epsilon = recipe_number(recipe, "train.epsilon"),
        .clip = recipe_number(recipe, "train.clip_gradient"),
        .ema = recipe_number(recipe, "train.ema"),
        .ema_warmup = recipe_flag(recipe, "train.ema_warmup"),
        .cosine = recipe_is(recipe, "train.decay", "cosine"),
        .warmup = recipe_int(recipe, "train.warmup"),
        .steps = recipe_int(recipe, "train.steps")};
}

static sumi_status add_arrays(struct optimizer *o, int64_t i)
{
    const struct weight *weight = &o->weights->items[i];
    if (!weight->trainable || (o->settings.takes && !o->settings.takes[i])) return SUMI_OK;
    size_t count = (size_t)shape_count(&weight->shape);
    o->first[i] = context_allocate_zeroed(o->context, count, sizeof(float));
    o->second[i] = context_allocate_zeroed(o->context, count, sizeof(float));
    o->average[i] = context_allocate(o->context, count, sizeof(float));
    if (!o->first[i] || !o->second[i] || !o->average[i]) return SUMI_ERROR_MEMORY;
    memcpy(o->average[i], weight->data, count * sizeof(float));
    return SUMI_OK;
}

/* Returns the number of chunks; if `fill`, fills o->chunks and o->places. */
static int64_t cut_into_chunks(struct optimizer *o, bool fill)
{
    int64_t count = 0;
    for (int64_t i = 0; i < o->count; i++) {
        if (!o->first[i]) continue;
        int64_t size = shape_count(&o->weights->items[i].shape);
        for (int64_t first = 0; first < size; first += CHUNK, count++) {
            int64_t left = size - first;
            if (!fill) continue;
            o->places[count] = (struct chunk_place){i, first};
            o->chunks[count] = (struct optimizer_chunk){.size = left < CHUNK ? left : CHUNK,
                                                        .first = o->first[i] + first,
                                                        .second = o->second[i] + first,
                                                        .average = o->average[i] + first};
        }
    }
    return count;
}

static sumi_status make_chunks(struct optimizer *o)
{
    o->chunk_count = cut_into_chunks(o, false);
    size_t count = (size_t)o->chunk_count;
    o->chunks = context_allocate_zeroed(o->context, count, sizeof *o->chunks);
    o->places = context_allocate_zeroed(o->context, count, sizeof *o->places);
    if (!o->chunks || !o->places) return SUMI_ERROR_MEMORY;
    cut_into_chunks(o, true);
    return SUMI_OK;
}

sumi_status optimizer_create(sumi_weights *weights, const struct optimizer_settings *settings,
                             struct optimizer *optimizer)
{
    sumi_context *context = weights->context;
    size_t count = (size_t)weights->count;
    *optimizer = (struct optimizer){
        .context = context, .weights = weights, .count = weights->count, .settings = *settings};
    optimizer->first = context_allocate_zeroed(context, count, sizeof(float *));
    optimizer->second = context_allocate_zeroed(context, count, sizeof(float *));
    optimizer->average = context_allocate_zeroed(context, count, sizeof(float *));
    sumi_status status = SUMI_OK;
    if (!optimizer->first || !optimizer->second || !optimizer->average) status = SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < weights->count && status == SUMI_OK; i++) {
        status = add_arrays(optimizer, i);
    }
    optimizer->settings.takes = NULL;
    if (status == SUMI_OK) status = make_chunks(optimizer);
    if (status != SUMI_OK) optimizer_release(optimizer);
    return status;
}

void optimizer_release(struct optimizer *optimizer)
{
    if (!optimizer->context) return;
    float **sets[] = {optimizer->first, optimizer->second, optimizer->average};
    for (int set = 0; set < 3; set++) {
        for (int64_t i = 0; sets[set] && i < optimizer->count; i++) {
            context_release(optimizer->context, sets[set][i]);
        }
        context_release(optimizer->context, sets[set]);
    }
    context_release(optimizer->context, optimizer->chunks);
    context_release(optimizer->context, optimizer->places);
    memset(optimizer, 0, sizeof *optimizer);
}

double optimizer_rate(const struct optimizer_settings *s, int64_t step)
{
    if (step < s->warmup) return s->learning_rate * (double)(step + 1) / (double)s->warmup;
    if (!s->cosine) return s->learning_rate;
    double length = (double)(s->steps - s->warmup);
    double done = length > 0 ? fmin((double)(step - s->warmup) / length, 1) : 1;
    double share = 0.5 * (1 + cos(done * 3.14159265358979323846));
    return s->final_learning_rate + (s->learning_rate - s->final_learning_rate) * share;
}

double optimizer_average_decay(const struct optimizer_settings *s, int64_t step)
{
    if (!s->ema_warmup) return s->ema;
    return fmin(s->ema, (1.0 + (double)step) / (10.0 + (double)step));
}

/* Sets the chunks' pointers to this step's gradients and to the weights. */
static void set_gradients(struct optimizer *o, const float *const *gradients)
{
    for (int64_t k = 0; k < o->chunk_count; k++) {
        int64_t i = o->places[k].weight, first = o->places[k].first;
        o->chunks[k].gradient = gradients[i] ? gradients[i] + first : NULL;
        o->chunks[k].weight = o->weights->items[i].data + first;
    }
}

sumi_status optimizer_apply(struct optimizer *o, int64_t step, const float *const *gradients,
                            double *norm)
{
    const struct optimizer_settings *s = &o->settings;
    const struct backend *backend = o->context->backend;
    set_gradients(o, gradients);
    *norm = sqrt(backend->squared_norm(o->context->threads, o->chunk_count, o->chunks));
    if (!isfinite(*norm)) {
        return context_fail(o->context, SUMI_ERROR_NUMBER,
                            "the gradient is not finite at step %lld: lower train.learning_rate",
                            (long long)step);
    }
    weights_changed(o->weights);
    double rate = optimizer_rate(s, step);
    struct optimizer_step one = {.learning_rate = (float)rate,
                                 .beta1 = (float)s->beta1,
                                 .beta2 = (float)s->beta2,
                                 .epsilon = (float)s->epsilon,
                                 .decay = (float)(rate * s->weight_decay),
                                 .correction1 = (float)(1 - pow(s->beta1, (double)step + 1)),
                                 .correction2 = (float)(1 - pow(s->beta2, (double)step + 1)),
                                 .gradient_scale =
                                     (float)(s->clip > 0 && *norm > s->clip ? s->clip / *norm : 1),
                                 .average = (float)optimizer_average_decay(s, step)};
    backend->adamw(o->context->threads, &one, o->chunk_count, o->chunks);
    return SUMI_OK;
}

struct cost optimizer_cost(const struct optimizer *o, const float *const *gradients)
{
    enum { NORM = 2, STEP = 20, READS = 6, WRITES = 4 }; /* operations; numbers */
    double count = 0;
    for (int64_t i = 0; i < o->count; i++) {
        if (gradients[i] && o->first[i]) count += (double)shape_count(&o->weights->items[i].shape);
    }
    return (struct cost){count * (NORM + STEP), count * (READS + WRITES) * (double)sizeof(float)};
}

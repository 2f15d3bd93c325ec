/* SPDX-License-Identifier: Apache-2.0 */
/* Adding LoRA files to a model: W + scale (alpha / rank) up down (Hu et al. 2021, section 4.1),
   into the weights themselves. All tensors are checked before the first weight changes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/team.h"
#include "graph/backend.h"
#include "models/lora_names.h"
#include "models/model.h"

/* A weight and the tensors that change it. */
struct change {
    sumi_weights *weights;
    int64_t number; /* of the weight */
    const safetensors_tensor *down, *up, *alpha;
};

struct lora {
    sumi_context *context;
    sumi_model *model;
    const char *path;
    safetensors *file;
    struct change *changes; /* [count] */
    int64_t count;
    char misfits[512]; /* names of tensors that do not fit */
    int64_t misfit_count;
};

/* ---- Which tensor changes which weight ---- */

/* Lists a tensor that does not fit, with the reason. */
static void add_misfit(struct lora *lora, const char *tensor, const char *reason)
{
    enum { SHOWN = 3 };
    size_t length = strlen(lora->misfits);
    if (lora->misfit_count++ >= SHOWN) return;
    snprintf(lora->misfits + length, sizeof lora->misfits - length, "%s\"%.100s\" (%s)",
             length ? ", " : "", tensor, reason);
}

/* The weight of the module of a name, or -1. */
static int64_t find_weight(const sumi_weights *weights, const struct lora_name *name)
{
    static const char ending[] = ".weight";
    const size_t size = sizeof ending - 1;
    for (int64_t i = 0; i < weights->count; i++) {
        char module[LORA_NAME];
        size_t length = strlen(weights->items[i].name);
        if (length <= size || length - size >= sizeof module) continue;
        if (strcmp(weights->items[i].name + length - size, ending) != 0) continue;
        snprintf(module, sizeof module, "%.*s", (int)(length - size), weights->items[i].name);
        if (lora_name_is(name, module)) return i;
    }
    return -1;
}

/* The change of a weight, made when the first of its tensors is found. */
static struct change *find_change(struct lora *lora, sumi_weights *weights, int64_t number)
{
    for (int64_t i = 0; i < lora->count; i++) {
        struct change *change = &lora->changes[i];
        if (change->weights == weights && change->number == number) return change;
    }
    lora->changes[lora->count] = (struct change){.weights = weights, .number = number};
    return &lora->changes[lora->count++];
}

/* The weights of a part, or NULL where the model has none. */
static sumi_weights *weights_of(const struct lora *lora, enum lora_part part)
{
    return part == LORA_NETWORK ? lora->model->weights : NULL;
}

static void sort_tensor(struct lora *lora, const safetensors_tensor *tensor)
{
    struct lora_name name;
    if (!lora_name_read(tensor->name, &name) || name.role == LORA_OTHER) {
        add_misfit(lora, tensor->name, "is no part of a LoRA");
        return;
    }
    sumi_weights *weights = weights_of(lora, name.part);
    int64_t number = weights ? find_weight(weights, &name) : -1;
    if (number < 0) {
        add_misfit(lora, tensor->name,
                   weights ? "the model has no such layer" : "the model has no such text encoder");
        return;
    }
    struct change *change = find_change(lora, weights, number);
    if (name.role == LORA_DOWN) change->down = tensor;
    else if (name.role == LORA_UP) change->up = tensor;
    else change->alpha = tensor;
}

/* ---- Shapes ---- */

/* Whether the tensors of a change fit its weight: down [rank, in ...], up [out, rank] or
   [out, rank, 1, 1]. */
static bool fits(const struct change *change)
{
    const safetensors_tensor *down = change->down, *up = change->up;
    const struct shape *shape = &change->weights->items[change->number].shape;
    if (shape->rank < 2 || down->rank != shape->rank || up->rank < 2) return false;
    for (int i = 1; i < shape->rank; i++)
        if (down->shape[i] != shape->size[i]) return false;
    for (int i = 2; i < up->rank; i++)
        if (up->shape[i] != 1) return false;
    return up->shape[0] == shape->size[0] && up->shape[1] == down->shape[0] && down->shape[0] > 0
           && (!change->alpha || change->alpha->count == 1);
}

static void check_change(struct lora *lora, const struct change *change)
{
    if (!change->down || !change->up) {
        const safetensors_tensor *there = change->down ? change->down : change->up;
        add_misfit(lora, there ? there->name : change->alpha->name, "its other half is missing");
    } else if (!fits(change)) {
        char up[SHAPE_TEXT], down[SHAPE_TEXT], wanted[SHAPE_TEXT], reason[3 * SHAPE_TEXT + 32];
        struct shape shapes[2] = {{.rank = change->up->rank}, {.rank = change->down->rank}};
        memcpy(shapes[0].size, change->up->shape, sizeof change->up->shape);
        memcpy(shapes[1].size, change->down->shape, sizeof change->down->shape);
        snprintf(reason, sizeof reason, "%s and %s for a layer of %s", shape_text(&shapes[0], up),
                 shape_text(&shapes[1], down),
                 shape_text(&change->weights->items[change->number].shape, wanted));
        add_misfit(lora, change->up->name, reason);
    }
}

/* Finds all changes; refuses the file where one tensor does not fit. */
static sumi_status plan(struct lora *lora)
{
    size_t tensors = safetensors_count(lora->file);
    lora->changes = context_allocate_zeroed(lora->context, tensors, sizeof *lora->changes);
    if (!lora->changes) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < tensors; i++) sort_tensor(lora, safetensors_tensor_at(lora->file, i));
    for (int64_t i = 0; i < lora->count; i++) check_change(lora, &lora->changes[i]);
    if (lora->misfit_count) {
        return context_fail(
            lora->context, SUMI_ERROR_FORMAT,
            "%s: is a LoRA of another model: %lld of its %zu tensors do not fit: %s%s", lora->path,
            (long long)lora->misfit_count, tensors, lora->misfits,
            lora->misfit_count > 3 ? ", ..." : "");
    }
    if (lora->count) return SUMI_OK;
    return context_fail(lora->context, SUMI_ERROR_FORMAT, "%s: has no tensors", lora->path);
}

/* ---- Adding ---- */

/* weight[out, in] += factor up[out, rank] down[rank, in] */
static void add_product(int64_t out, int64_t rank, int64_t in, float factor, const float *up,
                        const float *down, float *weight)
{
#pragma omp for schedule(static)
    for (int64_t o = 0; o < out; o++) {
        float *row = weight + o * in;
        for (int64_t r = 0; r < rank; r++) {
            const float share = factor * up[o * rank + r], *step = down + r * in;
            for (int64_t i = 0; i < in; i++) row[i] += share * step[i];
        }
    }
}

/* Reads a tensor into new memory; refuses NaN and infinity. */
static sumi_status read_tensor(const struct lora *lora, const safetensors_tensor *tensor,
                               float **values)
{
    *values = context_allocate(lora->context, (size_t)tensor->count, sizeof **values);
    if (!*values) return SUMI_ERROR_MEMORY;
    TRY(safetensors_read(lora->file, tensor, *values));
    for (int64_t i = 0; i < tensor->count; i++) {
        if (isfinite((*values)[i])) continue;
        return context_fail(lora->context, SUMI_ERROR_FORMAT,
                            "%s: tensor \"%.200s\" has a number that is not finite", lora->path,
                            tensor->name);
    }
    return SUMI_OK;
}

/* The tensors of one change as numbers. */
struct numbers {
    float *up, *down, *weight, alpha;
};

static sumi_status read_numbers(const struct lora *lora, const struct change *change,
                                struct numbers *numbers)
{
    const struct weight *weight = &change->weights->items[change->number];
    numbers->alpha = (float)change->down->shape[0]; /* without one, the factor is 1 */
    TRY(read_tensor(lora, change->up, &numbers->up));
    TRY(read_tensor(lora, change->down, &numbers->down));
    if (change->alpha) TRY(safetensors_read(lora->file, change->alpha, &numbers->alpha));
    TRY(weights_own(change->weights, change->number));
    int64_t count = shape_count(&weight->shape);
    numbers->weight = context_allocate(lora->context, (size_t)count, sizeof *numbers->weight);
    return numbers->weight ? weight_read(change->weights, weight, numbers->weight)
                           : SUMI_ERROR_MEMORY;
}

static sumi_status apply(const struct lora *lora, const struct change *change, double scale)
{
    struct weight *weight = &change->weights->items[change->number];
    int64_t out = weight->shape.size[0], count = shape_count(&weight->shape);
    int64_t rank = change->down->shape[0], in = count / out;
    struct numbers numbers = {.up = NULL};
    sumi_status status = read_numbers(lora, change, &numbers);
    if (status == SUMI_OK) {
        const float factor = (float)(scale * numbers.alpha / (double)rank);
        BY_TEAM(worthwhile_threads(lora->context->threads, count * rank),
                add_product(out, rank, in, factor, numbers.up, numbers.down, numbers.weight));
        status = lora->context->backend->upload(lora->context, numbers.weight,
                                                (size_t)count * sizeof(float), weight->data);
    }
    context_release(lora->context, numbers.up);
    context_release(lora->context, numbers.down);
    context_release(lora->context, numbers.weight);
    return status;
}

sumi_status sumi_model_add_lora(sumi_model *model, const char *path, double scale)
{
    struct lora lora = {.context = model->context, .model = model, .path = path};
    if (!isfinite(scale)) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "%s: the scale of a LoRA should be a finite number", path);
    }
    TRY(tensors_open(model->context, path, &lora.file));
    sumi_status status = plan(&lora);
    for (int64_t i = 0; i < lora.count && status == SUMI_OK; i++)
        status = apply(&lora, &lora.changes[i], scale);
    if (status == SUMI_OK) weights_changed(model->weights);
    context_release(model->context, lora.changes);
    safetensors_free(lora.file);
    return status;
}

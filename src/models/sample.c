/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing samples from a model: its own solver, its network as a denoiser, and the whole way from
   noise to an array of items. */
#include <stdio.h>
#include <string.h>

#include "models/model.h"
#include "solvers/solver.h"

enum { CLASS_SIZE = 80 };

/* ---- The model's solver ---- */

/* Whether the network gives a variance beside its prediction is in the number of its channels;
   the solver must know it too, or it reads what is not there. */
static sumi_status check_solver(const sumi_model *model, const sumi_solver *solver)
{
    int64_t in = model->net->item_shape[model->net->item_rank - 1];
    int64_t out = model->net->out_channels;
    bool learned = solver_options(solver)->variance_type >= VARIANCE_LEARNED;
    if (out == (learned ? 2 * in : in)) return SUMI_OK;
    return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                        "the network turns %lld channels into %lld; with variance_type \"%s\" a "
                        "solver needs %lld",
                        (long long)in, (long long)out, learned ? "learned_range" : "fixed_small",
                        (long long)(learned ? 2 * in : in));
}

static sumi_status fail_class(sumi_context *context, const char *class_name)
{
    char known[512] = "";
    size_t length = 0;
    sumi_solver_info info;
    for (int i = 0; sumi_solver_describe(i, &info) && length < sizeof known; i++) {
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                                   info.name);
    }
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "the model's scheduler, %s, is not available here; choose one of the "
                        "solvers %s by name",
                        class_name, known);
}

bool model_is_binomial(const sumi_model *model)
{
    char class_name[CLASS_SIZE];
    if (scheduler_class(model->context, model->scheduler, class_name, sizeof class_name) != SUMI_OK)
        return false;
    const char *own = solver_name_for_class(class_name);
    return own && strcmp(own, "binomial") == 0;
}

/* Bits and numbers diffuse in ways that have nothing in common. */
static sumi_status check_bits(sumi_context *context, const char *wanted, const char *own)
{
    static const char bits[] = "binomial";
    if (!own || (strcmp(wanted, bits) == 0) == (strcmp(own, bits) == 0)) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "the solver %s is for a diffusion of %s, and this model's is of %s; use %s",
                        wanted, strcmp(wanted, bits) == 0 ? "bits" : "numbers",
                        strcmp(own, bits) == 0 ? "bits" : "numbers", own);
}

sumi_status sumi_model_solver(sumi_model *model, const char *name, sumi_solver **solver)
{
    char class_name[CLASS_SIZE];
    *solver = NULL;
    TRY(scheduler_class(model->context, model->scheduler, class_name, sizeof class_name));
    const char *own = solver_name_for_class(class_name);
    if (!name && !own) return fail_class(model->context, class_name);
    if (!name) name = own;
    TRY(check_bits(model->context, name, own));
    sumi_solver *made = NULL;
    TRY(sumi_solver_create(model->context, name, &made));
    sumi_status status = sumi_solver_configure(made, model->scheduler);
    if (status == SUMI_OK) status = check_solver(model, made);
    if (status == SUMI_OK) *solver = made;
    else sumi_solver_free(made);
    return status;
}

/* ---- The model as a denoiser ---- */

sumi_status sumi_model_set_labels(sumi_model *model, int64_t count, const int32_t *labels)
{
    int32_t *copy = NULL;
    if (labels) {
        if (count < 1) {
            return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                                "a list of labels has at least 1, not %lld", (long long)count);
        }
        TRY(model_check_labels(model, count, labels));
        copy = context_allocate(model->context, (size_t)count, sizeof *copy);
        if (!copy) return SUMI_ERROR_MEMORY;
        memcpy(copy, labels, (size_t)count * sizeof *copy);
    }
    context_release(model->context, model->labels);
    model->labels = copy;
    model->label_count = copy ? count : 0;
    return SUMI_OK;
}

sumi_status model_repeat_labels(const sumi_model *model, int64_t count, int32_t **labels)
{
    *labels = NULL;
    if (!model->labels) return SUMI_OK;
    *labels = context_allocate(model->context, (size_t)count, sizeof **labels);
    if (!*labels) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++) (*labels)[i] = model->labels[i % model->label_count];
    return SUMI_OK;
}

sumi_status model_check_call(const sumi_model *model, int64_t item_size, int64_t output_size)
{
    if (item_size != model_item_size(model)) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "an item of this model has %lld numbers, not %lld",
                            (long long)model_item_size(model), (long long)item_size);
    }
    if (output_size != model_output_size(model)) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "this model predicts %lld numbers for an item, and the solver expects "
                            "%lld: set variance_type as the model was trained",
                            (long long)model_output_size(model), (long long)output_size);
    }
    return SUMI_OK;
}

sumi_status sumi_model_denoiser(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                const float *x, const float *times, float *output)
{
    sumi_model *model = user;
    int32_t *labels = NULL;
    TRY(model_check_call(model, item_size, output_size));
    if (model->label_count == count) {
        return sumi_model_predict(model, count, x, times, model->labels, output);
    }
    TRY(model_repeat_labels(model, count, &labels));
    sumi_status status = sumi_model_predict(model, count, x, times, labels, output);
    context_release(model->context, labels);
    return status;
}

/* ---- Samples ---- */

/* A model and the labels of one call, for the solver. */
struct labelled {
    sumi_model *model;
    const int32_t *labels;
};

static sumi_status denoise(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    const struct labelled *labelled = user;
    TRY(model_check_call(labelled->model, item_size, output_size));
    return sumi_model_predict(labelled->model, count, x, times, labelled->labels, output);
}

/* Each class in turn, for a class-conditional model that is given no labels. */
static sumi_status choose_labels(const sumi_model *model, int64_t count, int32_t **labels)
{
    *labels = NULL;
    int64_t classes = net_classes(model->net);
    if (classes == 0) return SUMI_OK;
    *labels = context_allocate(model->context, (size_t)count, sizeof **labels);
    if (!*labels) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++) (*labels)[i] = (int32_t)(i % classes);
    return SUMI_OK;
}

static sumi_status draw(sumi_model *model, sumi_solver *solver, const int32_t *labels,
                        sumi_array *samples)
{
    struct labelled labelled = {model, labels};
    TRY(check_solver(model, solver));
    TRY(sumi_solver_start(solver, samples->rank, samples->shape, samples->data));
    return sumi_solver_run(solver, denoise, &labelled, samples->rank, samples->shape, samples->data,
                           NULL, NULL);
}

sumi_status sumi_model_sample(sumi_model *model, sumi_solver *solver, int64_t count,
                              const int32_t *labels, sumi_array *samples)
{
    sumi_context *context = model->context;
    sumi_solver *own = NULL;
    int32_t *chosen = NULL;
    int64_t shape[1 + SUMI_MAX_RANK] = {count};
    int rank = 1 + sumi_model_shape(model, shape + 1);
    memset(samples, 0, sizeof *samples);
    TRY(model_check_size(model));
    if (count < 1) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "at least 1 sample is drawn, not %lld",
                            (long long)count);
    }
    sumi_status status = solver ? SUMI_OK : sumi_model_solver(model, NULL, &own);
    if (status == SUMI_OK && !labels) status = choose_labels(model, count, &chosen);
    if (!labels) labels = chosen;
    if (status == SUMI_OK) status = model_check_labels(model, count, labels);
    if (status == SUMI_OK) status = sumi_array_create(context, rank, shape, samples);
    if (status == SUMI_OK) status = draw(model, solver ? solver : own, labels, samples);
    if (status != SUMI_OK) sumi_array_release(context, samples);
    context_release(context, chosen);
    sumi_solver_free(own);
    return status;
}

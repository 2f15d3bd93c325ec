/* SPDX-License-Identifier: Apache-2.0 */
/* What guides need of other models: the session of a weak model, and a classifier with the classes
   that samples should have. */
#include <string.h>

#include "models/classifier.h"
#include "models/session.h"

sumi_status sumi_guide_set_session(sumi_guide *guide, sumi_session *session)
{
    const struct denoising weak = session_denoising(session);
    const sumi_own_denoiser own = {.size = sizeof own,
                                   .user = weak.user,
                                   .predict = weak.predict,
                                   .product = weak.product,
                                   .set_condition = weak.set_condition,
                                   .channels = weak.channels};
    const struct guide_layer *layer = guide->layer;
    if (layer && layer->inner.item_size && layer->inner.item_size != weak.item_size) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "%s: the items of the weak model have %lld numbers, those of the model "
                            "%lld",
                            guide->type->name, (long long)weak.item_size,
                            (long long)layer->inner.item_size);
    }
    return sumi_guide_set_denoiser(guide, &own);
}

/* Classes for a classifier. */
struct wanted {
    sumi_classifier *classifier;
    int64_t count, capacity;
    int32_t *classes;           /* [count] */
    struct noise_level *levels; /* [capacity], of the items of a call */
    float *states;              /* [capacity, item]: x of the path's own scale */
    int64_t item_size;
};

static void release_wanted(sumi_context *context, void *user)
{
    struct wanted *wanted = user;
    context_release(context, wanted->classes);
    context_release(context, wanted->levels);
    context_release(context, wanted->states);
    context_release(context, wanted);
}

static sumi_status reserve(sumi_context *context, struct wanted *wanted,
                           const struct guide_call *call)
{
    if (call->count <= wanted->capacity && call->item_size == wanted->item_size) return SUMI_OK;
    size_t rows = (size_t)call->count, numbers = rows * (size_t)call->item_size;
    context_release(context, wanted->levels);
    context_release(context, wanted->states);
    wanted->capacity = 0;
    wanted->levels = context_allocate(context, rows, sizeof *wanted->levels);
    wanted->states = context_allocate(context, numbers, sizeof *wanted->states);
    if (!wanted->levels || !wanted->states) return SUMI_ERROR_MEMORY;
    wanted->capacity = call->count;
    wanted->item_size = call->item_size;
    return SUMI_OK;
}

/* The gradient by the network's input c x of that by the state x. */
static sumi_status wanted_gradient(void *user, const struct guide_call *call,
                                   float *log_likelihoods, float *gradients)
{
    struct wanted *wanted = user;
    TRY(reserve(classifier_context(wanted->classifier), wanted, call));
    for (int64_t i = 0; i < call->count; i++) {
        wanted->levels[i] = path_level(call->path, call->times[i]);
        double scale = path_input_scale(call->path, &wanted->levels[i]);
        for (int64_t j = i * call->item_size; j < (i + 1) * call->item_size; j++)
            wanted->states[j] = (float)(call->x[j] / scale);
    }
    TRY(classifier_gradient(wanted->classifier, call->count, wanted->levels, wanted->classes,
                            wanted->count, wanted->states, log_likelihoods, gradients));
    for (int64_t i = 0; i < call->count; i++) {
        double scale = path_input_scale(call->path, &wanted->levels[i]);
        for (int64_t j = i * call->item_size; j < (i + 1) * call->item_size; j++)
            gradients[j] = (float)(gradients[j] / scale);
    }
    return SUMI_OK;
}

static sumi_status check_classes(const sumi_guide *guide, const sumi_classifier *classifier,
                                 int64_t count, const int32_t *classes)
{
    const int known = sumi_classifier_classes(classifier);
    const struct guide_layer *layer = guide->layer;
    if (count < 1 || !classes)
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT, "a classifier needs a class");
    if (layer && layer->inner.item_size
        && layer->inner.item_size != classifier_item_size(classifier)) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "the classifier is for items of %lld numbers, and those of the model "
                            "have %lld",
                            (long long)classifier_item_size(classifier),
                            (long long)layer->inner.item_size);
    }
    for (int64_t i = 0; i < count; i++) {
        if (classes[i] >= 0 && classes[i] < known) continue;
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "class %d; the classifier has classes from 0 to %d", classes[i],
                            known - 1);
    }
    return SUMI_OK;
}

sumi_status sumi_guide_set_classifier(sumi_guide *guide, sumi_classifier *classifier, int64_t count,
                                      const int32_t *classes)
{
    TRY(check_classes(guide, classifier, count, classes));
    struct wanted *wanted = context_allocate_zeroed(guide->context, 1, sizeof *wanted);
    int32_t *copy = context_allocate(guide->context, (size_t)count, sizeof *copy);
    sumi_status status = wanted && copy ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) {
        memcpy(copy, classes, (size_t)count * sizeof *copy);
        *wanted = (struct wanted){.classifier = classifier, .count = count, .classes = copy};
        const struct guide_likelihood likelihood = {
            .user = wanted, .gradient = wanted_gradient, .release = release_wanted};
        status = guide_set_likelihood(guide, &likelihood);
    }
    if (status == SUMI_OK) return SUMI_OK;
    context_release(guide->context, copy);
    context_release(guide->context, wanted);
    return status;
}

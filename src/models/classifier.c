/* SPDX-License-Identifier: Apache-2.0 */
/* Log-likelihoods of classes given noised items, and their gradients; see classifier.h. */
#include "models/classifier.h"

#include <math.h>
#include <string.h>

#include "models/session.h"
#include "solvers/solver.h"

struct sumi_classifier {
    sumi_context *context;
    const sumi_model *model;
    sumi_session *session;
    sumi_solver *solver; /* the model's own, which owns the path */
    const struct noise_path *path;
    int64_t classes, positions;
    int64_t capacity; /* items of the memory */
    float *x, *times, *output, *vectors, *discarded;
    double *chances; /* [classes] */
};

/* ---- Opening ---- */

sumi_status sumi_classifier_create(sumi_context *context, const sumi_model *model,
                                   sumi_classifier **classifier)
{
    *classifier = NULL;
    TRY(model_check_size(context, model));
    if (model->net->out_channels < 2 || model->net->input_count > NET_TIMES + 1) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a classifier has two or more output channels and no inputs but items "
                            "and times; train one with train.objective = classification");
    }
    sumi_classifier *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->model = model;
    made->classes = model->net->out_channels;
    made->positions = model_output_size(model) / made->classes;
    made->chances = context_allocate(context, (size_t)made->classes, sizeof *made->chances);
    sumi_status status = made->chances ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = sumi_session_create(context, model, &made->session);
    if (status == SUMI_OK) status = model_path_solver(context, model, &made->solver);
    if (status == SUMI_OK) status = solver_path(made->solver, &made->path);
    if (status == SUMI_OK) *classifier = made;
    else sumi_classifier_free(made);
    return status;
}

static void release_memory(sumi_classifier *c)
{
    float **const blocks[] = {&c->x, &c->times, &c->output, &c->vectors, &c->discarded};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        context_release(c->context, *blocks[i]);
        *blocks[i] = NULL;
    }
    c->capacity = 0;
}

void sumi_classifier_free(sumi_classifier *classifier)
{
    if (!classifier) return;
    release_memory(classifier);
    context_release(classifier->context, classifier->chances);
    sumi_solver_free(classifier->solver);
    sumi_session_free(classifier->session);
    context_release(classifier->context, classifier);
}

int sumi_classifier_classes(const sumi_classifier *classifier)
{
    return (int)classifier->classes;
}

sumi_context *classifier_context(const sumi_classifier *classifier)
{
    return classifier->context;
}

int64_t classifier_item_size(const sumi_classifier *classifier)
{
    return model_item_size(classifier->model);
}

static sumi_status reserve(sumi_classifier *c, int64_t count)
{
    size_t rows = (size_t)count, item = (size_t)model_item_size(c->model);
    size_t output = (size_t)(c->classes * c->positions);
    if (count <= c->capacity) return SUMI_OK;
    release_memory(c);
    c->x = context_allocate(c->context, rows * item, sizeof *c->x);
    c->times = context_allocate(c->context, rows, sizeof *c->times);
    c->output = context_allocate(c->context, rows * output, sizeof *c->output);
    c->vectors = context_allocate(c->context, rows * output, sizeof *c->vectors);
    c->discarded = context_allocate(c->context, rows * output, sizeof *c->discarded);
    if (!c->x || !c->times || !c->output || !c->vectors || !c->discarded) return SUMI_ERROR_MEMORY;
    c->capacity = count;
    return SUMI_OK;
}

/* ---- Likelihoods ---- */

/* Fills the logits' softmax of an item, and returns the logarithm of the sum. */
static double fill_chances(const sumi_classifier *c, const float *output, double *limits)
{
    double sum = 0;
    int64_t k = 0; /* there is a class */
    do {
        double mean = 0;
        for (int64_t p = 0; p < c->positions; p++)
            mean += output[p * c->classes + k] / (double)c->positions;
        limits[k] = CLASSIFIER_LIMIT * tanh(mean / CLASSIFIER_LIMIT);
        sum += exp(limits[k]);
    } while (++k < c->classes);
    return log(sum);
}

/* The log-likelihood of a class and, in vectors[positions, classes], its derivative by the outputs.
 */
static double differentiate(const sumi_classifier *c, int64_t class, const float *output,
                            float *vectors)
{
    double total = fill_chances(c, output, c->chances), wanted = c->chances[class] - total;
    for (int64_t k = 0; k < c->classes; k++) {
        double share = c->chances[k] / CLASSIFIER_LIMIT, slope = 1 - share * share;
        double change = (k == class) - exp(c->chances[k] - total);
        for (int64_t p = 0; p < c->positions; p++)
            vectors[p * c->classes + k] = (float)(change * slope / (double)c->positions);
    }
    return wanted;
}

/* The factor from a state of another path at a level to this path's input, at the time of the same
   ratio of noise to signal. */
static double translate(const sumi_classifier *c, const struct noise_level *level, float *time)
{
    double ratio = level->signal > 0 ? level->noise / level->signal : INFINITY;
    ratio = fmin(fmax(ratio, path_least(c->path)), path_most(c->path));
    struct noise_level own = path_level_at(c->path, ratio);
    *time = (float)path_time(c->path, ratio);
    double size = hypot(own.signal, own.noise) / hypot(level->signal, level->noise);
    return size * path_input_scale(c->path, &own);
}

sumi_status classifier_gradient(sumi_classifier *c, int64_t count, const struct noise_level *levels,
                                const int32_t *classes, int64_t class_count, const float *x,
                                float *log_likelihoods, float *gradients)
{
    int64_t size = model_item_size(c->model), output = c->classes * c->positions;
    TRY(reserve(c, count));
    for (int64_t i = 0; i < count; i++) {
        double factor = translate(c, &levels[i], &c->times[i]);
        for (int64_t j = i * size; j < (i + 1) * size; j++) c->x[j] = (float)(factor * x[j]);
    }
    TRY(session_predict_plain(c->session, count, size, output, c->x, c->times, c->output));
    for (int64_t i = 0; i < count; i++)
        log_likelihoods[i] = (float)differentiate(c, classes[i % class_count],
                                                  c->output + i * output, c->vectors + i * output);
    TRY(session_product_plain(c->session, count, size, output, c->x, c->times, c->vectors,
                              c->discarded, gradients));
    for (int64_t i = 0; i < count; i++) {
        double factor = translate(c, &levels[i], &c->times[i]);
        for (int64_t j = i * size; j < (i + 1) * size; j++)
            gradients[j] = (float)(factor * gradients[j]);
    }
    return SUMI_OK;
}

/* The likeliest class of each item noised to a time of the classifier's own path. */
sumi_status sumi_classifier_judge(sumi_classifier *classifier, int64_t count, const float *x,
                                  double time, int32_t *classes, float *probabilities)
{
    sumi_classifier *c = classifier;
    int64_t size = model_item_size(c->model), output = c->classes * c->positions;
    TRY(reserve(c, count));
    for (int64_t i = 0; i < count; i++) c->times[i] = (float)time;
    TRY(session_predict_plain(c->session, count, size, output, x, c->times, c->output));
    for (int64_t i = 0; i < count; i++) {
        double total = fill_chances(c, c->output + i * output, c->chances);
        classes[i] = 0;
        for (int32_t k = 1; k < c->classes; k++)
            if (c->chances[k] > c->chances[classes[i]]) classes[i] = k;
        if (probabilities) probabilities[i] = (float)exp(c->chances[classes[i]] - total);
    }
    return SUMI_OK;
}

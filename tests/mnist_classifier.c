/* SPDX-License-Identifier: Apache-2.0 */
/* Two strided convolutions and two linear layers, trained by cross-entropy over three epochs. */
#include "mnist_classifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 128, GROUP = 100, EPOCHS = 3, IMAGES = 60000, STEPS = EPOCHS * IMAGES / BATCH };

/* Status of the first failure of a list of calls. */
#define STEP(expression)                                                                           \
    do {                                                                                           \
        if (status == SUMI_OK) status = (expression);                                              \
    } while (0)

struct mnist_classifier {
    sumi_weights *weights;
    sumi_graph *graph; /* from images to probabilities, GROUP at a time */
    sumi_plan *plan;
    sumi_node images, probabilities;
};

/* ---- The network ---- */

static sumi_node weight(sumi_graph *graph, const char *name, int rank, const int64_t *shape,
                        double fan)
{
    return sumi_graph_weight(graph, name, rank, shape, SUMI_START_FAN_IN, fan);
}

/* A strided convolution and ReLU: half the size. */
static sumi_node convolve(sumi_graph *graph, const char *name, sumi_node x, int64_t in, int64_t out,
                          int64_t kernel)
{
    char text[64];
    const int64_t shape[] = {out, in, kernel, kernel}, edge = kernel / 2;
    const sumi_convolution geometry = {{2, 2}, {edge, edge}, {edge, edge}};
    double fan = (double)(in * kernel * kernel);
    snprintf(text, sizeof text, "%s.weight", name);
    sumi_node w = weight(graph, text, 4, shape, fan);
    snprintf(text, sizeof text, "%s.bias", name);
    sumi_node b = weight(graph, text, 1, &out, fan);
    return sumi_op_relu(graph, sumi_op_convolution(graph, x, w, b, &geometry));
}

static sumi_node connect(sumi_graph *graph, const char *name, sumi_node x, int64_t in, int64_t out)
{
    char text[64];
    const int64_t shape[] = {out, in};
    snprintf(text, sizeof text, "%s.weight", name);
    sumi_node w = weight(graph, text, 2, shape, (double)in);
    snprintf(text, sizeof text, "%s.bias", name);
    sumi_node b = weight(graph, text, 1, &out, (double)in);
    return sumi_op_linear(graph, x, w, b);
}

/* images[n,28,28,1] to logits[n,10], which stay below 15 so that their exponentials are finite. */
static sumi_node build_logits(sumi_graph *graph, sumi_node images, int64_t n)
{
    const int64_t flat[] = {n, 7 * 7 * 64};
    sumi_node h = convolve(graph, "first", images, 1, 32, 5);
    h = convolve(graph, "second", h, 32, 64, 3);
    h = connect(graph, "third", sumi_op_reshape(graph, h, 2, flat), flat[1], 128);
    h = sumi_op_dropout(graph, sumi_op_relu(graph, h), 0.3);
    h = connect(graph, "fourth", h, 128, MNIST_CLASSES);
    return sumi_op_affine(graph, sumi_op_tanh(graph, sumi_op_affine(graph, h, 1.0 / 15, 0)), 15, 0);
}

/* ---- Training ---- */

struct lesson {
    sumi_data *data;
    sumi_node images, targets;
    int64_t epoch;  /* that `order` is of, or -1 */
    int64_t *order; /* [IMAGES] */
};

/* Mean over the batch of -log softmax(logits)[label]. */
static sumi_node build_loss(void *user, sumi_graph *graph)
{
    struct lesson *lesson = user;
    const int64_t shape[] = {BATCH, 28, 28, 1}, target_shape[] = {BATCH, MNIST_CLASSES};
    lesson->images = sumi_graph_input(graph, "images", 4, shape);
    lesson->targets = sumi_graph_input(graph, "targets", 2, target_shape);
    sumi_node logits = build_logits(graph, lesson->images, BATCH);
    sumi_node total = sumi_op_sum(graph, sumi_op_exp(graph, logits), 1u << 1);
    sumi_node log_softmax = sumi_op_subtract(graph, logits, sumi_op_log(graph, total));
    sumi_node picked = sumi_op_multiply(graph, lesson->targets, log_softmax);
    return sumi_op_affine(graph, sumi_op_sum(graph, picked, 3), -1.0 / BATCH, 0);
}

/* A new order of all images, by the generator of Knuth's MMIX. */
static void shuffle(struct lesson *lesson, int64_t epoch)
{
    uint64_t state = (uint64_t)epoch + 1;
    lesson->epoch = epoch;
    for (int64_t i = 0; i < IMAGES; i++) lesson->order[i] = i;
    for (int64_t i = IMAGES - 1; i > 0; i--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        int64_t other = (int64_t)((state >> 33) % (uint64_t)(i + 1)), kept = lesson->order[i];
        lesson->order[i] = lesson->order[other];
        lesson->order[other] = kept;
    }
}

static sumi_status feed_batch(void *user, sumi_plan *plan, int64_t step)
{
    struct lesson *lesson = user;
    int64_t an_epoch = IMAGES / BATCH, first = step % an_epoch * BATCH;
    int32_t labels[BATCH];
    if (step / an_epoch != lesson->epoch) shuffle(lesson, step / an_epoch);
    float *targets = sumi_plan_data(plan, lesson->targets);
    sumi_status status = sumi_data_read(lesson->data, lesson->order + first, BATCH,
                                        sumi_plan_data(plan, lesson->images), labels);
    memset(targets, 0, BATCH * MNIST_CLASSES * sizeof *targets);
    for (int i = 0; i < BATCH && status == SUMI_OK; i++) {
        targets[i * MNIST_CLASSES + labels[i]] = 1;
    }
    return status;
}

sumi_status mnist_open(sumi_context *context, const char *folder, const char *split,
                       sumi_recipe **recipe, sumi_data **data)
{
    char setting[4200];
    sumi_status status = sumi_recipe_open(context, "ddpm-mnist", recipe);
    snprintf(setting, sizeof setting, "data.path=%s", folder);
    STEP(sumi_recipe_set(*recipe, setting));
    snprintf(setting, sizeof setting, "data.split=%s", split);
    STEP(sumi_recipe_set(*recipe, setting));
    STEP(sumi_recipe_set(*recipe, "data.labels=yes"));
    STEP(sumi_data_open(context, *recipe, data));
    return status;
}

static sumi_status set_training(sumi_recipe *recipe)
{
    static const char *const settings[] = {
        "train.learning_rate=0.002", "train.decay=cosine", "train.warmup=50",
        "train.weight_decay=0.01",   "train.ema=0.99",     "train.batch=128"};
    char steps[64];
    sumi_status status = SUMI_OK;
    snprintf(steps, sizeof steps, "train.steps=%d", STEPS);
    STEP(sumi_recipe_set(recipe, steps));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        STEP(sumi_recipe_set(recipe, settings[i]));
    }
    return status;
}

static sumi_status train(sumi_context *context, const sumi_recipe *recipe, sumi_data *data,
                         const char *cache, sumi_weights *weights)
{
    struct lesson lesson = {.data = data, .epoch = -1};
    sumi_objective objective = {
        .size = sizeof objective, .user = &lesson, .build = build_loss, .feed = feed_batch};
    sumi_trainer *trainer = NULL;
    bool cached = cache && access(cache, F_OK) == 0;
    lesson.order = malloc(IMAGES * sizeof *lesson.order);
    sumi_status status = lesson.order ? SUMI_OK : SUMI_ERROR_MEMORY;
    STEP(sumi_trainer_create_custom(context, recipe, weights, &objective, &trainer));
    if (cached) STEP(sumi_trainer_load(trainer, cache));
    STEP(sumi_trainer_run(trainer, NULL, NULL, NULL)); /* ends with the averaged weights */
    if (cache && !cached) STEP(sumi_trainer_save(trainer, cache));
    sumi_trainer_free(trainer);
    free(lesson.order);
    return status;
}

static sumi_status plan_judgement(sumi_context *context, mnist_classifier *classifier)
{
    const int64_t shape[] = {GROUP, 28, 28, 1};
    sumi_status status = sumi_graph_create(context, classifier->weights, false, &classifier->graph);
    if (status != SUMI_OK) return status;
    classifier->images = sumi_graph_input(classifier->graph, "images", 4, shape);
    sumi_node logits = build_logits(classifier->graph, classifier->images, GROUP);
    classifier->probabilities = sumi_op_softmax(classifier->graph, logits);
    return sumi_plan_create(classifier->graph, 1, &classifier->probabilities, &classifier->plan);
}

sumi_status mnist_classifier_train(sumi_context *context, const char *folder, const char *cache,
                                   mnist_classifier **classifier)
{
    mnist_classifier *made = calloc(1, sizeof *made);
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    if (!made) return SUMI_ERROR_MEMORY;
    sumi_status status = mnist_open(context, folder, "train", &recipe, &data);
    if (status == SUMI_OK && sumi_data_count(data) != IMAGES) status = SUMI_ERROR_ARGUMENT;
    STEP(set_training(recipe));
    STEP(sumi_weights_create(context, 1, &made->weights));
    STEP(train(context, recipe, data, cache, made->weights));
    STEP(plan_judgement(context, made));
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    if (status == SUMI_OK) *classifier = made;
    else mnist_classifier_free(made);
    return status;
}

void mnist_classifier_free(mnist_classifier *classifier)
{
    if (!classifier) return;
    sumi_plan_free(classifier->plan);
    sumi_graph_free(classifier->graph);
    sumi_weights_free(classifier->weights);
    free(classifier);
}

/* ---- Judging ---- */

sumi_status mnist_classifier_judge(mnist_classifier *classifier, int64_t count, const float *images,
                                   float *probabilities)
{
    float *input = sumi_plan_data(classifier->plan, classifier->images);
    const float *output = sumi_plan_data(classifier->plan, classifier->probabilities);
    for (int64_t first = 0; first < count; first += GROUP) {
        int64_t size = count - first < GROUP ? count - first : GROUP;
        memcpy(input, images + first * MNIST_SIZE, (size_t)size * MNIST_SIZE * sizeof *input);
        sumi_status status = sumi_plan_run(classifier->plan, 0, 0);
        if (status != SUMI_OK) return status;
        memcpy(probabilities + first * MNIST_CLASSES, output,
               (size_t)size * MNIST_CLASSES * sizeof *output);
    }
    return SUMI_OK;
}

sumi_status mnist_classifier_verdict(mnist_classifier *classifier, int64_t count,
                                     const float *images, mnist_verdict *verdict)
{
    float *probabilities = malloc((size_t)count * MNIST_CLASSES * sizeof *probabilities);
    *verdict = (mnist_verdict){.count = count};
    sumi_status status = probabilities ? SUMI_OK : SUMI_ERROR_MEMORY;
    STEP(mnist_classifier_judge(classifier, count, images, probabilities));
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        const float *p = probabilities + i * MNIST_CLASSES;
        int best = 0;
        for (int k = 1; k < MNIST_CLASSES; k++) {
            if (p[k] > p[best]) best = k;
        }
        verdict->of_class[best]++;
        verdict->confident += p[best] > 0.9f;
    }
    free(probabilities);
    return status;
}

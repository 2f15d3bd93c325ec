/* SPDX-License-Identifier: Apache-2.0 */
/* Strided convolutions and linear layers, trained by cross-entropy. Digits in the middle of a
   picture are classified from all places at once, and scenes from features that are the same at all
   places, of which the mean is taken. */
#include "classifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 128, GROUP = 100 };

/* Status of the first failure of a list of calls. */
#define STEP(expression)                                                                           \
    do {                                                                                           \
        if (status == SUMI_OK) status = (expression);                                              \
    } while (0)

struct classifier {
    int64_t shape[3], size; /* of an image: height, width and channels; numbers */
    int classes;
    bool anywhere;
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

/* A strided convolution: half the size. */
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
    return sumi_op_convolution(graph, x, w, b, &geometry);
}

/* Group normalisation and SiLU. */
static sumi_node normalise(sumi_graph *graph, const char *name, sumi_node x, int64_t channels)
{
    char text[64];
    snprintf(text, sizeof text, "%s.norm.weight", name);
    sumi_node scale = sumi_graph_weight(graph, text, 1, &channels, SUMI_START_ONE, 0);
    snprintf(text, sizeof text, "%s.norm.bias", name);
    sumi_node shift = sumi_graph_weight(graph, text, 1, &channels, SUMI_START_ZERO, 0);
    return sumi_op_group_norm(graph, x, scale, shift, 8, 1e-5, true);
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

/* From images to 128 features of each, by weights for each place of 7 x 7 or so. */
static sumi_node of_the_middle(sumi_graph *graph, const struct classifier *c, sumi_node images,
                               int64_t n)
{
    const int64_t flat[] = {n, c->shape[0] / 4 * (c->shape[1] / 4) * 64};
    sumi_node h = sumi_op_relu(graph, convolve(graph, "first", images, c->shape[2], 32, 5));
    h = sumi_op_relu(graph, convolve(graph, "second", h, 32, 64, 3));
    h = connect(graph, "third", sumi_op_reshape(graph, h, 2, flat), flat[1], 128);
    return sumi_op_dropout(graph, sumi_op_relu(graph, h), 0.3);
}

/* The same by means over all places. */
static sumi_node of_any_place(sumi_graph *graph, const struct classifier *c, sumi_node images,
                              int64_t n)
{
    const int64_t flat[] = {n, 128};
    sumi_node h = convolve(graph, "first", images, c->shape[2], 32, 5);
    h = convolve(graph, "second", normalise(graph, "first", h, 32), 32, 64, 3);
    h = convolve(graph, "third", normalise(graph, "second", h, 64), 64, 128, 5);
    h = sumi_op_mean(graph, normalise(graph, "third", h, 128), 1u << 1 | 1u << 2);
    h = connect(graph, "wide", sumi_op_reshape(graph, h, 2, flat), 128, 128);
    return sumi_op_relu(graph, h);
}

/* An input of images and, from them, logits[n, classes], which stay below 15 so that their
   exponentials are finite. */
static sumi_node build_logits(sumi_graph *graph, const struct classifier *c, int64_t n,
                              sumi_node *images)
{
    const int64_t shape[] = {n, c->shape[0], c->shape[1], c->shape[2]};
    *images = sumi_graph_input(graph, "images", 4, shape);
    sumi_node h =
        c->anywhere ? of_any_place(graph, c, *images, n) : of_the_middle(graph, c, *images, n);
    h = connect(graph, "fourth", h, 128, c->classes);
    return sumi_op_affine(graph, sumi_op_tanh(graph, sumi_op_affine(graph, h, 1.0 / 15, 0)), 15, 0);
}

/* ---- Training ---- */

struct lesson {
    const struct classifier *classifier;
    sumi_data *data;
    sumi_node images, targets;
    int64_t count;  /* of the images */
    int64_t epoch;  /* that `order` is of, or -1 */
    int64_t *order; /* [count] */
};

/* Mean over the batch of -log softmax(logits)[label]. */
static sumi_node build_loss(void *user, sumi_graph *graph)
{
    struct lesson *lesson = user;
    const int64_t target_shape[] = {BATCH, lesson->classifier->classes};
    lesson->targets = sumi_graph_input(graph, "targets", 2, target_shape);
    sumi_node logits = build_logits(graph, lesson->classifier, BATCH, &lesson->images);
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
    for (int64_t i = 0; i < lesson->count; i++) lesson->order[i] = i;
    for (int64_t i = lesson->count - 1; i > 0; i--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        int64_t other = (int64_t)((state >> 33) % (uint64_t)(i + 1)), kept = lesson->order[i];
        lesson->order[i] = lesson->order[other];
        lesson->order[other] = kept;
    }
}

static sumi_status feed_batch(void *user, sumi_plan *plan, int64_t step)
{
    struct lesson *lesson = user;
    int64_t an_epoch = lesson->count / BATCH, first = step % an_epoch * BATCH;
    int classes = lesson->classifier->classes;
    int32_t labels[BATCH];
    if (step / an_epoch != lesson->epoch) shuffle(lesson, step / an_epoch);
    float *targets = sumi_plan_data(plan, lesson->targets);
    sumi_status status = sumi_data_read(lesson->data, lesson->order + first, BATCH,
                                        sumi_plan_data(plan, lesson->images), labels);
    memset(targets, 0, (size_t)(BATCH * classes) * sizeof *targets);
    for (int i = 0; i < BATCH && status == SUMI_OK; i++) targets[i * classes + labels[i]] = 1;
    return status;
}

static sumi_status set_training(sumi_recipe *recipe, int64_t steps)
{
    static const char *const settings[] = {
        "train.learning_rate=0.002", "train.decay=cosine", "train.warmup=50",
        "train.weight_decay=0.01",   "train.ema=0.99",     "train.batch=128"};
    char text[64];
    sumi_status status = SUMI_OK;
    snprintf(text, sizeof text, "train.steps=%lld", (long long)steps);
    STEP(sumi_recipe_set(recipe, text));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        STEP(sumi_recipe_set(recipe, settings[i]));
    }
    return status;
}

static sumi_status train(sumi_context *context, const sumi_recipe *recipe, struct lesson *lesson,
                         const char *cache)
{
    sumi_objective objective = {
        .size = sizeof objective, .user = lesson, .build = build_loss, .feed = feed_batch};
    sumi_trainer *trainer = NULL;
    bool cached = cache && access(cache, F_OK) == 0;
    lesson->order = malloc((size_t)lesson->count * sizeof *lesson->order);
    sumi_status status = lesson->order ? SUMI_OK : SUMI_ERROR_MEMORY;
    STEP(sumi_trainer_create_custom(context, recipe, lesson->classifier->weights, &objective,
                                    &trainer));
    if (cached) STEP(sumi_trainer_load(trainer, cache));
    STEP(sumi_trainer_run(trainer, NULL, NULL, NULL)); /* ends with the averaged weights */
    if (cache && !cached) STEP(sumi_trainer_save(trainer, cache));
    sumi_trainer_free(trainer);
    free(lesson->order);
    return status;
}

static sumi_status plan_judgement(sumi_context *context, struct classifier *c)
{
    sumi_status status = sumi_graph_create(context, c->weights, false, &c->graph);
    if (status != SUMI_OK) return status;
    sumi_node logits = build_logits(c->graph, c, GROUP, &c->images);
    c->probabilities = sumi_op_softmax(c->graph, logits);
    return sumi_plan_create(c->graph, 1, &c->probabilities, &c->plan);
}

/* Sets the sizes from those of the data set. */
static sumi_status measure(struct classifier *c, const sumi_data *data)
{
    int64_t shape[SUMI_MAX_RANK];
    c->classes = sumi_data_classes(data);
    if (sumi_data_shape(data, shape) != 3 || shape[0] % 4 || shape[1] % 4 || c->classes < 2
        || c->classes > CLASSIFIER_CLASSES || sumi_data_count(data) < BATCH)
        return SUMI_ERROR_ARGUMENT;
    memcpy(c->shape, shape, sizeof c->shape);
    c->size = shape[0] * shape[1] * shape[2];
    return SUMI_OK;
}

sumi_status classifier_train(sumi_context *context, sumi_data *data,
                             const struct classifier_plan *plan, struct classifier **made)
{
    struct classifier *c = calloc(1, sizeof *c);
    sumi_recipe *recipe = NULL;
    if (!c) return SUMI_ERROR_MEMORY;
    struct lesson lesson = {
        .classifier = c, .data = data, .count = sumi_data_count(data), .epoch = -1};
    sumi_status status = measure(c, data);
    c->anywhere = plan->anywhere;
    STEP(sumi_recipe_open(context, "digits", &recipe));
    STEP(set_training(recipe, plan->steps));
    STEP(sumi_weights_create(context, 1, &c->weights));
    STEP(train(context, recipe, &lesson, plan->cache));
    STEP(plan_judgement(context, c));
    sumi_recipe_free(recipe);
    if (status == SUMI_OK) *made = c;
    else classifier_free(c);
    return status;
}

void classifier_free(struct classifier *c)
{
    if (!c) return;
    sumi_plan_free(c->plan);
    sumi_graph_free(c->graph);
    sumi_weights_free(c->weights);
    free(c);
}

/* ---- Judging ---- */

static int32_t likeliest(const float *probabilities, int classes)
{
    int best = 0;
    for (int k = 1; k < classes; k++) {
        if (probabilities[k] > probabilities[best]) best = k;
    }
    return best;
}

sumi_status classifier_judge(struct classifier *c, int64_t count, const float *images,
                             int32_t *classes, float *probabilities)
{
    float *input = sumi_plan_data(c->plan, c->images);
    const float *output = sumi_plan_data(c->plan, c->probabilities);
    for (int64_t first = 0; first < count; first += GROUP) {
        int64_t size = count - first < GROUP ? count - first : GROUP;
        memcpy(input, images + first * c->size, (size_t)(size * c->size) * sizeof *input);
        sumi_status status = sumi_plan_run(c->plan, 0, 0);
        if (status != SUMI_OK) return status;
        for (int64_t i = 0; i < size; i++) {
            int32_t best = classes[first + i] = likeliest(output + i * c->classes, c->classes);
            if (probabilities) probabilities[first + i] = output[i * c->classes + best];
        }
    }
    return SUMI_OK;
}

sumi_status classifier_verdict(struct classifier *c, int64_t count, const float *images,
                               struct verdict *verdict)
{
    float *probabilities = malloc((size_t)count * sizeof *probabilities);
    int32_t *classes = malloc((size_t)count * sizeof *classes);
    memset(verdict, 0, sizeof *verdict);
    verdict->count = count;
    sumi_status status = probabilities && classes ? SUMI_OK : SUMI_ERROR_MEMORY;
    STEP(classifier_judge(c, count, images, classes, probabilities));
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        verdict->of_class[classes[i]]++;
        verdict->confident += probabilities[i] > 0.9f;
    }
    free(classes);
    free(probabilities);
    return status;
}

sumi_status classifier_count_right(struct classifier *c, int64_t count, const float *images,
                                   const int32_t *labels, int64_t *right)
{
    int32_t *classes = malloc((size_t)count * sizeof *classes);
    *right = 0;
    sumi_status status = classes ? SUMI_OK : SUMI_ERROR_MEMORY;
    STEP(classifier_judge(c, count, images, classes, NULL));
    for (int64_t i = 0; i < count && status == SUMI_OK; i++)
        *right += classes[i] == (labels ? labels[i] : (int32_t)(i % c->classes));
    free(classes);
    return status;
}

/* ---- Data sets ---- */

sumi_status open_labelled(sumi_context *context, const char *recipe, const char *const *settings,
                          sumi_data **data)
{
    sumi_recipe *opened = NULL;
    sumi_status status = sumi_recipe_open(context, recipe, &opened);
    for (int i = 0; settings[i]; i++) STEP(sumi_recipe_set(opened, settings[i]));
    STEP(sumi_recipe_set(opened, "data.labels=yes"));
    STEP(sumi_data_open(context, opened, data));
    sumi_recipe_free(opened);
    return status;
}

sumi_status mnist_open(sumi_context *context, const char *folder, const char *split,
                       sumi_data **data)
{
    char path[4200], part[64];
    snprintf(path, sizeof path, "data.path=%s", folder);
    snprintf(part, sizeof part, "data.split=%s", split);
    return open_labelled(context, "ddpm-mnist", (const char *[]){path, part, NULL}, data);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A program that compares samples of a trained model with its training data:

       judge mnist|digits|shapes SAMPLES.npy | MODEL_FOLDER [COUNT]
       judge morlet SAMPLES.npy | MODEL_FOLDER [NOISE]

   Pictures are classified by a network that it trains on the real MNIST, or on generated digits or
   scenes of the samples' size, and stores in the build folder; it counts those that show the class
   asked for, which is that of `sumi sample` without --label: sample i has class i modulo their
   number. Waves are fitted by the family of Morlet wavelets, and the residuals are compared with
   those of real waves, clean and with noise of the given standard deviation. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/morlet.h"
#include "classifier.h"
#include "real_data.h"

enum { USUAL_COUNT = 500 };

/* Status of the first failure of a list of calls. */
#define STEP(expression)                                                                           \
    do {                                                                                           \
        if (status == SUMI_OK) status = (expression);                                              \
    } while (0)

/* Samples from a file, or `count` drawn from a model folder by its own scheduler. */
static sumi_status take_samples(sumi_context *context, const char *path, int64_t count,
                                sumi_array *samples)
{
    struct stat info;
    sumi_model *model = NULL;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return sumi_array_read(context, path, samples);
    }
    sumi_status status = sumi_model_open(context, path, &model);
    STEP(sumi_model_sample(model, NULL, count, NULL, samples));
    sumi_model_free(model);
    return status;
}

/* ---- Pictures ---- */

struct picture_kind {
    const char *name;
    int64_t steps; /* of the classifier's training */
    bool anywhere;
};
static const struct picture_kind picture_kinds[] = {
    {"mnist", 1406, false}, {"digits", 600, false}, {"shapes", 1200, true}};

static const struct picture_kind *picture_kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof picture_kinds / sizeof *picture_kinds; i++)
        if (strcmp(picture_kinds[i].name, name) == 0) return &picture_kinds[i];
    return NULL;
}

/* The pictures that the classifier learns from. */
static sumi_status open_pictures(sumi_context *context, const char *kind, int64_t side,
                                 sumi_data **data)
{
    char folder[4096], size[64];
    if (strcmp(kind, "digits") == 0)
        return open_labelled(context, "digits", (const char *[]){NULL}, data);
    snprintf(size, sizeof size, "data.size=%lld", (long long)side);
    if (strcmp(kind, "shapes") == 0)
        return open_labelled(context, "digits", (const char *[]){"data.kind=shapes", size, NULL},
                             data);
    if (!find_real_data("mnist", "train-images-idx3-ubyte.gz", folder)) return SUMI_ERROR_FILE;
    return mnist_open(context, folder, "train", data);
}

static void print_verdict(const sumi_data *data, const struct verdict *verdict, int64_t right)
{
    double count = (double)verdict->count;
    printf("confident (> 0.9) of %lld of %lld samples: %.1f %%\n", (long long)verdict->confident,
           (long long)verdict->count, 100.0 * (double)verdict->confident / count);
    for (int k = 0; k < sumi_data_classes(data); k++) {
        const char *name = sumi_data_class_name(data, k);
        printf("class %d%s%s: %lld\n", k, name ? " " : "", name ? name : "",
               (long long)verdict->of_class[k]);
    }
    printf("of the class asked for in turn: %lld of %lld samples: %.1f %%\n", (long long)right,
           (long long)verdict->count, 100.0 * (double)right / count);
}

static bool has_items_of(const sumi_data *data, const sumi_array *samples)
{
    int64_t shape[SUMI_MAX_RANK];
    int rank = sumi_data_shape(data, shape);
    if (samples->rank != rank + 1) return false;
    return memcmp(shape, samples->shape + 1, (size_t)rank * sizeof *shape) == 0;
}

static int judge_pictures(sumi_context *context, const struct picture_kind *kind,
                          const sumi_array *samples)
{
    char cache[4096];
    const struct classifier_plan plan = {kind->steps, kind->anywhere, cache};
    struct classifier *classifier = NULL;
    sumi_data *data = NULL;
    struct verdict verdict = {0};
    int64_t right = 0, side = samples->rank > 1 ? samples->shape[1] : 0;
    snprintf(cache, sizeof cache, "%s/%s-%lld-classifier.safetensors", JUDGE_CACHE, kind->name,
             (long long)side);
    sumi_status status = open_pictures(context, kind->name, side, &data);
    bool fits = status == SUMI_OK && has_items_of(data, samples);
    if (status == SUMI_OK && !fits) fputs("judge: the samples have another shape\n", stderr);
    if (fits) {
        STEP(classifier_train(context, data, &plan, &classifier));
        STEP(classifier_verdict(classifier, samples->shape[0], samples->data, &verdict));
        STEP(classifier_count_right(classifier, samples->shape[0], samples->data, NULL, &right));
        if (status == SUMI_OK) print_verdict(data, &verdict, right);
    }
    classifier_free(classifier);
    sumi_data_free(data);
    return status != SUMI_OK ? 2 : fits ? 0 : 1;
}

/* ---- Waves ---- */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Fits waves[count, length] and prints the spread of the relative residuals. */
static void print_residuals(const char *title, int64_t count, int64_t length, const float *waves)
{
    double *residuals = malloc((size_t)count * sizeof *residuals);
    if (!residuals) return;
    for (int64_t i = 0; i < count; i++) {
        residuals[i] = morlet_fit(waves + i * length, length, NULL);
    }
    qsort(residuals, (size_t)count, sizeof *residuals, compare);
    printf("%-28s median %.4f, 90th percentile %.4f of %lld\n", title, residuals[count / 2],
           residuals[count * 9 / 10], (long long)count);
    free(residuals);
}

/* Real waves that no training has seen, with measured noise. */
static sumi_status print_real(sumi_context *context, const char *title, int64_t count,
                              int64_t length, double noise)
{
    char setting[64];
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    float *waves = malloc((size_t)(count * length) * sizeof *waves);
    int64_t *indices = malloc((size_t)count * sizeof *indices);
    sumi_status status = waves && indices ? SUMI_OK : SUMI_ERROR_MEMORY;
    STEP(sumi_recipe_open(context, "morlet", &recipe));
    STEP(sumi_recipe_set(recipe, "data.seed=20240229"));
    snprintf(setting, sizeof setting, "data.length=%lld", (long long)length);
    STEP(sumi_recipe_set(recipe, setting));
    snprintf(setting, sizeof setting, "data.noise=%g", noise);
    STEP(sumi_recipe_set(recipe, setting));
    snprintf(setting, sizeof setting, "data.count=%lld", (long long)count);
    STEP(sumi_recipe_set(recipe, setting));
    STEP(sumi_data_open(context, recipe, &data));
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) indices[i] = i;
    STEP(sumi_data_read(data, indices, count, waves, NULL));
    if (status == SUMI_OK) print_residuals(title, count, length, waves);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    free(indices);
    free(waves);
    return status;
}

static int judge_waves(sumi_context *context, const sumi_array *samples, double noise)
{
    int64_t count = samples->shape[0], length = sumi_array_count(samples) / count;
    if (samples->rank < 2 || length < 8) {
        fputs("judge: waves are of the shape [n, length, 1]\n", stderr);
        return 1;
    }
    print_residuals("samples", count, length, samples->data);
    sumi_status status = print_real(context, "real waves, clean", count, length, 0);
    if (noise > 0) STEP(print_real(context, "real waves, noisy", count, length, noise));
    return status == SUMI_OK ? 0 : 2;
}

int main(int count, char **arguments)
{
    const struct picture_kind *pictures = count > 2 ? picture_kind_of(arguments[1]) : NULL;
    bool waves = count > 2 && strcmp(arguments[1], "morlet") == 0;
    if ((!pictures && !waves) || count > 4) {
        fputs("usage: judge mnist|digits|shapes SAMPLES.npy|MODEL_FOLDER [COUNT]\n"
              "       judge morlet SAMPLES.npy|MODEL_FOLDER [NOISE]\n",
              stderr);
        return 1;
    }
    double number = count == 4 ? atof(arguments[3]) : 0;
    sumi_context *context = NULL;
    sumi_array samples = {0};
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 2;
    int64_t wanted = pictures && number >= 1 ? (int64_t)number : USUAL_COUNT;
    int result = 2;
    if (take_samples(context, arguments[2], wanted, &samples) == SUMI_OK && samples.rank > 0) {
        result = pictures ? judge_pictures(context, pictures, &samples)
                          : judge_waves(context, &samples, number);
    }
    if (result == 2) fprintf(stderr, "judge: %s\n", sumi_context_message(context));
    sumi_array_release(context, &samples);
    sumi_context_free(context);
    return result;
}

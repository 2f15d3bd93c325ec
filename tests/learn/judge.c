/* SPDX-License-Identifier: Apache-2.0 */
/* A program that compares samples of a trained model with its training data:

       judge mnist SAMPLES.npy | MODEL_FOLDER [COUNT]
       judge morlet SAMPLES.npy | MODEL_FOLDER [NOISE]

   Digits are classified by a network that it trains on real MNIST and stores in the build folder;
   waves are fitted by the family of Morlet wavelets, and the residuals are compared with those of
   real waves, clean and with noise of the given standard deviation. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/morlet.h"
#include "mnist_classifier.h"
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

/* ---- Digits ---- */

static int judge_digits(sumi_context *context, const sumi_array *samples)
{
    char folder[4096];
    mnist_classifier *classifier = NULL;
    mnist_verdict verdict = {0};
    if (sumi_array_count(samples) != samples->shape[0] * MNIST_SIZE) {
        fputs("judge: digits are of the shape [n, 28, 28, 1]\n", stderr);
        return 1;
    }
    if (!find_real_data("mnist", "train-images-idx3-ubyte.gz", folder)) return 1;
    sumi_status status = mnist_classifier_train(context, folder, JUDGE_CACHE, &classifier);
    STEP(mnist_classifier_verdict(classifier, samples->shape[0], samples->data, &verdict));
    mnist_classifier_free(classifier);
    if (status != SUMI_OK) return 2;
    printf("confident (> 0.9) of %lld of %lld samples: %.1f %%\n", (long long)verdict.confident,
           (long long)verdict.count, 100.0 * (double)verdict.confident / (double)verdict.count);
    for (int k = 0; k < MNIST_CLASSES; k++) {
        printf("class %d: %lld\n", k, (long long)verdict.of_class[k]);
    }
    return 0;
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
    bool digits = count > 2 && strcmp(arguments[1], "mnist") == 0;
    bool waves = count > 2 && strcmp(arguments[1], "morlet") == 0;
    if ((!digits && !waves) || count > 4) {
        fputs("usage: judge mnist SAMPLES.npy|MODEL_FOLDER [COUNT]\n"
              "       judge morlet SAMPLES.npy|MODEL_FOLDER [NOISE]\n",
              stderr);
        return 1;
    }
    double number = count == 4 ? atof(arguments[3]) : 0;
    sumi_context *context = NULL;
    sumi_array samples = {0};
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 2;
    int64_t wanted = digits && number >= 1 ? (int64_t)number : USUAL_COUNT;
    int result = 2;
    if (take_samples(context, arguments[2], wanted, &samples) == SUMI_OK && samples.rank > 0) {
        result = digits ? judge_digits(context, &samples) : judge_waves(context, &samples, number);
    }
    if (result == 2) fprintf(stderr, "judge: %s\n", sumi_context_message(context));
    sumi_array_release(context, &samples);
    sumi_context_free(context);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tiny models and auto-encoders to run commands with, and the arrays that they write. */
#ifndef TESTS_TOOL_ARRAYS_H
#define TESTS_TOOL_ARRAYS_H

#include <math.h>

#include "running.h"

#define POINTS                                                                                     \
    "sumi train points --threads 1 -q --set train.steps=2 --set train.batch=4 "                    \
    "--set sample.solver=ddim --set sample.steps=4 --set sample.count=3 --set data.count=64 "      \
    "--set model.width=16 --out points\n"

#define CLASSES                                                                                    \
    "sumi train digits --threads 1 -q --set train.steps=1 train.batch=4 data.count=16 "            \
    "sample.solver=ddim sample.steps=2 sample.count=1 model.channels=8,16 data.labels=yes "        \
    "model.class_conditional=yes --out digits\n"

/* An array that a command has written into the folder. Release with free. */
static inline sumi_array read_array(const place *here, const char *name)
{
    char path[256];
    sumi_context *context = NULL;
    sumi_array array = {0}, copy;
    snprintf(path, sizeof path, "%s/%s", here->folder, name);
    CHECK_OK(context, sumi_context_create(NULL, &context));
    CHECK_OK(context, sumi_array_read(context, path, &array));
    copy = array;
    size_t size = (size_t)sumi_array_count(&array) * sizeof *array.data;
    copy.data = malloc(size);
    assert_non_null(copy.data);
    memcpy(copy.data, array.data, size);
    sumi_array_release(context, &array);
    sumi_context_free(context);
    return copy;
}

static inline void write_array(const place *here, const char *name, const sumi_array *array)
{
    char path[256];
    sumi_context *context = NULL;
    snprintf(path, sizeof path, "%s/%s", here->folder, name);
    CHECK_OK(context, sumi_context_create(NULL, &context));
    CHECK_OK(context, sumi_array_write(context, path, array));
    sumi_context_free(context);
}

/* Root of the mean squared difference between numbers[count]. */
static inline double distance_of(int64_t count, const float *some, const float *others)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += ((double)some[i] - others[i]) * ((double)some[i] - others[i]);
    return sqrt(sum / (double)count);
}

/* Saves an auto-encoder in a folder of the place. */
static inline void save_auto_encoder(const place *here, const char *name, const char *config,
                                     uint64_t seed)
{
    sumi_context *context = NULL;
    sumi_auto_encoder *auto_encoder = NULL;
    char path[256];
    snprintf(path, sizeof path, "%s/%s", here->folder, name);
    CHECK_OK(context, sumi_context_create(NULL, &context));
    CHECK_OK(context, sumi_auto_encoder_create(context, config, seed, &auto_encoder));
    CHECK_OK(context, sumi_auto_encoder_save(auto_encoder, path));
    sumi_auto_encoder_free(auto_encoder);
    sumi_context_free(context);
}

#endif

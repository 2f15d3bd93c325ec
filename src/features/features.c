/* SPDX-License-Identifier: Apache-2.0 */
/* Features of pictures: settings, and batches of pictures through the network. The pictures are
   rounded to bytes first, as if they had been written to files and read again. */
#include "features/features.h"

#include <math.h>
#include <string.h>

#include "base/structure.h"
#include "base/text.h"
#include "features/batches.h"
#include "features/options.h"

/* ---- Settings ---- */

#define AT(member) offsetof(struct feature_options, member)

static const struct option common_options[] = {
    {WHOLE_OPTION("batch", "8", 1, 4096, "pictures at a time"), AT(batch)},
    {CHOICE_OPTION("output", "features", "features|logits",
                   "the features, or logits of classes for inception-score"),
     AT(output)},
    {.name = NULL},
};

void features_set_options(sumi_features *features)
{
    features->set = (struct option_set){.context = features->context,
                                        .owner = features->kind->name,
                                        .noun = "option",
                                        .tables = {common_options, features->kind->options},
                                        .values = &features->options};
    option_set_defaults(&features->set);
}

sumi_status sumi_features_set(sumi_features *features, const char *option, const char *value)
{
    TRY(option_set_text(&features->set, option, value));
    if (features->options.output == FEATURE_VECTOR || features->classes > 0) return SUMI_OK;
    features->options.output = FEATURE_VECTOR;
    return context_fail(features->context, SUMI_ERROR_ARGUMENT,
                        "%s: this network has no classes, so it has no logits", features->path);
}

bool sumi_features_option(sumi_features *features, int number, sumi_option *option)
{
    return option_set_describe(&features->set, number, option);
}

const char *sumi_features_setting(sumi_features *features, const char *option)
{
    return option_set_get(&features->set, option, features->text) ? features->text : NULL;
}

bool sumi_features_describe(const sumi_features *features, sumi_features_info *info)
{
    const sumi_features_info ours = {.name = features->kind->name,
                                     .count = features->count,
                                     .classes = features->classes,
                                     .side = (int)features->shape[0],
                                     .fingerprint = features->fingerprint};
    return structure_fill(info, &ours, sizeof ours);
}

/* ---- Measuring ---- */

static sumi_status check_pictures(const sumi_features *features, const sumi_array *pictures)
{
    int64_t channels = pictures->rank == 4 ? pictures->shape[3] : 0;
    if (!pictures->data || sumi_array_count(pictures) < 1 || (channels != 1 && channels != 3)) {
        return context_fail(features->context, SUMI_ERROR_ARGUMENT,
                            "features need pictures [n, height, width, 1 or 3]");
    }
    for (int i = 1; i < 3; i++) {
        if (pictures->shape[i] <= 1 << 16) continue;
        return context_fail(features->context, SUMI_ERROR_ARGUMENT,
                            "features: a picture of %lld pixels a side is too large",
                            (long long)pictures->shape[i]);
    }
    for (int64_t i = 0; i < sumi_array_count(pictures); i++) {
        if (isfinite(pictures->data[i])) continue;
        return context_fail(features->context, SUMI_ERROR_NUMBER,
                            "features: number %lld of the pictures is not finite", (long long)i);
    }
    return SUMI_OK;
}

sumi_status sumi_features_measure(sumi_features *features, const sumi_array *pictures,
                                  sumi_progress_function progress, void *user, sumi_array *result)
{
    *result = (sumi_array){0};
    TRY(check_pictures(features, pictures));
    int64_t width =
        features->options.output == FEATURE_LOGITS ? features->classes : features->count;
    TRY(sumi_array_create(features->context, 2, (int64_t[]){pictures->shape[0], width}, result));
    sumi_status status = batches_measure(features, pictures, progress, user, result->data);
    if (status != SUMI_OK) sumi_array_release(features->context, result);
    return status;
}

void sumi_features_free(sumi_features *features)
{
    if (!features) return;
    sumi_context *context = features->context;
    sumi_plan_free(features->plan);
    sumi_graph_free(features->graph);
    if (!features->model) sumi_weights_free(features->weights);
    sumi_model_free(features->model);
    safetensors_free(features->file);
    context_release(context, features->settings);
    context_release(context, features->path);
    context_release(context, features);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of one network in every type that weights are mapped in. */
#ifndef TESTS_MODELS_TWINS_H
#define TESTS_MODELS_TWINS_H

#include "models/model.h"
#include "models/tiny.h"

#define WIDE_MLP "{\"_class_name\": \"SumiMLPModel\", \"width\": 256, \"depth\": 4}"

static inline void fill_folder(scratch *room, const char *folder, const char *config,
                               number_type type, const safetensors_entry *entries, size_t count)
{
    char name[64];
    safetensors_entry typed[TINY_TENSORS];
    memcpy(typed, entries, count * sizeof *entries);
    for (size_t i = 0; i < count; i++) typed[i].type = type;
    tiny_folder(room, folder);
    snprintf(name, sizeof name, "%s/config.json", folder);
    tiny_write(room, name, config);
    snprintf(name, sizeof name, "%s/diffusion_pytorch_model.safetensors", folder);
    CHECK_OK(room->context,
             safetensors_write(room->context, scratch_path(room, name), typed, count, NULL, 0));
}

/* Folders "f16", "bf16" and "f32" of one network whose weights are multiples of 2^-11 below 1/16,
   so that they are the same numbers in each type. */
static inline void make_twins(scratch *room, const char *config)
{
    safetensors_entry entries[TINY_TENSORS];
    sumi_model *model = tiny_create(room, config);
    size_t count = tiny_entries(model, NUMBER_F32, entries);
    for (size_t i = 0; i < count; i++) {
        float *values = (float *)entries[i].data;
        int64_t size = tiny_count(entries[i].shape, entries[i].rank);
        for (int64_t k = 0; k < size; k++) {
            values[k] = fminf(fmaxf(rintf(values[k] * 2048) / 2048, -0.0625F), 0.0625F);
        }
    }
    fill_folder(room, "f16", config, NUMBER_F16, entries, count);
    fill_folder(room, "bf16", config, NUMBER_BF16, entries, count);
    fill_folder(room, "f32", config, NUMBER_F32, entries, count);
    sumi_model_free(model);
}

static inline sumi_model *open_folder(scratch *room, const char *folder)
{
    sumi_model *model = NULL;
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, folder), &model));
    return model;
}

static inline int mapped_weights(const sumi_model *model, sumi_element element)
{
    int count = 0;
    for (int64_t i = 0; i < model->weights->count; i++) {
        const struct weight *weight = &model->weights->items[i];
        count += weight->mapped && weight->element == element;
    }
    return count;
}

/* What a session that stays predicts for the first of tiny_items; free it. */
static inline float *predict_by(scratch *room, sumi_session *session, const sumi_model *model)
{
    float *x = tiny_items(model, 1), time = 10;
    float *output = malloc((size_t)tiny_size(model) * sizeof *output);
    CHECK_OK(room->context, sumi_session_predict(session, 1, x, &time, output));
    free(x);
    return output;
}

#endif

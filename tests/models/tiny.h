/* SPDX-License-Identifier: Apache-2.0 */
/* Small models for tests, and the folders they are kept in. */
#ifndef TESTS_MODELS_TINY_H
#define TESTS_MODELS_TINY_H

#include <sys/stat.h>

#include "files/safetensors.h"
#include "once.h"
#include "scratch.h"

/* 8x8 pictures of one channel; attention at the lower resolution. */
#define TINY_UNET                                                                                  \
    "{\"_class_name\": \"UNet2DModel\", \"sample_size\": 8, \"in_channels\": 1,"                   \
    " \"out_channels\": 1, \"block_out_channels\": [4, 8], \"layers_per_block\": 1,"               \
    " \"norm_num_groups\": 2, \"down_block_types\": [\"DownBlock2D\","                             \
    " \"AttnDownBlock2D\"], \"up_block_types\": [\"AttnUpBlock2D\", \"UpBlock2D\"]}"
#define TINY_CONDITIONAL                                                                           \
    "{\"sample_size\": 4, \"in_channels\": 1, \"out_channels\": 1,"                                \
    " \"block_out_channels\": [4], \"layers_per_block\": 1, \"norm_num_groups\": 2,"               \
    " \"down_block_types\": [\"DownBlock2D\"], \"up_block_types\": [\"UpBlock2D\"],"               \
    " \"attention_head_dim\": null, \"num_class_embeds\": 3}"
#define TINY_SIGNAL                                                                                \
    "{\"_class_name\": \"SumiUNet1DModel\", \"sample_size\": 16,"                                  \
    " \"block_out_channels\": [4, 8], \"layers_per_block\": 1, \"norm_num_groups\": 2,"            \
    " \"down_block_types\": [\"DownBlock1D\", \"DownBlock1D\"],"                                   \
    " \"up_block_types\": [\"UpBlock1D\", \"UpBlock1D\"]}"
#define TINY_DIT                                                                                   \
    "{\"_class_name\": \"DiTTransformer2DModel\", \"sample_size\": 4, \"in_channels\": 1,"         \
    " \"num_layers\": 1, \"num_attention_heads\": 2, \"attention_head_dim\": 4,"                   \
    " \"num_embeds_ada_norm\": 3}"
#define TINY_MLP "{\"_class_name\": \"SumiMLPModel\", \"width\": 8, \"depth\": 1}"

static inline sumi_model *tiny_create(scratch *room, const char *config)
{
    sumi_model *model = NULL;
    CHECK_OK(room->context, sumi_model_create(room->context, config, 7, &model));
    return model;
}

static inline int64_t tiny_count(const int64_t *shape, int rank)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++) count *= shape[i];
    return count;
}

/* Numbers of an item. */
static inline int64_t tiny_size(const sumi_model *model)
{
    int64_t shape[SUMI_MAX_RANK];
    int rank = sumi_model_shape(model, shape);
    return tiny_count(shape, rank);
}

/* Some x[count, item], the same for each call; free it. */
static inline float *tiny_items(const sumi_model *model, int64_t count)
{
    int64_t total = count * tiny_size(model);
    float *x = malloc((size_t)total * sizeof *x);
    for (int64_t i = 0; i < total; i++) x[i] = (float)sin(0.7 * (double)i) * 0.9F;
    return x;
}

/* The output, of the input's shape, for tiny_items(count) at times 10, 20 ...; free it. */
static inline float *tiny_predict(scratch *room, sumi_model *model, int64_t count)
{
    float *x = tiny_items(model, count), *times = malloc((size_t)count * sizeof *times);
    float *output = malloc((size_t)(count * tiny_size(model)) * sizeof *output);
    for (int64_t i = 0; i < count; i++) times[i] = (float)(10 * (i + 1));
    CHECK_OK(room->context, once_predict(room->context, model, count, x, times, NULL, output));
    free(x);
    free(times);
    return output;
}

/* ---- Files ---- */

static inline void tiny_folder(scratch *room, const char *name)
{
    assert_int_equal(mkdir(scratch_path(room, name), 0777), 0);
}

static inline void tiny_write(scratch *room, const char *name, const char *text)
{
    FILE *stream = fopen(scratch_path(room, name), "w");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

/* The weights of a model as entries to write, at most so many; returns how many. */
enum { TINY_TENSORS = 256 };
static inline size_t tiny_entries(const sumi_model *model, number_type type,
                                  safetensors_entry entries[TINY_TENSORS])
{
    sumi_weight weight = {.size = sizeof weight};
    size_t count = 0;
    for (; sumi_model_weight(model, (int64_t)count, &weight); count++) {
        assert_true(count < TINY_TENSORS);
        entries[count] = (safetensors_entry){weight.name, type, weight.rank, {0}, weight.data};
        memcpy(entries[count].shape, weight.shape, sizeof weight.shape);
    }
    return count;
}

/* Fails unless a call ends with `status` and a sentence that holds `part`. */
#define CHECK_FAILS(context, status, part, expression)                                             \
    do {                                                                                           \
        assert_int_equal(expression, status);                                                      \
        if (!strstr(sumi_context_message(context), part))                                          \
            fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), part);           \
    } while (0)

#endif

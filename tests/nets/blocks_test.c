/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of networks and of pipelines against numbers that peers gave for them: pictures, tables of
   positions, embeddings of times, guidance, unCLIP's scheduler. See vectors/program.h for what is
   printed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guides/combine.h"
#include "nets/time_embedding.h"
#include "vectors/blocks.h"
#include "vectors/formula.h"

/* ---- Times ---- */

static void compare_waves(struct vectors_row *row, const float *values, int64_t channels)
{
    json_object *rows = vectors_get(row->record, "rows");
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        json_object *expected = json_object_array_get_idx(rows, i);
        for (int64_t j = 0; j < channels; j++) {
            vectors_compare(row, values[(int64_t)i * channels + j], vectors_number_at(expected, j),
                            BLOCKS_TOLERANCE, "row %zu[%d]", i, (int)j);
        }
    }
}

static sumi_status run_waves(struct vectors_row *row, sumi_graph *graph)
{
    json_object *list = vectors_get(row->record, "timesteps");
    int64_t count = (int64_t)json_object_array_length(list);
    const struct time_waves waves = {
        (int64_t)vectors_number(row->record, "embedding_dim"),
        vectors_number(row->record, "downscale_freq_shift"),
        json_object_get_boolean(vectors_get(row->record, "flip_sin_to_cos"))};
    sumi_plan *plan = NULL;
    sumi_node times = sumi_graph_input(graph, "times", 1, &count);
    sumi_node output = time_waves(graph, &waves, times);
    sumi_status status = sumi_plan_create(graph, 1, &output, &plan);
    for (int64_t i = 0; i < count && status == SUMI_OK; i++)
        sumi_plan_data(plan, times)[i] = (float)vectors_number_at(list, i);
    if (status == SUMI_OK) status = sumi_plan_run(plan, 0, 0);
    if (status == SUMI_OK) compare_waves(row, sumi_plan_data(plan, output), waves.channels);
    sumi_plan_free(plan);
    return status;
}

static void check_times(struct vectors_row *row)
{
    sumi_context *context = NULL;
    sumi_graph *graph = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) {
        vectors_fail(row, "there is no context");
        return;
    }
    sumi_status status = sumi_graph_create(context, NULL, false, &graph);
    if (status == SUMI_OK) status = run_waves(row, graph);
    if (status != SUMI_OK) vectors_fail(row, "%s", sumi_context_message(context));
    sumi_graph_free(graph);
    sumi_context_free(context);
}

/* ---- Guidance ---- */

static void check_embedding(struct vectors_row *row)
{
    enum { MOST = 4096 };
    float values[MOST];
    int64_t channels = (int64_t)vectors_number(row->record, "embedding_dim");
    if (channels < 2 || channels > MOST) {
        vectors_fail(row, "there is no embedding of %lld channels", (long long)channels);
        return;
    }
    guidance_waves(vectors_number(row->record, "w") + 1, channels, values);
    for (int64_t i = 0; i < channels; i++)
        vectors_compare(row, values[i], vectors_number_at(vectors_get(row->record, "row"), i),
                        BLOCKS_TOLERANCE, "row[%d]", (int)i);
}

enum { GUIDED_MOST = 1024 };

/* A fill "mix(N) AxBxCxD" of a record: its number and shape; false for another text. */
static bool read_fill(const char *text, unsigned *n, struct figures_layout *layout)
{
    int size[4];
    *layout = (struct figures_layout){.rank = 4, .channel_axis = 1};
    if (sscanf(text, "mix(%u) %dx%dx%dx%d", n, &size[0], &size[1], &size[2], &size[3]) != 5)
        return false;
    for (int i = 0; i < 4; i++) layout->size[i] = size[i];
    int64_t count = figures_count(layout);
    return count > 0 && count <= GUIDED_MOST && size[0] > 0 && size[1] > 0 && size[2] > 0;
}

/* The elements of a fill, where Sumi has them. */
static void fill_values(unsigned n, const struct figures_layout *layout, float *values)
{
    for (int64_t j = 0; j < figures_count(layout); j++)
        values[figures_place(layout, j)] = (float)formula_mix(n, (uint32_t)j);
}

/* Guides each item of output[], which holds the predictions under the condition. */
static void guide_items(const struct combination *rule, int64_t items, const float *null,
                        float *output)
{
    int64_t size = rule->positions * rule->width;
    for (int64_t i = 0; i < items; i++) combine(rule, null + i * size, output + i * size);
}

static void check_rescale(struct vectors_row *row)
{
    struct figures_layout layout;
    unsigned null_number, number;
    float null[GUIDED_MOST], output[GUIDED_MOST];
    if (!read_fill(vectors_text(row->record, "uncond"), &null_number, &layout)
        || !read_fill(vectors_text(row->record, "cond"), &number, &layout)) {
        vectors_fail(row, "the predictions are not given as mix(N)");
        return;
    }
    struct combination rule = {.scale = vectors_number(row->record, "guidance_scale"),
                               .positions = layout.size[2] * layout.size[3],
                               .width = layout.size[1],
                               .channels = layout.size[1],
                               .guided = layout.size[1]};
    fill_values(null_number, &layout, null);
    for (int rescaled = 0; rescaled < 2; rescaled++) {
        const char *key = rescaled ? "rescaled" : "plain";
        rule.rescale = rescaled ? vectors_number(row->record, "guidance_rescale") : 0;
        fill_values(number, &layout, output);
        guide_items(&rule, layout.size[0], null, output);
        figures_compare(row, key, vectors_get(row->record, key), &layout, output, BLOCKS_TOLERANCE);
    }
}

/* The first half of the items has a class, the other half the null class. Sumi's rule gives the
   first; the other half of the record's output has the same prediction and its own variance. */
static void check_dit(struct vectors_row *row)
{
    struct figures_layout layout;
    unsigned number;
    float output[GUIDED_MOST];
    if (!read_fill(vectors_text(row->record, "model_output"), &number, &layout)
        || layout.size[0] % 2) {
        vectors_fail(row, "the outputs are not given as mix(N) of two halves");
        return;
    }
    int64_t guided = (int64_t)vectors_number(row->record, "channels_guided");
    int64_t width = layout.size[1], half = figures_count(&layout) / 2;
    const struct combination rule = {.scale = vectors_number(row->record, "scale"),
                                     .positions = layout.size[2] * layout.size[3],
                                     .width = width,
                                     .channels = width / 2,
                                     .guided = guided};
    fill_values(number, &layout, output);
    guide_items(&rule, layout.size[0] / 2, output + half, output);
    for (int64_t i = 0; i < half; i++)
        if (i % width < guided) output[half + i] = output[i];
    figures_compare(row, "output", vectors_get(row->record, "output"), &layout, output,
                    BLOCKS_TOLERANCE);
}

/* ---- The kinds of records that Sumi has something for ---- */

static const struct {
    const char *kind;
    void (*check)(struct vectors_row *row);
} kinds[] = {
    {"2-D sinusoid positions", blocks_check_grid},
    {"temporal positions (Latte)", blocks_check_frames},
    {"time embedding", check_times},
    {"guidance embedding (LCM)", check_embedding},
    {"resize", blocks_check_resize},
    {"CLIP picture", blocks_check_clip_picture},
    {"3-D sinusoid positions (CogVideoX)", blocks_check_video},
    {"3-D rotary positions (CogVideoX)", blocks_check_rotary},
    {"UnCLIP scheduler", blocks_check_unclip},
    {"guidance rescale", check_rescale},
    {"DiT guidance", check_dit},
};

static enum vectors_result check(struct vectors_row *row)
{
    const char *kind = vectors_text(row->record, "kind");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kind, kinds[i].kind) != 0) continue;
        kinds[i].check(row);
        return VECTORS_COMPARED;
    }
    return VECTORS_NOT_THERE;
}

int main(int argc, char **argv)
{
    return vectors_main(argc, argv, "building_blocks.json", "rows", check);
}

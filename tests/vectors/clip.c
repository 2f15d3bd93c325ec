/* SPDX-License-Identifier: Apache-2.0 */
/* CLIP's encoders on a record's inputs: their states, the vector of an item, under the record's
   names. */
#include "nets/clip.h"

#include <stdio.h>
#include <stdlib.h>

#include "vectors/network.h"

enum { CHANNELS = 1 };

static void add_states(struct network *network, const struct clip *clip,
                       const struct clip_output *output)
{
    for (int64_t i = 0; i <= clip->layers; i++) {
        char name[32];
        snprintf(name, sizeof name, "hidden_states.%lld", (long long)i);
        network_output(network, name, output->states[i], -1);
    }
    network_output(network, "last_hidden_state", output->last, -1);
}

/* The rows of the texts' ends as a constant, for they depend on the record's ids; -1 after a
   failure. */
static sumi_node add_ends(struct network *network, const struct clip_text *text,
                          const struct figures_layout *layout)
{
    int64_t n = layout->size[0], tokens = layout->size[1];
    json_object *rows = vectors_get(network_record_input(network, "input_ids"), "values");
    int32_t *ids = calloc((size_t)(n * tokens), sizeof *ids);
    int32_t *ends = calloc((size_t)n, sizeof *ends);
    float *numbers = calloc((size_t)n, sizeof *numbers);
    sumi_node node = -1;
    if (ids && ends && numbers) {
        for (int64_t i = 0; i < n * tokens; i++) {
            json_object *row = json_object_array_get_idx(rows, (size_t)(i / tokens));
            ids[i] = (int32_t)vectors_number_at(row, i % tokens);
        }
        clip_text_ends(text, n, tokens, ids, ends);
        for (int64_t i = 0; i < n; i++) numbers[i] = (float)ends[i];
        node = sumi_graph_constant(network->graph, 1, &n, numbers);
    }
    free(ids);
    free(ends);
    free(numbers);
    return node;
}

bool network_build_clip_text(struct network *network)
{
    struct clip_text text;
    struct clip_output output = {{-1}, -1, -1, -1};
    struct figures_layout layout;
    if (clip_text_parse(network->context, network->config, "config", &text) != SUMI_OK)
        return network_fail(network);
    if (!network_input_layout(network, "input_ids", -1, &layout)) return false;
    if (layout.rank != 2) return vectors_fail(network->row, "input_ids should be [n, tokens]");
    sumi_node ids = network_input(network, "input_ids", SUMI_INT32, -1);
    clip_text_build(&text, network->graph, ids, add_ends(network, &text, &layout), &output);
    if (sumi_graph_status(network->graph) != SUMI_OK) return network_fail(network);
    add_states(network, &text.clip, &output);
    if (text.clip.projection) network_output(network, "text_embeds", output.vector, -1);
    else network_output(network, "pooler_output", output.pooled, -1);
    return true;
}

bool network_build_clip_vision(struct network *network)
{
    struct clip_vision vision;
    struct clip_output output;
    if (clip_vision_parse(network->context, network->config, "config", &vision) != SUMI_OK)
        return network_fail(network);
    sumi_node x = network_input(network, "pixel_values", SUMI_FLOAT32, CHANNELS);
    clip_vision_build(&vision, network->graph, x, &output);
    if (sumi_graph_status(network->graph) != SUMI_OK) return network_fail(network);
    add_states(network, &vision.clip, &output);
    if (vision.clip.projection) network_output(network, "image_embeds", output.vector, -1);
    else network_output(network, "pooler_output", output.pooled, -1);
    return true;
}

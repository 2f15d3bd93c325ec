/* SPDX-License-Identifier: Apache-2.0 */
/* The projections of unCLIP's decoder on a record's inputs. */
#include "nets/text_projection.h"

#include "vectors/network.h"

bool network_build_text_projection(struct network *network)
{
    struct text_projection projection;
    struct text_projection_output output;
    if (text_projection_parse(network->context, network->config, "config", &projection) != SUMI_OK)
        return network_fail(network);
    json_object *guided = network_record_input(network, "do_classifier_free_guidance");
    const struct text_projection_input input = {
        .images = network_input(network, "image_embeddings", SUMI_FLOAT32, -1),
        .pooled = network_input(network, "prompt_embeds", SUMI_FLOAT32, -1),
        .states = network_input(network, "text_encoder_hidden_states", SUMI_FLOAT32, -1),
        .guided = json_object_get_boolean(guided)};
    if (!text_projection_build(&projection, network->graph, &input, &output))
        return network_fail(network);
    network_output(network, "text_encoder_hidden_states", output.states, -1);
    network_output(network, "additive_clip_time_embeddings", output.added, -1);
    return true;
}

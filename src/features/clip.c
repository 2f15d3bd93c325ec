/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder of pictures of CLIP (Radford et al. 2021): the features are its projected vector, or
   without a projection the state of its class token. */
#include "features/features.h"
#include "nets/clip.h"
#include "nets/clip_picture.h"

static const struct option no_options[] = {{.name = NULL}};

static sumi_status read_all(sumi_features *features, const char *config, const char *source)
{
    struct clip_vision *vision = context_allocate_zeroed(features->context, 1, sizeof *vision);
    features->settings = vision;
    if (!vision) return SUMI_ERROR_MEMORY;
    TRY(clip_vision_parse(features->context, config, source, vision));
    features->shape[0] = features->shape[1] = vision->size;
    features->shape[2] = 3;
    features->count = vision->clip.projection ? vision->clip.projection : vision->clip.width;
    if (vision->channels == 3) return SUMI_OK;
    return context_fail(features->context, SUMI_ERROR_UNSUPPORTED,
                        "%s: \"num_channels\" should be 3, the colours of pictures", source);
}

static sumi_node build(const sumi_features *features, sumi_graph *graph, sumi_node x)
{
    struct clip_output output;
    clip_vision_build(features->settings, graph, x, &output);
    return output.vector >= 0 ? output.vector : output.pooled;
}

static sumi_status prepare(const sumi_features *features, int height, int width,
                           const uint8_t *bytes, float *input)
{
    const struct clip_picture picture = clip_picture_of(features->shape[0]);
    const int64_t size[2] = {height, width};
    return clip_picture_prepare(features->context, &picture, size, bytes, input);
}

const struct feature_kind feature_clip = {
    .name = "clip", .options = no_options, .read = read_all, .build = build, .prepare = prepare};

/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder of pictures of CLIP (Radford et al. 2021): the features are its projected vector, or
   without a projection the state of its class token. */
#include "features/clip.h"
#include "features/resize.h"

static const struct option no_options[] = {{.name = NULL}};

/* Those of CLIP's training pictures, which all published encoders use. */
static const double MEAN[] = {0.48145466, 0.4578275, 0.40821073};
static const double DEVIATION[] = {0.26862954, 0.26130258, 0.27577711};

static sumi_status read_all(sumi_features *features, const char *config, const char *source)
{
    struct clip_features *clip = context_allocate_zeroed(features->context, 1, sizeof *clip);
    features->settings = clip;
    if (!clip) return SUMI_ERROR_MEMORY;
    TRY(clip_vision_parse(features->context, config, source, &clip->vision));
    for (int i = 0; i < 3; i++) {
        clip->mean[i] = MEAN[i];
        clip->deviation[i] = DEVIATION[i];
    }
    features->size = (int)clip->vision.size;
    features->count =
        clip->vision.clip.projection ? clip->vision.clip.projection : clip->vision.clip.width;
    if (clip->vision.channels == 3) return SUMI_OK;
    return context_fail(features->context, SUMI_ERROR_UNSUPPORTED,
                        "%s: \"num_channels\" should be 3, the colours of pictures", source);
}

static sumi_node build(const sumi_features *features, sumi_graph *graph, sumi_node x)
{
    const struct clip_features *clip = features->settings;
    struct clip_output output;
    clip_vision_build(&clip->vision, graph, x, &output);
    return output.vector >= 0 ? output.vector : output.pooled;
}

const struct feature_kind feature_clip = {.name = "clip",
                                          .options = no_options,
                                          .read = read_all,
                                          .build = build,
                                          .prepare = resize_for_clip};

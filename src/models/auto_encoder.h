/* SPDX-License-Identifier: Apache-2.0 */
/* Auto-encoders with their weights, and their runners. An auto-encoder is a part of a model or a
   folder by itself, and is read-only after it is opened (auto_encoder.c). A runner belongs to one
   caller, with plans for the sizes that it has used (code.c), for whole pictures or tiles
   (tiles.c); latents.c reads and writes latents in files. */
#ifndef SUMI_MODELS_AUTO_ENCODER_H
#define SUMI_MODELS_AUTO_ENCODER_H

#include "base/hash.h"
#include "base/option_set.h"
#include "models/model.h"
#include "models/plan_cache.h"
#include "nets/auto_encoder.h"

/* Read-only after its creation. */
struct auto_encoder_part {
    sumi_context *context;
    char name[16]; /* of the part in a pipeline: "vae", "vqvae" or "movq" */
    struct auto_encoder *net;
    sumi_weights *weights;
};

sumi_status auto_encoder_part_open(sumi_context *context, const char *folder,
                                   struct auto_encoder_part **part);
/* Makes one from the text of a config.json and an opened file, which is freed or kept; `source`
   names both in messages. */
sumi_status auto_encoder_part_make(sumi_context *context, const char *config, const char *source,
                                   safetensors *file, struct auto_encoder_part **part);
/* Checks that the network's items are the auto-encoder's latents. */
sumi_status auto_encoder_check_fit(const sumi_model *model, const struct auto_encoder *net,
                                   const char *folder);
sumi_status auto_encoder_part_save(const struct auto_encoder_part *part, const char *folder);
/* The fingerprint of its weights and of the scale of its latents as a text. */
sumi_status auto_encoder_part_mark(const struct auto_encoder_part *part, char mark[HASH_TEXT]);
/* The folder of the auto-encoder: `folder` itself, or that of a pipeline's part. */
sumi_status auto_encoder_find(sumi_context *context, const char *folder, char found[PATH_SIZE]);
/* Whether a folder is that of a single auto-encoder. */
sumi_status auto_encoder_is_in(sumi_context *context, const char *folder, bool *found);
void auto_encoder_part_free(struct auto_encoder_part *part); /* accepts NULL */

/* The two halves, whose plans are of PLAN_ENCODING and PLAN_DECODING. */
enum half { HALF_ENCODER, HALF_DECODER };

/* The values of the option "posterior". */
enum { POSTERIOR_MEAN, POSTERIOR_SAMPLE };

struct sumi_auto_encoder {
    sumi_context *context;
    const struct auto_encoder_part *part;
    struct auto_encoder_part *own; /* freed with it, or NULL */
    char mark[HASH_TEXT];          /* of the weights, "" until it is computed */
    struct option_set options;     /* of the following; see sumi_auto_encoder_set */
    int precision, posterior;      /* PRECISION_BF16, POSTERIOR_SAMPLE */
    bool slices;
    int64_t tile; /* pixels; 0 for none */
    uint64_t seed;
    struct plan_cache cache;
};

/* The runner of a model's part, which must outlive it. */
sumi_status auto_encoder_begin(sumi_context *context, const struct auto_encoder_part *part,
                               sumi_auto_encoder **runner);

/* Sets the scaling_factor of an auto-encoder that the runner owns, in its config too. */
sumi_status auto_encoder_set_factor(sumi_auto_encoder *runner, double factor);

/* ---- Running (code.c) ---- */

/* One half on x[n,h,w,c] without tiles: y of the shape that half_output gives. */
sumi_status half_run(sumi_auto_encoder *runner, enum half half, const struct shape *shape,
                     const float *x, float *y);
/* The shape of its output. */
struct shape half_output(const sumi_auto_encoder *runner, enum half half,
                         const struct shape *shape);
/* Creates the plan of a cached one's signature, for the cache of the runner `user`. */
sumi_status half_build_plan(void *user, struct kept_plan *kept);

/* Refuses pictures [n,h,w,c] of other channels, or of sizes that the factor does not divide. */
sumi_status auto_encoder_check_pictures(const sumi_auto_encoder *runner,
                                        const struct shape *pictures);

/* The posterior of pictures' latents, scaled for diffusion: its means and its standard deviations,
   two new arrays [n,h,w,c]; `deviations` stays empty for an auto-encoder that draws nothing. */
sumi_status auto_encoder_posterior(sumi_auto_encoder *runner, const sumi_array *pictures,
                                   sumi_array *means, sumi_array *deviations);

/* ---- Training (auto_encoder_from_recipe.c) ---- */

/* Refuses data whose items are not pictures that the auto-encoder takes and gives back. */
sumi_status auto_encoder_check_data(const sumi_auto_encoder *runner, const sumi_data *data);

/* ---- Latents of data sets (encoded_data.c) ---- */

extern const struct option latents_keys[]; /* of a recipe's [latents] */

/* Makes the auto-encoder of the recipe a part of a model whose training data are `data`; nothing
   where the recipe names none. Refuses one that the data are not the latents of. */
sumi_status model_adopt_auto_encoder(sumi_model *model, const sumi_recipe *recipe,
                                     const sumi_data *data);

/* ---- Latents in files (latents.c) ---- */

/* The latents of an opened file, which is freed; `name` is for messages. */
sumi_status latents_take(sumi_auto_encoder *runner, const char *name, safetensors *file,
                         sumi_array *latents);

/* ---- Tiles (tiles.c) ---- */

/* Whether an input of that shape is large enough for tiles. */
bool tiles_wanted(const sumi_auto_encoder *runner, enum half half, const struct shape *shape);

/* Refuses a side of tiles that is not a multiple of 4 times the factor. */
sumi_status tiles_check(sumi_context *context, const struct auto_encoder *net, int64_t side);

/* half_run with overlapping tiles, which are blended. */
sumi_status tiles_run(sumi_auto_encoder *runner, enum half half, const struct shape *shape,
                      const float *x, float *y);

#endif

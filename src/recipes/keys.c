/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of keys, which stand beside the code that reads them, joined for the reader of
   recipes. What programs alone read stands here. */
#include "recipes/keys.h"

#include "data/data.h"
#include "learn/keys.h"
#include "models/auto_encoder.h"
#include "models/model.h"
#include "nets/recipe.h"

static const struct option summary_keys[] = {
    {TEXT_OPTION("recipe.summary", "", "one sentence that `sumi recipes` shows")},
    {.name = NULL},
};

static const struct option sample_keys[] = {
    {TEXT_OPTION("sample.solver", "ddpm", "solver for the samples"),
     .when = "train.objective!=autoencoder"},
    {WHOLE_OPTION("sample.steps", "0", 0, 100000,
                  "number of steps of the solver; 0: every noise level"),
     .when = "train.objective!=autoencoder"},
    {WHOLE_OPTION("sample.count", "16", 1, 1e9, "number of samples or reconstructions")},
    {WHOLE_OPTION("sample.columns", "0", 0, 1000, "columns of the sample grid; 0: automatic")},
    {PATH_OPTION("sample.held_out", "",
                 "pictures that an auto-encoder is measured on, read as data.path is; empty: the "
                 "test set of a kind of data that has one"),
     .when = "train.objective=autoencoder"},
    {.name = NULL},
};

static const struct option *const summary_tables[] = {summary_keys, NULL};
static const struct option *const noise_tables[] = {noise_keys, NULL};
static const struct option *const latents_tables[] = {latents_keys, NULL};
static const struct option *const sample_tables[] = {sample_keys, NULL};

static const struct other_name other_names[] = {
    {"lr", "train.learning_rate"},
    {"epochs", "train.steps (optimizer steps: epochs times items, divided by train.batch)"},
    {"epoch", "train.steps (optimizer steps: epochs times items, divided by train.batch)"},
    {"iterations", "train.steps"},
    {"max_steps", "train.steps"},
    {"batch_size", "train.batch"},
    {"timesteps", "noise.steps"},
    {"num_train_timesteps", "noise.steps"},
    {"num_inference_steps", "sample.steps"},
    {"beta_schedule", "noise.schedule"},
    {"prediction_type", "noise.prediction"},
    {"ema_decay", "train.ema"},
    {"block_out_channels", "model.channels"},
    {"norm_num_groups", "model.groups"},
    {"embed_dim", "model.latent_channels"},
    {"z_channels", "model.latent_channels"},
    {"discriminator_weight", "train.disc_weight"},
    {"grad_clip", "train.clip_gradient"},
    {"max_grad_norm", "train.clip_gradient"},
    {"dataset", "data.kind"},
    {NULL, NULL},
};

const struct recipe_keys recipe_keys = {
    .sections = {summary_tables, data_tables, latents_tables, model_tables, noise_tables,
                 train_tables, sample_tables},
    .other_names = other_names,
};

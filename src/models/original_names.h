/* SPDX-License-Identifier: Apache-2.0 */
/* The names that the first programs of Stable Diffusion gave to tensors, in single-file checkpoints
   of 1.x, 2.x and XL, and the names of diffusers and transformers for the same. */
#ifndef SUMI_MODELS_ORIGINAL_NAMES_H
#define SUMI_MODELS_ORIGINAL_NAMES_H

#include <stdbool.h>

enum { ORIGINAL_NAME = 256 };

enum original_part {
    ORIGINAL_NONE, /* not part of the model that samples: averages, schedules, losses */
    ORIGINAL_UNET,
    ORIGINAL_VAE,
    ORIGINAL_TEXT,  /* the first text encoder */
    ORIGINAL_TEXT_2 /* the second, of XL */
};

/* Numbers that names depend on. */
struct original_sizes {
    int unet_layers; /* resnets of a level on the way down */
    int vae_levels;
};

/* What a tensor is called. */
struct original_name {
    enum original_part part;
    char name[ORIGINAL_NAME];
    bool split;      /* rows of q, k and v, whose names have "q_proj" in the place of '*' */
    bool transposed; /* a matrix that is stored the other way round */
    bool squared;    /* a 1x1 convolution that is a matrix */
};

/* Finds the name of a tensor; the part is ORIGINAL_NONE for one that is not needed. */
void original_rename(const struct original_sizes *sizes, const char *tensor,
                     struct original_name *renamed);

/* The beginnings of names of a U-Net, "" where a file has it alone, and of an auto-encoder. */
#define ORIGINAL_UNET_PREFIX "model.diffusion_model."
#define ORIGINAL_VAE_PREFIX "first_stage_model."

#endif

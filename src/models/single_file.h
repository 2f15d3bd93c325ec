/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of Stable Diffusion 1.x, 2.x and XL in one file, known by the names and shapes of
   their tensors. */
#ifndef SUMI_MODELS_SINGLE_FILE_H
#define SUMI_MODELS_SINGLE_FILE_H

#include "files/safetensors.h"
#include "models/original_names.h"

/* What a checkpoint is. */
struct single_file {
    sumi_context *context;
    const char *path;
    safetensors *file; /* with the original names */
    struct original_sizes sizes;
    bool has_vae, has_text, has_text_2;
    bool open_clip; /* whether the first text encoder is OpenCLIP's: 2.x */
    bool xl;
    bool epsilon;                   /* whether a 2.x is known to predict the noise */
    int text_layers, text_2_layers; /* that are used of the text encoders */
};

/* Opens a file and finds out what it is. Close it with single_file_close, also after a failure. */
sumi_status single_file_open(sumi_context *context, const char *path, struct single_file *single);
void single_file_close(struct single_file *single);

/* How many tensors BEFORE 0 AFTER, BEFORE 1 AFTER ... there are, at most 1000; with the prefix of
   the U-Net or without. */
int single_file_count(const struct single_file *single, const char *before, const char *after);

/* The config.json of a part, as a new text. */
sumi_status single_file_config(const struct single_file *single, enum original_part part,
                               char **text);
/* The scheduler_config.json that checkpoints of its kind are used with. */
sumi_status single_file_scheduler(const struct single_file *single, char **text);
/* Opens the file once more, with the tensors of a part alone, by diffusers' names. */
sumi_status single_file_part(const struct single_file *single, enum original_part part,
                             safetensors **file);

#endif

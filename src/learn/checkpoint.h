/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: the whole state of a trainer in one safetensors file, written under a temporary
   name, flushed and renamed, so that a crash leaves the last good one. */
#ifndef SUMI_LEARN_CHECKPOINT_H
#define SUMI_LEARN_CHECKPOINT_H

#define CHECKPOINT_NAME "checkpoint.safetensors"
#define RECIPE_NAME "recipe.ini"
#define LOSSES_NAME "losses.npy"

#endif

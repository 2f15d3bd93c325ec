/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a recipe's [train], in the order of listings; each table stands in the file that
   reads it. */
#ifndef SUMI_LEARN_KEYS_H
#define SUMI_LEARN_KEYS_H

#include "base/options.h"

/* Of objectives that noise items to a time and ask the network about them (noised.h). */
#define OF_NOISED "train.objective=denoising|variational|hybrid|sliced"

extern const struct option *const train_tables[];
/* Those of them that the library's own objectives read. */
extern const struct option *const built_in_objective_tables[];

extern const struct option trainer_keys[], train_seed_keys[]; /* trainer.c */
extern const struct option step_keys[], precision_keys[];     /* step_plan.c */
extern const struct option optimizer_keys[], objective_keys[], flow_keys[], coupling_keys[];
extern const struct option reflow_keys[], times_keys[], weighting_keys[], run_keys[];
extern const struct option label_dropout_keys[], auto_encoder_keys[];

#endif

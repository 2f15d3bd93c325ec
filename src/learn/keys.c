/* SPDX-License-Identifier: Apache-2.0 */
/* Joins the keys of [train]; see keys.h. */
#include "learn/keys.h"

const struct option *const built_in_objective_tables[] = {
    objective_keys, flow_keys,          coupling_keys,     reflow_keys, times_keys,
    weighting_keys, label_dropout_keys, auto_encoder_keys, NULL,
};

const struct option *const train_tables[] = {
    trainer_keys,      step_keys,      optimizer_keys,  objective_keys, flow_keys,
    coupling_keys,     reflow_keys,    times_keys,      weighting_keys, label_dropout_keys,
    auto_encoder_keys, precision_keys, train_seed_keys, run_keys,       NULL,
};

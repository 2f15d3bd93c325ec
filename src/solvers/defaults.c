/* SPDX-License-Identifier: Apache-2.0 */
/* See defaults.h. */
#include "solvers/defaults.h"

#include <string.h>

static int schedule_number(const char *name)
{
    int number = 0;
    while (schedule_name(number) && strcmp(schedule_name(number), name) != 0) number++;
    return number;
}

void defaults_sigma(struct solver_options *options)
{
    options->clip_sample = false;
    options->timestep_spacing = SPACING_LINSPACE;
}

void defaults_latent(struct solver_options *options)
{
    defaults_sigma(options);
    options->beta_start = 0.00085;
    options->beta_end = 0.012;
}

void defaults_distilled(struct solver_options *options)
{
    options->clip_sample = false;
    options->beta_start = 0.00085;
    options->beta_end = 0.012;
    options->beta_schedule = schedule_number("scaled_linear");
}

void defaults_unclip(struct solver_options *options)
{
    options->timestep_spacing = SPACING_LINSPACE;
    options->beta_schedule = schedule_number("squaredcos_cap_v2");
    options->variance_type = VARIANCE_FIXED_SMALL_LOG;
}

void defaults_binomial(struct solver_options *options)
{
    options->clip_sample = false;
    options->num_train_timesteps = 2000;
    options->beta_schedule = schedule_number("binomial");
}

void defaults_flow(struct solver_options *options)
{
    defaults_sigma(options);
    options->path = PATH_FLOW;
    options->prediction_type = PREDICTION_FLOW;
}

void defaults_edm(struct solver_options *options)
{
    defaults_sigma(options);
    options->path = PATH_EDM;
    options->sigma_min = 0.002;
    options->sigma_max = 80;
}

void defaults_score_vp(struct solver_options *options)
{
    defaults_sigma(options);
    options->path = PATH_VP;
    options->num_train_timesteps = 2000;
    options->prediction_type = PREDICTION_SCORE;
}

void defaults_score_ve(struct solver_options *options)
{
    defaults_sigma(options);
    options->path = PATH_VE;
    options->num_train_timesteps = 2000;
    options->prediction_type = PREDICTION_SCORE;
    options->timestep_type = TIME_SIGMA;
    options->sigma_min = 0.01;
    options->sigma_max = 1348;
    options->snr = 0.15;
}

void defaults_annealed(struct solver_options *options)
{
    defaults_sigma(options);
    options->path = PATH_VE;
    options->num_train_timesteps = 10;
    options->prediction_type = PREDICTION_SCORE;
    options->sigma_min = 0.01;
    options->sigma_max = 1;
}

void defaults_cogvideox(struct solver_options *options)
{
    defaults_distilled(options);
    options->snr_shift_scale = 3;
}

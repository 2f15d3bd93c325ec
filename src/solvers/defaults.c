/* See defaults.h. */
#include "solvers/defaults.h"

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

void defaults_flow(struct solver_options *options)
{
    defaults_sigma(options);
    options->prediction_type = PREDICTION_FLOW;
}

void defaults_edm(struct solver_options *options)
{
    defaults_sigma(options);
    options->sigma_min = 0.002;
    options->sigma_max = 80;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Ancestral sampling of bits: "Deep unsupervised learning using nonequilibrium thermodynamics",
   Sohl-Dickstein, Weiss, Maheswaranathan and Ganguli 2015, section 2.2 with the binomial kernels of
   table C.1. The state holds bits, -1 and 1; the network predicts, for each, the log-odds that it
   differs from the data's bit (noise/binomial.h). */
#include <math.h>

#include "noise/binomial.h"
#include "solvers/defaults.h"
#include "solvers/solver.h"

static const double root_half = 0.70710678118654752440;

/* An event of the given probability, decided by a standard normal number. */
static bool happens(double probability, double normal)
{
    return 0.5 * erfc(-normal * root_half) < probability;
}

static float bit_of(float x)
{
    return x < 0 ? -1 : 1;
}

/* Turns the initial noise of a run into fair bits by its sign; leaves bits unchanged. */
static void make_bits(struct solver_run *run)
{
    for (int64_t i = 0; i < run->total; i++) run->x[i] = bit_of(run->x[i]);
}

/* A bit flips with the probability that binomial_flip gives; `clean` is the data's mean bit. */
static sumi_status binomial_step(struct solver_run *run)
{
    double time = run->times[run->place];
    struct binomial_back back =
        binomial_back(run_product(run, time, 1), run_product(run, run_next_time(run), 1));
    float *noise = run->row[0];
    make_bits(run);
    TRY(run_ask(run, run->x, time));
    run_draw(run, noise);
    for (int64_t i = 0; i < run->total; i++) {
        double log_odds = run->prediction[i];
        run->clean[i] = (float)(run->x[i] * tanh(-log_odds / 2));
        if (happens(binomial_flip(&back, log_odds), noise[i])) run->x[i] = -run->x[i];
    }
    return SUMI_OK;
}

static sumi_status check_path(sumi_context *context, const struct solver_options *options,
                              const struct noise_path *path, struct grid *grid)
{
    (void)options;
    (void)grid;
    if (path->kind == PATH_TABLE) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "binomial flips bits with probabilities from a table of betas, but the "
                        "chosen path adds Gaussian noise; set path to \"table\"");
}

static void add_noise(double product, int64_t count, const float *clean, const float *noise,
                      float *noised)
{
    double flipped = binomial_flipped(product);
    for (int64_t i = 0; i < count; i++) {
        float bit = bit_of(clean[i]);
        noised[i] = happens(flipped, noise[i]) ? -bit : bit;
    }
}

const struct solver_type solver_binomial = {
    .name = "binomial",
    .paper = "Sohl-Dickstein et al. 2015, Deep unsupervised learning using nonequilibrium"
             " thermodynamics",
    .classes = {"SumiBinomialScheduler"},
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 1,
    .defaults = defaults_binomial,
    .arrange = check_path,
    .ignored = LIMIT_NAMES "|rescale_betas_zero_snr|path|prediction_type|variance_type|timestep_"
                           "type|use_flow_sigmas|compat",
    .step = binomial_step,
    .add_noise_to_bits = add_noise,
};

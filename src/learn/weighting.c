/* SPDX-License-Identifier: Apache-2.0 */
/* The weights of noise levels; see weighting.h. */
#include "learn/weighting.h"

#include <math.h>

#include "learn/keys.h"

const struct option weighting_keys[] = {
    {CHOICE_OPTION("train.weighting", "simple", "simple|snr|min_snr|sigma2|bound",
                   "weight of each noise level: as in DDPM, signal-to-noise ratio of the data's "
                   "error (at most gamma), as in NCSN, or of the variational bound"),
     .when = "train.objective=denoising"},
    {NUMBER_OPTION("train.gamma", "5", 1e-6, 1e6, "largest signal-to-noise ratio in min_snr"),
     .when = "train.weighting=min_snr, train.objective=denoising"},
    {.name = NULL},
};

struct weighting weighting_of(const sumi_recipe *recipe)
{
    static const char *const names[] = {"simple", "snr", "min_snr", "sigma2", "bound"};
    struct weighting weighting = {.gamma = recipe_number(recipe, "train.gamma")};
    for (int i = WEIGHTING_SIMPLE; i <= WEIGHTING_BOUND; i++) {
        if (recipe_is(recipe, "train.weighting", names[i])) {
            weighting.kind = (enum weighting_kind)i;
        }
    }
    return weighting;
}

/* The errors of noise and data per unit of the prediction's error. Because x = a x0 + s e is given,
   an error -s u in the data comes with an error a u in the noise; the error of a prediction p = c
   x0 + n e is then (a n - s c) u. Both are therefore finite also at the ends of a path, where there
   is no signal (a = 0) or no noise, except where the prediction does not determine them: a
   predicted noise does not determine the data at a = 0, nor predicted data the noise at s = 0. */
struct unit_errors {
    double noise, data;
};

static struct unit_errors unit_errors(const struct noised *noised, const struct noise_level *level)
{
    struct prediction_map map = path_map(noised->path, noised->prediction, level);
    struct unit_errors errors = {map.noise_prediction, map.clean_prediction};
    if (noised->prediction == PREDICTION_SAMPLE) errors.noise = level->signal / level->noise;
    return errors;
}

/* g^2 / 2 for the score -e / s, where g^2 = 2 (s / a) (a s' - s a') as in path_sde: without signal
   it is infinite, but its product with the error of the score has a limit where the noise is
   exact. */
static double likelihood_weight(const struct noise_level *level, double noise_error)
{
    double a = level->signal, s = level->noise;
    if (a == 0 && noise_error == 0) return 0; /* the square of the error is proportional to a^2 */
    return (a * level->noise_slope - s * level->signal_slope) / (a * s) * noise_error * noise_error;
}

static double bound_weight(const struct noised *noised, const struct place *place,
                           double noise_error)
{
    if (noised->path->kind == PATH_TABLE && place->index >= 0) {
        return schedule_bound_weight(noised->schedule, place->index, noised->prediction,
                                     (enum variance_type)noised->options->variance_type);
    }
    return likelihood_weight(&place->level, noise_error);
}

double weighting_at(const struct weighting *weighting, const struct noised *noised,
                    const struct place *place)
{
    struct unit_errors errors = unit_errors(noised, &place->level);
    double noise = errors.noise * errors.noise, data = errors.data * errors.data;
    switch (weighting->kind) {
    case WEIGHTING_SIMPLE: break;
    case WEIGHTING_SNR: return noise; /* SNR times (s / a)^2 of it */
    case WEIGHTING_MIN_SNR: return fmin(noise, weighting->gamma * data);
    case WEIGHTING_SIGMA2: return 0.5 * noise;
    case WEIGHTING_BOUND: return bound_weight(noised, place, errors.noise);
    }
    return 1;
}

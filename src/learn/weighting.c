/* SPDX-License-Identifier: Apache-2.0 */
/* The weights of noise levels; see weighting.h. */
#include "learn/weighting.h"

#include <math.h>

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

static double bound_weight(const struct noised *noised, const struct place *place,
                           double score_error)
{
    if (noised->path->kind == PATH_TABLE && place->index >= 0) {
        return schedule_bound_weight(noised->schedule, place->index, noised->prediction,
                                     (enum variance_type)noised->options->variance_type);
    }
    return 0.5 * path_sde(&place->level).diffusion * score_error * score_error;
}

double weighting_at(const struct weighting *weighting, const struct noised *noised,
                    const struct place *place)
{
    const struct noise_level *level = &place->level;
    struct prediction_map map = path_map(noised->path, noised->prediction, level);
    double ratio = level->signal / level->noise, snr = ratio * ratio;
    /* errors of data and score for a unit of the prediction's: x0 = ... + clean_prediction p, and
       the score is -e / s */
    double data_error = map.clean_prediction, score_error = map.noise_prediction / level->noise;
    switch (weighting->kind) {
    case WEIGHTING_SIMPLE: break;
    case WEIGHTING_SNR: return snr * data_error * data_error;
    case WEIGHTING_MIN_SNR: return fmin(snr, weighting->gamma) * data_error * data_error;
    case WEIGHTING_SIGMA2: return 0.5 * level->noise * level->noise * score_error * score_error;
    case WEIGHTING_BOUND: return bound_weight(noised, place, score_error);
    }
    return 1;
}

/* The weights of noise levels; see weighting.h. */
#include "learn/weighting.h"

enum weighting weighting_of(const sumi_recipe *recipe)
{
    return recipe_is(recipe, "train.weighting", "bound") ? WEIGHTING_BOUND : WEIGHTING_SIMPLE;
}

double weighting_at(enum weighting weighting, const struct noised *noised,
                    const struct place *place)
{
    if (weighting == WEIGHTING_SIMPLE) return 1;
    return schedule_bound_weight(noised->schedule, place->index,
                                 (enum prediction_type)noised->options->prediction_type,
                                 (enum variance_type)noised->options->variance_type);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The linear maps behind each prediction; see prediction.h. */
#include "noise/prediction.h"

#include "vectors/rows.h"

const char *prediction_name(enum prediction_type type)
{
    static const char *const names[] = {"epsilon", "sample",          "v_prediction",
                                        "score",   "flow_prediction", "velocity"};
    return names[type];
}

struct prediction_target prediction_target(enum prediction_type type,
                                           const struct noise_level *level)
{
    switch (type) {
    case PREDICTION_EPSILON: return (struct prediction_target){0, 1};
    case PREDICTION_SAMPLE: return (struct prediction_target){1, 0};
    case PREDICTION_V: return (struct prediction_target){-level->noise, level->signal};
    case PREDICTION_SCORE: return (struct prediction_target){0, -1 / level->noise};
    case PREDICTION_FLOW: return (struct prediction_target){-1, 1};
    case PREDICTION_VELOCITY:
        return (struct prediction_target){level->signal_slope, level->noise_slope};
    }
    return (struct prediction_target){0, 0};
}

/* x = a x0 + s e and p = c x0 + n e, solved for x0 and e. */
struct prediction_map prediction_solve(const struct prediction_target *target,
                                       const struct noise_level *level)
{
    double a = level->signal, s = level->noise, c = target->of_clean, n = target->of_noise;
    double determinant = a * n - s * c;
    return (struct prediction_map){n / determinant, -s / determinant, -c / determinant,
                                   a / determinant};
}

/* A prediction of the noise or of the data gives that one directly, without the state; its entries
   are therefore exact at the ends of a path too, where the two equations coincide. */
struct prediction_map prediction_map(enum prediction_type type, const struct noise_level *level)
{
    double a = level->signal, s = level->noise;
    switch (type) {
    case PREDICTION_EPSILON: return (struct prediction_map){1 / a, -s / a, 0, 1};
    case PREDICTION_SCORE: return (struct prediction_map){1 / a, s * s / a, 0, -s};
    case PREDICTION_SAMPLE:
        if (s == 0) return (struct prediction_map){0, 1, 0, 0};
        return (struct prediction_map){0, 1, 1 / s, -a / s};
    case PREDICTION_V:
    case PREDICTION_FLOW:
    case PREDICTION_VELOCITY: break;
    }
    struct prediction_target target = prediction_target(type, level);
    return prediction_solve(&target, level);
}

void prediction_clean(const struct prediction_map *map, int threads, int64_t count, const float *x,
                      const float *prediction, float *clean)
{
    rows_combine(threads, count, clean, 2,
                 (struct row_term[]){{map->clean_state, x}, {map->clean_prediction, prediction}});
}

void prediction_noise(const struct prediction_map *map, int threads, int64_t count, const float *x,
                      const float *prediction, float *noise)
{
    rows_combine(threads, count, noise, 2,
                 (struct row_term[]){{map->noise_state, x}, {map->noise_prediction, prediction}});
}

void prediction_fill(const struct prediction_target *target, int threads, int64_t count,
                     const float *clean, const float *noise, float *values)
{
    rows_combine(threads, count, values, 2,
                 (struct row_term[]){{target->of_clean, clean}, {target->of_noise, noise}});
}

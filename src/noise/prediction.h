/* SPDX-License-Identifier: Apache-2.0 */
/* What a network may predict, and the maps between that and clean data and noise. At one time of a
   path x = a x0 + s e every prediction p is linear in x0 and e, p = of_clean x0 + of_noise e, so
   the inverse is four numbers: x0 = clean_state x + clean_prediction p and
   e = noise_state x + noise_prediction p. */
#ifndef SUMI_NOISE_PREDICTION_H
#define SUMI_NOISE_PREDICTION_H

#include <stdint.h>

/* The signal and noise coefficients at a time of a path, and their derivatives by the path's own
   time t (see path.h). Only velocities use the derivatives. */
struct noise_level {
    double signal, noise;
    double signal_slope, noise_slope;
};

/* The names in configuration files are "epsilon", "sample", "v_prediction", "score",
   "flow_prediction" and "velocity". */
enum prediction_type {
    PREDICTION_EPSILON, /* e: Ho et al. 2020, eq. 11 */
    PREDICTION_SAMPLE,  /* x0 */
    PREDICTION_V,       /* a e - s x0: Salimans & Ho 2022, appendix D */
    PREDICTION_SCORE,   /* -e / s, the gradient of log q_t: Song et al. 2021 */
    PREDICTION_FLOW,    /* e - x0, the velocity of the straight path x = (1 - s) x0 + s e: Liu et
                           al. 2022, Lipman et al. 2022; a target on any other path too */
    PREDICTION_VELOCITY /* a' x0 + s' e, the conditional velocity of any path: Lipman et al. 2022,
                           eq. 15; on the straight path the same as PREDICTION_FLOW */
};

/* The name of a type in configuration files. */
const char *prediction_name(enum prediction_type type);

struct prediction_target {
    double of_clean, of_noise;
};

struct prediction_map {
    double clean_state, clean_prediction;
    double noise_state, noise_prediction;
};

/* The target of a prediction, as a weighted sum of x0 and e. */
struct prediction_target prediction_target(enum prediction_type type,
                                           const struct noise_level *level);

/* The inverse map. Where the prediction does not determine x0 (epsilon or score at a = 0) its
   entries are infinite; where it does not determine e (sample at s = 0), e is zero. */
struct prediction_map prediction_map(enum prediction_type type, const struct noise_level *level);
struct prediction_map prediction_solve(const struct prediction_target *target,
                                       const struct noise_level *level); /* for any target */

/* clean[count] and noise[count] from the state x[count] and the network's prediction[count]. */
void prediction_clean(const struct prediction_map *map, int threads, int64_t count, const float *x,
                      const float *prediction, float *clean);
void prediction_noise(const struct prediction_map *map, int threads, int64_t count, const float *x,
                      const float *prediction, float *noise);

/* values[count] of a target, from clean[count] and noise[count]. */
void prediction_fill(const struct prediction_target *target, int threads, int64_t count,
                     const float *clean, const float *noise, float *values);

#endif

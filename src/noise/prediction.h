/* What a network may predict, and the way between that and clean data and noise. Every prediction
   p is linear in x0 and e, so with x = a x0 + s e each is four numbers at a given time:
   x0 = clean_state x + clean_prediction p and e = noise_state x + noise_prediction p. */
#ifndef SUMI_NOISE_PREDICTION_H
#define SUMI_NOISE_PREDICTION_H

#include <stdint.h>

/* The names in configuration files are "epsilon", "sample", "v_prediction", "score" and
   "flow_prediction". */
enum prediction_type {
    PREDICTION_EPSILON, /* e: Ho et al. 2020, eq. 11 */
    PREDICTION_SAMPLE,  /* x0 */
    PREDICTION_V,       /* a e - s x0: Salimans & Ho 2022, appendix D */
    PREDICTION_SCORE,   /* -e / s, the gradient of log q_t: Song et al. 2021 */
    PREDICTION_FLOW     /* e - x0, the velocity of the straight path x = (1 - s) x0 + s e: Liu et
                           al. 2022, Lipman et al. 2022; a target on any other path too */
};

struct prediction_map {
    double clean_state, clean_prediction;
    double noise_state, noise_prediction;
};

/* The map at signal a and noise s. Where the prediction does not determine x0 (epsilon or score at
   a = 0) its entries are infinite; where it does not determine e (sample at s = 0), e is zero. */
struct prediction_map prediction_map(enum prediction_type type, double signal, double noise);

/* clean[count] and noise[count] from the state x[count] and the network's prediction[count]. */
void prediction_clean(const struct prediction_map *map, int threads, int64_t count, const float *x,
                      const float *prediction, float *clean);
void prediction_noise(const struct prediction_map *map, int threads, int64_t count, const float *x,
                      const float *prediction, float *noise);

/* What the network should predict: target[count] from clean[count] and noise[count]. */
void prediction_target(enum prediction_type type, double signal, double noise_level, int threads,
                       int64_t count, const float *clean, const float *noise, float *target);

#endif

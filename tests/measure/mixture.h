/* SPDX-License-Identifier: Apache-2.0 */
/* A mixture of Gaussians in the plane, noised along any path, and its exact denoiser. */
#ifndef TESTS_MEASURE_MIXTURE_H
#define TESTS_MEASURE_MIXTURE_H

#include "check.h"
#include "noise/path.h"

enum { MIXTURE_PARTS = 3 };

struct mixture {
    int parts;
    double weights[MIXTURE_PARTS], means[MIXTURE_PARTS][2], variance;
    const struct noise_path *path;
    enum prediction_type prediction;
};

/* Their mean is 0, so that far out they are missed by second order only. */
static const struct mixture three_parts = {.parts = 3,
                                           .weights = {0.5, 0.3, 0.2},
                                           .means = {{0.8, 0.1}, {-0.6, 0.5}, {-1.1, -1.0}},
                                           .variance = 0.04};
static const struct mixture standard_normal = {.parts = 1, .weights = {1}, .variance = 1};

/* What is known of a state: log p, the score, the mean of the data that it came from, and how both
   change along v. */
struct mixture_view {
    double log_density, score[2], clean[2], score_along[2], clean_along[2];
};

static inline struct mixture_view mixture_look(const struct mixture *m,
                                               const struct noise_level *level, const double x[2],
                                               const double v[2])
{
    double a = level->signal, variance = a * a * m->variance + level->noise * level->noise;
    double shares[MIXTURE_PARTS], pull[MIXTURE_PARTS][2], most = -INFINITY, sum = 0, mean = 0;
    struct mixture_view view = {.log_density = 0};
    for (int k = 0; k < m->parts; k++) {
        double squares = 0;
        for (int i = 0; i < 2; i++) {
            double away = x[i] - a * m->means[k][i];
            pull[k][i] = -away / variance;
            squares += away * away;
        }
        shares[k] = log(m->weights[k]) - squares / variance / 2;
        most = fmax(most, shares[k]);
    }
    for (int k = 0; k < m->parts; k++) sum += shares[k] = exp(shares[k] - most);
    for (int k = 0; k < m->parts; k++) {
        shares[k] /= sum;
        mean += shares[k] * (pull[k][0] * v[0] + pull[k][1] * v[1]);
    }
    for (int i = 0; i < 2; i++) {
        view.score_along[i] = -v[i] / variance;
        view.clean_along[i] = a * m->variance / variance * v[i];
        for (int k = 0; k < m->parts; k++) {
            double change = shares[k] * (pull[k][0] * v[0] + pull[k][1] * v[1] - mean);
            view.score[i] += shares[k] * pull[k][i];
            view.clean[i] += shares[k] * (m->means[k][i] - a * m->variance * pull[k][i]);
            view.score_along[i] += change * pull[k][i];
            view.clean_along[i] += change * (m->means[k][i] - a * m->variance * pull[k][i]);
        }
    }
    view.log_density = most + log(sum) - log(6.283185307179586 * variance);
    return view;
}

/* The level at a time, which between the whole times of a table is linear in log(sigma), as in
   solvers. */
static inline struct noise_level mixture_level(const struct noise_path *path, double time)
{
    if (path->kind != PATH_TABLE) return path_level(path, time);
    double below = floor(time), share = time - below;
    double low = log(path_sigma(path, below));
    double high = share > 0 ? log(path_sigma(path, below + 1)) : low;
    return path_level_at(path, exp(low + share * (high - low)));
}

/* What a perfect network predicts, of_clean x0hat - of_noise s score, and the products of its
   Jacobian, which is symmetric, with vectors[count, 2]; these and `products` may be NULL. */
static inline sumi_status mixture_product(void *user, int64_t count, int64_t item_size,
                                          int64_t output_size, const float *x, const float *times,
                                          const float *vectors, float *output, float *products)
{
    const struct mixture *m = user;
    (void)item_size, (void)output_size;
    for (int64_t n = 0; n < count; n++) {
        struct noise_level level = mixture_level(m->path, times[n]);
        struct prediction_target target = path_target(m->path, m->prediction, &level);
        double scale = path_input_scale(m->path, &level);
        double at[2] = {x[2 * n] / scale, x[2 * n + 1] / scale};
        double v[2] = {vectors ? vectors[2 * n] : 0, vectors ? vectors[2 * n + 1] : 0};
        struct mixture_view view = mixture_look(m, &level, at, v);
        for (int i = 0; i < 2; i++) {
            output[2 * n + i] = (float)(target.of_clean * view.clean[i]
                                        - target.of_noise * level.noise * view.score[i]);
            if (!products) continue;
            products[2 * n + i] = (float)((target.of_clean * view.clean_along[i]
                                           - target.of_noise * level.noise * view.score_along[i])
                                          / scale);
        }
    }
    return SUMI_OK;
}

#endif

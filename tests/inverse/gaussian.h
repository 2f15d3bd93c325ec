/* SPDX-License-Identifier: Apache-2.0 */
/* Gaussian data of four numbers, [4, 1]: the perfect denoiser with its products, and the posterior
   given y = A x0 + n, all in closed form and in double. */
#ifndef TESTS_INVERSE_GAUSSIAN_H
#define TESTS_INVERSE_GAUSSIAN_H

#include "check.h"
#include "inverse/inverse.h"
#include "models/tiny.h"

enum { SIZE = 4 };
static const int64_t item_shape[2] = {SIZE, 1};

struct gaussian {
    double mean[SIZE], covariance[SIZE][SIZE];
    const struct noise_path *path;
    enum prediction_type prediction;
    int64_t predictions, products; /* rows so far */
};

/* Solves m u = r for a symmetric positive m of `size` by elimination, in place; r becomes u.
   Returns the logarithm of the determinant. */
static inline double solve_in_place(int size, double m[SIZE][SIZE], int columns, double r[][SIZE])
{
    double log_determinant = 0;
    for (int k = 0; k < size; k++) {
        log_determinant += log(m[k][k]);
        for (int i = 0; i < size; i++) {
            double share = m[i][k] / m[k][k];
            if (i == k) continue;
            for (int j = 0; j < size; j++) m[i][j] -= share * m[k][j];
            for (int c = 0; c < columns; c++) r[c][i] -= share * r[c][k];
        }
    }
    for (int c = 0; c < columns; c++)
        for (int i = 0; i < size; i++) r[c][i] /= m[i][i];
    return log_determinant;
}

/* J = dD/dx = a S (a^2 S + s^2 I)^-1, symmetric. */
static inline void derivative_at(const struct gaussian *g, const struct noise_level *level,
                                 double j[SIZE][SIZE])
{
    double m[SIZE][SIZE], a = level->signal, s = level->noise;
    for (int i = 0; i < SIZE; i++) {
        for (int k = 0; k < SIZE; k++) {
            m[i][k] = a * a * g->covariance[i][k] + (i == k ? s * s : 0);
            j[i][k] = a * g->covariance[i][k];
        }
    }
    solve_in_place(SIZE, m, SIZE, j);
}

/* A row of a call: p = of_clean D + of_noise e, with e = (x - a D) / s, and its product. */
static inline void gaussian_row(const struct gaussian *g, const struct noise_level *level,
                                double j[SIZE][SIZE], const float *x, const float *vector,
                                float *output, float *products)
{
    struct prediction_target target = path_target(g->path, g->prediction, level);
    double scale = path_input_scale(g->path, level), a = level->signal;
    double each = level->noise > 0 ? target.of_noise / level->noise : 0; /* no noise: e is 0 */
    for (int i = 0; i < SIZE; i++) {
        double clean = g->mean[i], along = 0;
        for (int k = 0; k < SIZE; k++) {
            clean += j[i][k] * (x[k] / scale - a * g->mean[k]);
            if (vector) along += j[i][k] * vector[k];
        }
        output[i] = (float)(target.of_clean * clean + each * (x[i] / scale - a * clean));
        if (!products) continue;
        products[i] = (float)((target.of_clean * along + each * (vector[i] - a * along)) / scale);
    }
}

static inline sumi_status gaussian_product(void *user, int64_t count, int64_t item_size,
                                           int64_t output_size, const float *x, const float *times,
                                           const float *vectors, float *output, float *products)
{
    struct gaussian *g = user;
    double j[SIZE][SIZE];
    (void)item_size, (void)output_size;
    for (int64_t n = 0; n < count; n++) {
        struct noise_level level = path_level(g->path, times[n]);
        if (n == 0 || times[n] != times[n - 1]) derivative_at(g, &level, j);
        gaussian_row(g, &level, j, x + n * SIZE, vectors ? vectors + n * SIZE : NULL,
                     output + n * SIZE, products ? products + n * SIZE : NULL);
    }
    if (products) g->products += count;
    else g->predictions += count;
    return SUMI_OK;
}

static inline sumi_status gaussian_predict(void *user, int64_t count, int64_t item_size,
                                           int64_t output_size, const float *x, const float *times,
                                           float *output)
{
    return gaussian_product(user, count, item_size, output_size, x, times, NULL, output, NULL);
}

static inline sumi_own_denoiser gaussian_denoiser(struct gaussian *g)
{
    return (sumi_own_denoiser){.size = sizeof(sumi_own_denoiser),
                               .user = g,
                               .predict = gaussian_predict,
                               .product = gaussian_product};
}

/* ---- The posterior ---- */

struct restored {
    double mean[SIZE], covariance[SIZE][SIZE], log_evidence;
};

/* m + S A^T C^-1 (y - A m) and S - S A^T C^-1 A S with C = A S A^T + noise^2 I; and log N(y; A m,
 * C).
 */
static inline struct restored exact_posterior(const struct gaussian *g,
                                              const sumi_operator *operator, const float * y,
                                              double noise)
{
    enum { COLUMNS = SIZE + 1 };
    int measured = (int)operator->measured_size;
    double a[SIZE][SIZE], c[SIZE][SIZE] = {{0}}, as[SIZE][SIZE] = {{0}}; /* A, C, A S */
    double r[COLUMNS][SIZE] = {{0}}, rest[SIZE];
    struct restored p = {.log_evidence = -0.5 * measured * log(2 * acos(-1))};
    for (int k = 0; k < SIZE; k++) { /* A by columns */
        float unit[SIZE] = {0}, column[SIZE];
        unit[k] = 1;
        assert_int_equal(operator_apply(operator, 0, unit, column), SUMI_OK);
        for (int i = 0; i < measured; i++) a[i][k] = column[i];
    }
    for (int i = 0; i < measured; i++)
        for (int k = 0; k < SIZE; k++)
            for (int l = 0; l < SIZE; l++) as[i][k] += a[i][l] * g->covariance[l][k];
    for (int i = 0; i < measured; i++) {
        rest[i] = y[i];
        for (int k = 0; k < SIZE; k++) rest[i] -= a[i][k] * g->mean[k];
        for (int j = 0; j < measured; j++) {
            for (int k = 0; k < SIZE; k++) c[i][j] += as[i][k] * a[j][k];
            if (i == j) c[i][j] += noise * noise;
        }
        r[SIZE][i] = rest[i];
        for (int k = 0; k < SIZE; k++) r[k][i] = as[i][k];
    }
    p.log_evidence -= 0.5 * solve_in_place(measured, c, COLUMNS, r);
    for (int i = 0; i < SIZE; i++) {
        p.mean[i] = g->mean[i];
        for (int j = 0; j < measured; j++) p.mean[i] += as[j][i] * r[SIZE][j];
        for (int k = 0; k < SIZE; k++) {
            p.covariance[i][k] = g->covariance[i][k];
            for (int j = 0; j < measured; j++) p.covariance[i][k] -= as[j][i] * r[k][j];
        }
    }
    for (int j = 0; j < measured; j++) p.log_evidence -= 0.5 * rest[j] * r[SIZE][j];
    return p;
}

/* The mean and the covariance of samples[count, SIZE]. */
static inline struct restored measured_posterior(int64_t count, const float *samples)
{
    struct restored p = {.log_evidence = 0};
    for (int64_t n = 0; n < count; n++)
        for (int i = 0; i < SIZE; i++) p.mean[i] += samples[n * SIZE + i] / (double)count;
    for (int64_t n = 0; n < count; n++)
        for (int i = 0; i < SIZE; i++)
            for (int k = 0; k < SIZE; k++)
                p.covariance[i][k] += (samples[n * SIZE + i] - p.mean[i])
                                      * (samples[n * SIZE + k] - p.mean[k]) / (double)count;
    return p;
}

/* |p - q| / |q| of the means, and of the covariances in Frobenius's norm. */
static inline double mean_error(const struct restored *p, const struct restored *q)
{
    double away = 0, whole = 0;
    for (int i = 0; i < SIZE; i++) {
        away += (p->mean[i] - q->mean[i]) * (p->mean[i] - q->mean[i]);
        whole += q->mean[i] * q->mean[i];
    }
    return sqrt(away / whole);
}

static inline double covariance_error(const struct restored *p, const struct restored *q)
{
    double away = 0, whole = 0;
    for (int i = 0; i < SIZE; i++) {
        for (int k = 0; k < SIZE; k++) {
            double difference = p->covariance[i][k] - q->covariance[i][k];
            away += difference * difference;
            whole += q->covariance[i][k] * q->covariance[i][k];
        }
    }
    return sqrt(away / whole);
}

/* ---- Data ---- */

/* Data of variance v in all directions. */
static inline struct gaussian even_gaussian(double variance)
{
    struct gaussian g = {.mean = {0.5, -0.3, 0.2, 0.8}};
    for (int i = 0; i < SIZE; i++) g.covariance[i][i] = variance;
    return g;
}

/* Data whose neighbours are alike: covariance variance correlation^|i - k|. */
static inline struct gaussian smooth_gaussian(double variance, double correlation)
{
    struct gaussian g = even_gaussian(variance);
    for (int i = 0; i < SIZE; i++)
        for (int k = 0; k < SIZE; k++) g.covariance[i][k] = variance * pow(correlation, abs(i - k));
    return g;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Least-squares fit of a Morlet wavelet. With p = amplitude cos(phase), q = -amplitude sin(phase)
   the family reads e(u) (p cos(w u) + q sin(w u)), e(u) = exp(-u^2/2): linear in p and q. A grid
   over centre, scale and w with the best p, q at each node gives starting points;
   Levenberg-Marquardt over (centre, log scale, w, p, q) refines the few best of them. */
#include <math.h>
#include <string.h>

#include "data/morlet.h"

enum { UNKNOWNS = 5, STARTS = 4, ITERATIONS = 60 };

struct fit {
    double value[UNKNOWNS]; /* centre, log scale, w, p, q */
    double error;           /* sum of squared differences */
};

static double grid(int64_t i, int64_t length)
{
    return -1 + 2 * (double)i / (double)(length - 1);
}

/* Fills p and q of `fit` by the normal equations, and the remaining error. */
static void solve_linear_part(const float *wave, int64_t length, struct fit *fit)
{
    double cc = 0, cs = 0, ss = 0, cw = 0, sw = 0, ww = 0, scale = exp(fit->value[1]);
    for (int64_t i = 0; i < length; i++) {
        double u = (grid(i, length) - fit->value[0]) / scale;
        ww += (double)wave[i] * wave[i];
        if (fabs(u) > 6) continue; /* exp(-18) */
        double envelope = exp(-0.5 * u * u);
        double c = envelope * cos(fit->value[2] * u), s = envelope * sin(fit->value[2] * u);
        cc += c * c;
        cs += c * s;
        ss += s * s;
        cw += c * wave[i];
        sw += s * wave[i];
    }
    double determinant = cc * ss - cs * cs;
    if (determinant <= 1e-12 * (cc * ss + 1e-300)) determinant = INFINITY;
    fit->value[3] = (ss * cw - cs * sw) / determinant;
    fit->value[4] = (cc * sw - cs * cw) / determinant;
    fit->error = ww - fit->value[3] * cw - fit->value[4] * sw;
}

/* Puts `fit` among the best, sorted by error. */
static void keep_if_better(struct fit best[STARTS], const struct fit *fit)
{
    int place = STARTS;
    while (place > 0 && fit->error < best[place - 1].error) place--;
    if (place == STARTS) return;
    memmove(&best[place + 1], &best[place], (size_t)(STARTS - 1 - place) * sizeof *best);
    best[place] = *fit;
}

/* The grid is fine enough that its nearest node lies in the basin of attraction of the best fit. */
static void search_grid(const float *wave, int64_t length, struct fit best[STARTS])
{
    for (int i = 0; i < STARTS; i++) best[i].error = INFINITY;
    for (double scale = 0.07; scale < 0.3; scale *= 1.3) {
        for (double centre = -0.6; centre <= 0.6; centre += 0.6 * scale) {
            for (double w = 2.5; w <= 7.5; w += 0.5) {
                struct fit fit = {.value = {centre, log(scale), w}};
                solve_linear_part(wave, length, &fit);
                keep_if_better(best, &fit);
            }
        }
    }
}

/* The error of `fit`; where `matrix` is given also J^T J and J^T (wave - model), J being the
   model's derivatives by the unknowns. */
static double evaluate(const float *wave, int64_t length, const struct fit *fit,
                       double matrix[UNKNOWNS][UNKNOWNS], double vector[UNKNOWNS])
{
    const double *v = fit->value;
    double error = 0, scale = exp(v[1]);
    if (matrix) memset(matrix, 0, UNKNOWNS * sizeof *matrix);
    if (vector) memset(vector, 0, UNKNOWNS * sizeof *vector);
    for (int64_t i = 0; i < length; i++) {
        double u = (grid(i, length) - v[0]) / scale;
        double envelope = exp(-0.5 * u * u), c = cos(v[2] * u), s = sin(v[2] * u);
        double model = envelope * (v[3] * c + v[4] * s);
        double turned = envelope * (v[4] * c - v[3] * s); /* derivative by the angle w u */
        double difference = wave[i] - model, by_u = v[2] * turned - u * model;
        error += difference * difference;
        if (!matrix) continue;
        double slope[UNKNOWNS] = {-by_u / scale, -by_u * u, u * turned, envelope * c, envelope * s};
        for (int row = 0; row < UNKNOWNS; row++) {
            vector[row] += slope[row] * difference;
            for (int k = 0; k < UNKNOWNS; k++) matrix[row][k] += slope[row] * slope[k];
        }
    }
    return error;
}

/* Solves (matrix + damping diagonal) step = vector by Cholesky; false if it is not definite. */
static bool solve_damped(double matrix[UNKNOWNS][UNKNOWNS], const double vector[UNKNOWNS],
                         double damping, double step[UNKNOWNS])
{
    double factor[UNKNOWNS][UNKNOWNS];
    for (int i = 0; i < UNKNOWNS; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = matrix[i][j] * (i == j ? 1 + damping : 1);
            for (int k = 0; k < j; k++) sum -= factor[i][k] * factor[j][k];
            if (i == j && !(sum > 0)) return false;
            factor[i][j] = i == j ? sqrt(sum) : sum / factor[j][j];
        }
    }
    for (int i = 0; i < UNKNOWNS; i++) {
        step[i] = vector[i];
        for (int k = 0; k < i; k++) step[i] -= factor[i][k] * step[k];
        step[i] /= factor[i][i];
    }
    for (int i = UNKNOWNS - 1; i >= 0; i--) {
        for (int k = i + 1; k < UNKNOWNS; k++) step[i] -= factor[k][i] * step[k];
        step[i] /= factor[i][i];
    }
    return true;
}

/* Levenberg-Marquardt with Marquardt's scaled damping. */
static void refine(const float *wave, int64_t length, struct fit *fit)
{
    double matrix[UNKNOWNS][UNKNOWNS], vector[UNKNOWNS], step[UNKNOWNS], damping = 1e-3;
    fit->error = evaluate(wave, length, fit, matrix, vector);
    for (int iteration = 0; iteration < ITERATIONS && damping < 1e8; iteration++) {
        struct fit next = *fit;
        bool solved = solve_damped(matrix, vector, damping, step);
        for (int i = 0; solved && i < UNKNOWNS; i++) next.value[i] += step[i];
        next.error = solved ? evaluate(wave, length, &next, NULL, NULL) : INFINITY;
        if (!(next.error < fit->error)) {
            damping *= 8;
            continue;
        }
        bool finished = fit->error - next.error < 1e-14 * fit->error;
        *fit = next;
        damping *= 0.1;
        if (finished) break;
        evaluate(wave, length, fit, matrix, vector);
    }
}

double morlet_fit(const float *wave, int64_t length, morlet_parameters *parameters)
{
    struct fit starts[STARTS], best;
    double energy = 0;
    for (int64_t i = 0; i < length; i++) energy += (double)wave[i] * wave[i];
    search_grid(wave, length, starts);
    for (int i = 0; i < STARTS; i++) {
        refine(wave, length, &starts[i]);
        if (i == 0 || starts[i].error < best.error) best = starts[i];
    }
    if (best.value[2] < 0) { /* cos is even: the same wave with a positive frequency */
        best.value[2] = -best.value[2];
        best.value[4] = -best.value[4];
    }
    if (parameters) {
        *parameters = (morlet_parameters){best.value[0], exp(best.value[1]), best.value[2],
                                          hypot(best.value[3], best.value[4]),
                                          atan2(-best.value[4], best.value[3])};
        if (parameters->phase < 0) parameters->phase += 6.283185307179586;
    }
    return energy > 0 ? sqrt(best.error / energy) : 1;
}

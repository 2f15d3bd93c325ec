/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling x0 given y = A x0 + n: what the methods share. A method is one file and a row of the
   table in restorer.c. It steers a solver in up to three ways, or samples by itself:

       predict   wraps the denoiser, for a score of the posterior (pigdm), or to look at it (dps)
       correct   changes each estimate of clean data (ddnm, product)
       shift     changes the state after each step (dps, repaint)
       run       replaces the run of the solver (repaint, smc) */
#ifndef SUMI_INVERSE_INVERSE_H
#define SUMI_INVERSE_INVERSE_H

#include "base/option_set.h"
#include "guides/guide.h"
#include "inverse/operator.h"
#include "solvers/solver.h"

struct inverse;

struct method_type {
    const char *name, *paper;
    int evaluations;    /* of the network for each of the solver, a product counted as two */
    bool needs_product; /* vector-Jacobian products of the denoiser */
    bool needs_inverse; /* the pseudo-inverse of the operator */
    bool needs_noise;   /* a density of y, so noise above 0 */
    sumi_status (*predict)(void *inverse, const struct denoising *inner,
                           const struct guide_call *call, float *output);
    sumi_correction correct;
    solver_shift shift;
    sumi_status (*run)(struct inverse *inverse, const struct denoising *denoising,
                       sumi_array *samples);
};

extern const struct method_type method_pigdm, method_dps, method_ddnm, method_repaint,
    method_product, method_smc;

struct restorer_options {
    int method;
    double noise;    /* sigma_y */
    double variance; /* of the data, for r_t^2 */
    double zeta;     /* dps */
    int64_t jump, resample;
    int64_t particles;
};

struct sumi_restorer {
    sumi_context *context;
    const sumi_operator *operator;
    struct restorer_options options;
    struct option_set set;
    char text[OPTION_WORD_SIZE]; /* of the last sumi_restorer_get */
    sumi_evidence *evidence;     /* [evidence_count] of the last run of smc */
    int64_t evidence_count;
};

/* One run. Rows are items of a call: row i has the measurement i modulo `items`. */
struct inverse {
    sumi_context *context;
    sumi_restorer *restorer;
    const struct restorer_options *options; /* the restorer's */
    const struct method_type *method;
    const sumi_operator *operator;
    sumi_solver *solver;
    const struct noise_path *path;
    enum prediction_type prediction;
    int64_t rows, item_size, output_size; /* capacity of the memory */
    int64_t items, item;                  /* measurements; smc: the one that all rows have */
    const float *measured;                /* [items, measured] */
    float *clean;                         /* [rows, item]: estimates of clean data */
    float *change;    /* [rows, item]: what a method adds to an estimate or to a state */
    float *products;  /* [rows, item] */
    float *vectors;   /* [rows, output] */
    float *outputs;   /* [rows, output] */
    float *residual;  /* [measured]: y - A x of a row */
    float *work;      /* [max(item, measured)] */
    double *distance; /* [rows]: of the residuals, for weights */
    double *longest;  /* [rows]: limits of changes */
    int64_t draws;    /* of noise so far */
    sumi_solver_watcher watcher;
    void *watcher_user;
};

/* ---- For methods (estimate.c) ---- */

/* The variance of the data given a state, r^2 = v s^2 / (a^2 v + s^2) for data of variance v. */
double inverse_spread(const struct inverse *inverse, const struct noise_level *level);

/* Fills inverse->clean from the predictions of a call, and residual with y - A clean of a row. */
void inverse_estimate(struct inverse *inverse, const struct guide_call *call, const float *output);
sumi_status inverse_residual(struct inverse *inverse, int64_t row, const float *clean);

/* Replaces the vectors v [rows, item] in inverse->change by (dD / dx)^T v, D being the estimate for
   the state x = a x0 + s e. */
sumi_status inverse_pull(struct inverse *inverse, const struct denoising *inner,
                         const struct guide_call *call);

/* Writes the predictions whose estimates are inverse->clean. */
void inverse_write(const struct inverse *inverse, const struct guide_call *call, float *output);

/* Fills inverse->change with (s^2 / a) times the gradient of log N(y; A D(x), noise^2 I + r^2 A
   A^T) by the state, r^2 and the matrix held fixed, which added to D is the estimate under the
   posterior; inverse->clean with D, and, where there is noise, inverse->distance with the squared
   distance of the density (pigdm.c). `output` has the predictions. */
sumi_status inverse_steer(struct inverse *inverse, const struct denoising *inner,
                          const struct guide_call *call, const float *output);

/* Fresh standard normal noise[count], another for each call. */
void inverse_draw(struct inverse *inverse, int64_t count, float *noise);

/* Runs the solver on the samples, with what the method adds to it (restorer.c). */
sumi_status inverse_solve(struct inverse *inverse, const struct denoising *denoising,
                          sumi_solver_watcher watcher, void *user, sumi_array *samples);

#endif

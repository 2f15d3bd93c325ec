/* SPDX-License-Identifier: Apache-2.0 */
/* Likelihoods of what a solver and a denoiser make together: settings, and results that a caller
   reads. The bound is in bound.c, its closed forms in terms.c; the exact density along the
   probability flow in density.c. */
#ifndef SUMI_MEASURE_LIKELIHOOD_H
#define SUMI_MEASURE_LIKELIHOOD_H

#include "base/options.h"
#include "data/data.h"
#include "guides/denoising.h"
#include "measure/terms.h"
#include "solvers/integrate.h"
#include "solvers/solver.h"

enum probe { PROBE_AUTO, PROBE_EXACT, PROBE_RADEMACHER, PROBE_GAUSSIAN };

struct likelihood_options {
    int64_t items;  /* that are measured, 0 for all */
    int64_t draws;  /* times that each item is noised to, 0 for all of them */
    int64_t batch;  /* states that the denoiser gets at once, at most */
    int64_t probes; /* of the trace, for an item */
    double tolerance;
    int64_t steps;
    int method;  /* enum ode_method */
    int probe;   /* enum probe */
    int decoder; /* enum decoder */
    bool dequantise;
    uint64_t seed;
};

enum measure { MEASURE_BOUND, MEASURE_DENSITY };

struct sumi_likelihood {
    sumi_context *context;
    sumi_solver *solver;
    struct likelihood_options options;
    struct given_options given;  /* what the caller has set */
    char text[OPTION_WORD_SIZE]; /* of the last sumi_likelihood_setting */
    sumi_likelihood_term *terms; /* of the last measurement */
    int64_t term_count;
};

/* Where a row's value is kept; rows of the bound (bound.c) and of the density (density.c). */
#define MEASURE_AT(member) offsetof(struct likelihood_options, member)
extern const struct option bound_options[], density_options[];

/* Refuses what the caller has set for a measure and the other settings leave without effect. */
sumi_status likelihood_check(const sumi_likelihood *likelihood, enum measure measure);

/* Room for the terms of a measurement in the place of the last one's; zeros. */
sumi_status likelihood_reserve(sumi_likelihood *likelihood, int64_t count);

/* Measures the bound over a data set; where the denoiser needs classes, those of its items. */
sumi_status bound_measure(sumi_likelihood *likelihood, const struct denoising *denoising,
                          sumi_data *data, sumi_progress_function progress, void *progress_user);

/* Measures densities of x[shape] to bits[shape[0]] or NULL; each item goes by its item of the
   denoiser's condition. */
sumi_status density_measure(sumi_likelihood *likelihood, const struct denoising *denoising,
                            int rank, const int64_t *shape, const float *x, double *bits,
                            sumi_progress_function progress, void *progress_user);

#endif

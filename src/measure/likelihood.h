/* SPDX-License-Identifier: Apache-2.0 */
/* Likelihoods under a solver and a denoiser: settings, and results for the caller. The bound is in
   bound.c, its closed forms in terms.c, and the exact density along the probability flow in
   density.c. */
#ifndef SUMI_MEASURE_LIKELIHOOD_H
#define SUMI_MEASURE_LIKELIHOOD_H

#include "base/option_set.h"
#include "data/data.h"
#include "guides/denoising.h"
#include "measure/terms.h"
#include "solvers/integrate.h"
#include "solvers/solver.h"

enum probe { PROBE_AUTO, PROBE_EXACT, PROBE_RADEMACHER, PROBE_GAUSSIAN };

struct likelihood_options {
    int64_t items;        /* to measure, 0 for all */
    int64_t draws;        /* times that each item is noised to, 0 for all of them */
    int64_t batch;        /* largest number of states in a call of the denoiser */
    int64_t times;        /* steps of a chain on a path in continuous time */
    int64_t trajectories; /* of each item */
    int64_t probes;       /* random vectors for the trace of an item */
    double tolerance;
    int64_t steps;
    int method;  /* enum ode_method */
    int probe;   /* enum probe */
    int decoder; /* enum decoder */
    bool dequantise;
    uint64_t seed;
};

enum measure { MEASURE_BOUND, MEASURE_DENSITY, MEASURE_IMPORTANCE };

struct sumi_likelihood {
    sumi_context *context;
    sumi_solver *solver;
    struct likelihood_options options;
    struct option_set set;       /* of these */
    sumi_likelihood_term *terms; /* of the last measurement */
    int64_t term_count;
};

/* The place of a row's value; rows of both bounds (reverse.c) and of the density (density.c). */
#define MEASURE_AT(member) offsetof(struct likelihood_options, member)
extern const struct option reverse_options[], density_options[];

/* Refuses settings of the caller that the other settings leave without effect in this measure. */
sumi_status likelihood_check(const sumi_likelihood *likelihood, enum measure measure);

/* Allocates zeroed terms for a measurement, in place of those of the last one. */
sumi_status likelihood_reserve(sumi_likelihood *likelihood, int64_t count);

/* Measures the bound over a data set; a denoiser that needs classes gets those of the items. */
sumi_status bound_measure(sumi_likelihood *likelihood, const struct denoising *denoising,
                          sumi_data *data, sumi_progress_function progress, void *progress_user);

/* Measures the importance-weighted bound; the same of classes. */
sumi_status importance_measure(sumi_likelihood *likelihood, const struct denoising *denoising,
                               sumi_data *data, sumi_progress_function progress,
                               void *progress_user);

/* Writes the densities of x[shape] to bits[shape[0]] (or NULL); each item has the condition of its
   index in the denoiser's condition. */
sumi_status density_measure(sumi_likelihood *likelihood, const struct denoising *denoising,
                            int rank, const int64_t *shape, const float *x, double *bits,
                            sumi_progress_function progress, void *progress_user);

#endif

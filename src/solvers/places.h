/* SPDX-License-Identifier: Apache-2.0 */
/* The places of a grid: over a table of betas spaced as in diffusers, on a straight path with its
   shifts, and on the others by Karras's rule or evenly in their own time. */
#ifndef SUMI_SOLVERS_PLACES_H
#define SUMI_SOLVERS_PLACES_H

#include "solvers/grid.h"

/* Rows of places.c and respacing.c, for `ignored` of solvers that place their times themselves. */
#define PLACING_NAMES                                                                              \
    "interpolation_type|sigma_schedule|shift|resolution_shift|flow_shift|use_dynamic_shifting|"    \
    "time_shift_type|mu|shift_terminal|invert_sigmas|use_karras_sigmas|use_exponential_sigmas|"    \
    "use_beta_sigmas|"                                                                             \
    "use_lu_lambdas|rho"

/* The number of times of a table that are left when those with log(a / s) below lambda_min_clipped
   are dropped. */
int64_t places_clipped_count(const struct solver_options *options, const struct noise_path *path);

/* What the places are made for. */
struct placing {
    const struct solver_options *options;
    const struct noise_path *path;
    enum time_family family;
    bool respaced;     /* a rule of respacing.h places them */
    bool needs_signal; /* or a finite sigma: a flow begins 1 / T before its end */
};

/* The shift of a flow's times for items of the size that they have (Esser et al. 2024, eq. 23). */
double places_shift(const struct solver_options *options);

/* The number of whole times that `steps` amounts to. */
int64_t places_whole_count(const struct solver_options *options, const struct noise_path *path);

/* The number of given places; a last sigma of 0 is the end, not a place. */
int64_t places_given(const struct number_list *sigmas);

/* The time of a level s / a rounded down to a whole time, as in diffusers. */
double places_cut_time(const struct noise_path *path, double sigma);

/* Fill the times and sigmas of a grid of known length: sigmas are ratios s / a, but the straight
   path's own sigma from places_flow and places_straight. */
sumi_status places_table(sumi_context *context, const struct placing *placing, struct grid *grid);
sumi_status places_flow(sumi_context *context, const struct placing *placing, struct grid *grid);
sumi_status places_straight(sumi_context *context, const struct placing *placing,
                            struct grid *grid);
sumi_status places_continuous(sumi_context *context, const struct placing *placing,
                              struct grid *grid);

/* Moves the places of an inversion over a table, which go from data to noise, to the times that
   diffusers uses, which begin at 0 and leave out the noisiest. */
sumi_status places_from_data(sumi_context *context, const struct solver_options *options,
                             const struct noise_path *path, struct grid *grid);

#endif

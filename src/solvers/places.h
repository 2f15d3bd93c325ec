/* SPDX-License-Identifier: Apache-2.0 */
/* Where on a path the places of a grid lie: over a table of betas as diffusers spaces them, on a
   straight path with its shifts, and on the others by Karras's rule or evenly in their own time. */
#ifndef SUMI_SOLVERS_PLACES_H
#define SUMI_SOLVERS_PLACES_H

#include "solvers/grid.h"

/* Times left of a table when those of log-SNR below lambda_min_clipped are not visited. */
int64_t places_clipped_count(const struct solver_options *options, const struct noise_path *path);

/* What is asked for. */
struct placing {
    const struct solver_options *options;
    const struct noise_path *path;
    enum time_family family;
    bool respaced;     /* a rule of respacing.h places them */
    bool needs_signal; /* or a finite sigma: a flow is begun 1 / T short of its end */
};

/* Whole times that `steps` of them come to. */
int64_t places_whole_count(const struct solver_options *options, const struct noise_path *path);

/* How many places are given: a last sigma of 0 is the end, which is no place. */
int64_t places_given(const struct number_list *sigmas);

/* The whole time at or below that of a level s / a, as diffusers cuts it off. */
double places_cut_time(const struct noise_path *path, double sigma);

/* Fill the times and sigmas of a grid that has its length: as ratios s / a, but places_flow and
   places_straight as the straight path's own sigma. */
sumi_status places_table(sumi_context *context, const struct placing *placing, struct grid *grid);
sumi_status places_flow(sumi_context *context, const struct placing *placing, struct grid *grid);
sumi_status places_straight(sumi_context *context, const struct placing *placing,
                            struct grid *grid);
sumi_status places_continuous(sumi_context *context, const struct placing *placing,
                              struct grid *grid);

/* Moves the places of an inversion over a table, which go from data to noise already, to the times
   that diffusers takes: those of the list below, 0 in, the last out. */
sumi_status places_from_data(sumi_context *context, const struct solver_options *options,
                             const struct noise_path *path, struct grid *grid);

#endif

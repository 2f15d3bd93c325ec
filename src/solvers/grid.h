/* SPDX-License-Identifier: Apache-2.0 */
/* The places that a solver visits: times for the network and, but for solvers that count in abar,
   the noise level sigma of each. Every solver keeps its state on a scale of its own; all are the
   same diffusion with x0 and e in another proportion, so that any solver goes with any path:

       table       x = sqrt(abar) x0 + sqrt(1 - abar) e         with times alone, no sigmas
       exploding   x = x0 + sigma e                             (Karras et al. 2022)
       preserving  x = (x0 + sigma e) / sqrt(1 + sigma^2)       so sigma = s / a
       straight    x = (1 - sigma) x0 + sigma e                 (flow matching, sigma in [0, 1])
       own         x = a x0 + s e, the path's own               with sigma = s / a

   On the exploding scale a state is as large as sigma, up to 4096 where a path ends without signal.
   A Runge-Kutta step of Heun's kind over most of that range misjudges the slope by about one half,
   and leaves sigma / 2 in what should be data. On the straight scale states and slopes are of the
   size of data and noise, and the same misjudgement is an error of that size. So methods with
   several slopes a step are made there (SCALE_BOUNDED); Euler's step is the same on both. What
   float32 rounds off is more there: of order four it is felt, and where sigma is small anyway the
   exploding scale is better (SCALE_NEAR). */
#ifndef SUMI_SOLVERS_GRID_H
#define SUMI_SOLVERS_GRID_H

#include "noise/path.h"
#include "solvers/options.h"

enum scale {
    SCALE_TABLE,
    SCALE_EXPLODING,
    SCALE_PRESERVING,
    SCALE_STRAIGHT,
    SCALE_OWN,
    SCALE_NATURAL, /* straight where the path is, else exploding */
    SCALE_BOUNDED, /* exploding for classes of diffusers, else straight */
    SCALE_NEAR     /* exploding where sigma is at most 16, else straight */
};

/* How a family of solvers counts the times of a table. On other paths all families place in the
   same way: flows at sigma T, edm by Karras's rule, the rest by the path's own time. */
enum time_family {
    TIMES_TABLE, /* whole times of the schedule: spacing.h */
    TIMES_REAL,  /* `steps` places over both ends, between whole times too; ends at sigma 0 */
    TIMES_WHOLE, /* `steps` + 1 places rounded to whole times, the last one left to the end */
    TIMES_UNIPC  /* the same but with use_flow_sigmas, where they begin at 1 and not 1 / T below */
};

/* Where a path ends without signal, s / a is infinite; solvers that need it finite take that of
   abar = 2^-24 there, as diffusers does for tables. */
#define GRID_MOST_RATIO 4095.999878

struct grid {
    double *times;  /* [count] */
    double *sigmas; /* [count + 1], or NULL */
    int64_t count;
    double init_noise_sigma;
};

struct level {
    double signal, noise;
    double log_ratio; /* lambda = log(a / s); infinite at the ends */
};

struct level level_at(enum scale scale, const struct noise_path *path, double sigma);

/* What a solver's choice is on a path. use_flow_sigmas makes a preserving one straight. */
enum scale grid_scale(const struct solver_options *options, const struct noise_path *path,
                      enum scale scale);

/* The ratio s / a where a state's scale says sigma, and back. */
double grid_ratio(enum scale scale, double sigma);
double grid_sigma_of(enum scale scale, double ratio);

/* In new memory; on failure nothing is left to release. */
sumi_status grid_build(sumi_context *context, const struct solver_options *options,
                       const struct noise_path *path, enum scale scale, enum time_family family,
                       struct grid *grid);
/* Drops the places before start_time, where that is given, and makes it the first. */
sumi_status grid_begin(sumi_context *context, const struct solver_options *options,
                       const struct noise_path *path, enum scale scale, struct grid *grid);
void grid_release(sumi_context *context, struct grid *grid); /* accepts zeros */

/* The first place of a time in the list; -1 where it is not there. */
int64_t grid_place(const struct grid *grid, double time);

/* The noise level at a time: of the grid's entry where there is one, else of the path. */
double grid_sigma(const struct grid *grid, const struct noise_path *path, enum scale scale,
                  double time);

/* New memory for `count` places in the grid, what it had copied as far as it goes. */
sumi_status grid_resize(sumi_context *context, struct grid *grid, int64_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The places that a solver visits: times and, except for solvers that use abar, the noise level
   sigma of each. Each solver keeps its state on a scale of its own. All scales describe the same
   diffusion with different factors of x0 and e, so that any solver works on any path:

       table       x = sqrt(abar) x0 + sqrt(1 - abar) e         with times alone, no sigmas
       exploding   x = x0 + sigma e                             (Karras et al. 2022)
       preserving  x = (x0 + sigma e) / sqrt(1 + sigma^2)       so sigma = s / a
       straight    x = (1 - sigma) x0 + sigma e                 (flow matching, sigma in [0, 1])
       own         x = a x0 + s e, the path's own               with sigma = s / a

   On the exploding scale a state is as large as sigma, up to 4096 where a path ends without signal.
   A Heun step over most of that range has an error of about one half in the slope, which leaves
   sigma / 2 in the result instead of data. On the straight scale, states and slopes are as large as
   data and noise, and so is the same error. Methods with several slopes in a step therefore use the
   straight scale (SCALE_BOUNDED); Euler's step is the same on both. The straight scale has larger
   float32 rounding errors, which matter for methods of order four; these use the exploding scale
   where sigma is small anyway (SCALE_NEAR). */
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

/* How a family of solvers spaces the times of a table. On other paths all families use the same
   spacing: sigma T on flows, Karras's rule on edm, and the path's own time on the rest. */
enum time_family {
    TIMES_TABLE, /* whole times of the schedule: spacing.h */
    TIMES_REAL,  /* `steps` places including both ends, not only at whole times; ends at sigma 0 */
    TIMES_WHOLE, /* `steps` + 1 places rounded to whole times, of which the last is the end */
    TIMES_UNIPC  /* the same, except that with use_flow_sigmas it begins at 1 and not at 1 - 1 /
                    T */
};

/* Where a path ends without signal, s / a is infinite; solvers that need a finite ratio use that of
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

/* The scale that a solver's `scale` means on a path. use_flow_sigmas makes a preserving scale
   straight. */
enum scale grid_scale(const struct solver_options *options, const struct noise_path *path,
                      enum scale scale);

/* The ratio s / a for a sigma of a scale, and the inverse. */
double grid_ratio(enum scale scale, double sigma);
double grid_sigma_of(enum scale scale, double ratio);

/* In new memory; on failure nothing is left to release. */
sumi_status grid_build(sumi_context *context, const struct solver_options *options,
                       const struct noise_path *path, enum scale scale, enum time_family family,
                       struct grid *grid);
/* Where start_time is given, drops the places before it and makes it the first place. */
sumi_status grid_begin(sumi_context *context, const struct solver_options *options,
                       const struct noise_path *path, enum scale scale, struct grid *grid);
void grid_release(sumi_context *context, struct grid *grid); /* accepts zeros */

/* The index of the first place with that time, or -1. */
int64_t grid_place(const struct grid *grid, double time);

/* The noise level at a time: of the grid's entry for that time, else of the path. */
double grid_sigma(const struct grid *grid, const struct noise_path *path, enum scale scale,
                  double time);

/* Reallocates the grid for `count` places and copies those it had, as many as fit. */
sumi_status grid_resize(sumi_context *context, struct grid *grid, int64_t count);

#endif

/* The places that a solver visits: times for the network and, but for solvers that work on the
   table of a schedule, the noise level sigma of each. Sigma is the noise on a path of constant
   signal; every path below is the same diffusion, scaled:

       exploding   x = x0 + sigma e                            (Karras et al. 2022)
       preserving  x = (x0 + sigma e) / sqrt(1 + sigma^2)       so sigma = s / a
       straight    x = (1 - sigma) x0 + sigma e                 (flow matching, sigma in [0, 1]) */
#ifndef SUMI_SOLVERS_GRID_H
#define SUMI_SOLVERS_GRID_H

#include "solvers/options.h"

enum scale { SCALE_TABLE, SCALE_EXPLODING, SCALE_PRESERVING, SCALE_STRAIGHT, SCALE_PRECONDITIONED };

/* How a family of solvers counts its times. */
enum time_family {
    TIMES_TABLE, /* whole times of the schedule: spacing.h */
    TIMES_REAL,  /* `steps` places over both ends, between whole times too; ends at sigma 0 */
    TIMES_WHOLE, /* `steps` + 1 places rounded to whole times, the last one left to the end */
    TIMES_FLOW,  /* sigma T */
    TIMES_LOG,   /* log(sigma) / 4, Karras et al. 2022 */
    TIMES_OWN    /* the solver's own `arrange` makes the list */
};

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

struct level level_at(enum scale scale, double sigma);

/* The path that the options make of a solver's own: use_flow_sigmas asks for the straight one. */
enum scale grid_scale(const struct solver_options *options, enum scale scale);

/* In new memory; on failure nothing is left to release. */
sumi_status grid_build(sumi_context *context, const struct solver_options *options,
                       const struct schedule *schedule, enum scale scale, enum time_family family,
                       struct grid *grid);
void grid_release(sumi_context *context, struct grid *grid); /* accepts zeros */

/* The noise level at a time: of the grid's entry where there is one, else of the schedule. */
double grid_sigma(const struct grid *grid, const struct solver_options *options,
                  const struct schedule *schedule, enum time_family family, double time);

/* The time of a schedule at which s / a is sigma, linear in log(sigma) between whole times. */
double schedule_time_at(const struct schedule *schedule, double sigma);

/* New memory for `count` places in the grid, what it had copied as far as it goes. */
sumi_status grid_resize(sumi_context *context, struct grid *grid, int64_t count);

#endif

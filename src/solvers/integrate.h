/* SPDX-License-Identifier: Apache-2.0 */
/* Ordinary differential equations dy/dt = f(t, y), by explicit Runge-Kutta methods with steps of
   equal length or with steps that keep an estimate of the error below a tolerance. It is
   independent of diffusion: the state is an array of doubles, and time may increase or decrease. */
#ifndef SUMI_SOLVERS_INTEGRATE_H
#define SUMI_SOLVERS_INTEGRATE_H

#include "base/context.h"

/* Writes dy/dt at `time` and y[count] to slope[count]. Anything but SUMI_OK ends the integration
   with that status. */
typedef sumi_status (*ode_slope)(void *user, double time, const double *y, double *slope);

/* Orders 1, 2, 2, 4 and 5; the last chooses its own steps. */
enum ode_method { ODE_EULER, ODE_MIDPOINT, ODE_HEUN, ODE_RK4, ODE_RK45 };

struct ode_options {
    enum ode_method method;
    int64_t steps;             /* of equal length; for RK45 the initial guess, at least 1 */
    double relative, absolute; /* tolerances of RK45 for each element of y */
    int64_t most_evaluations;  /* RK45 fails beyond this number; 0 for no limit */
    double *memory;            /* workspace of ODE_ROWS times `count` numbers, or NULL to allocate
                                  it */
};

enum { ODE_ROWS = 9 };

/* What an integration cost. */
struct ode_report {
    int64_t evaluations, steps, rejected;
};

/* The name of a method by number from 0: "euler", "midpoint", "heun", "rk4", "rk45"; NULL past the
   last. */
const char *ode_method_name(int method);

/* Integrates y[count] from time `from` to time `to`. `report` may be NULL. Returns
   SUMI_ERROR_NUMBER where the state is no longer finite or the steps of RK45 become too short or
   too many; where `slope` fails, its status and message. y is undefined after a failure. */
sumi_status ode_integrate(sumi_context *context, const struct ode_options *options, ode_slope slope,
                          void *user, int64_t count, double *y, double from, double to,
                          struct ode_report *report);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One frame for every Gaussian diffusion: the path x_t = a(t) x0 + s(t) e from data to noise, and
   the same as an SDE, dx = f x dt + g dw with f = a'/a and g^2 = 2 s (s' - f s) (Song et al. 2021,
   eq. 5; Kingma et al. 2021, eq. 3).

       name    a, s                                             its own time t
       table   sqrt(abar), sqrt(1 - abar) of a list of betas     (time + 1) / T
       vp      exp(-B/2), sqrt(1 - exp(-B))                      time / (T - 1), eps to 1
       sub_vp  exp(-B/2), 1 - exp(-B)                            time / (T - 1), eps to 1
       ve      1, sigma_min (sigma_max / sigma_min)^t            time / (T - 1), eps to 1
       edm     1, sigma                                          sigma
       flow    1 - t, t                                          time / T
       cosine  cos(pi t / 2), sin(pi t / 2)                      time

   B(t) is the integral of beta(t) = beta_min + t (beta_max - beta_min). `time` is the time input of
   the network, as in diffusers; for edm it is log(sigma) / 4. Slopes and the SDE are with respect
   to t. The ratio sigma = s / a grows with time on every path, so that solvers can use it in place
   of the time. The levels of Song & Ermon 2019 are "ve" at whole times 0 to T - 1. */
#ifndef SUMI_NOISE_PATH_H
#define SUMI_NOISE_PATH_H

#include "noise/prediction.h"
#include "noise/schedule.h"

/* In the order of the names in options.c and in recipes. */
enum path_kind {
    PATH_TABLE,  /* Ho et al. 2020: schedule.h */
    PATH_VP,     /* Song et al. 2021, eqs. 11 and 29 */
    PATH_SUB_VP, /* Song et al. 2021, eqs. 13 and 29 */
    PATH_VE,     /* Song et al. 2021, eqs. 9 and 29; Song & Ermon 2019, section 4.2 */
    PATH_EDM,    /* Karras et al. 2022, table 1: sigma(t) = t, with a preconditioned network */
    PATH_FLOW,   /* Liu et al. 2022; Lipman et al. 2022, eq. 20 with sigma_min = 0 */
    PATH_COSINE  /* Salimans & Ho 2022, section 2 */
};

/* The time input of the network: the time of the table above, log(sigma) / 4, sigma, or 250
   log(sigma), which consistency models take (Song et al. 2023). */
enum time_kind { TIME_DISCRETE, TIME_CONTINUOUS, TIME_SIGMA, TIME_CONSISTENCY };

struct noise_path {
    enum path_kind kind;
    enum time_kind time_kind;
    const struct schedule *schedule; /* for PATH_TABLE, else NULL; borrowed */
    int64_t count;                   /* T; on flow and cosine 1 / T is also the least t */
    double beta_min, beta_max;       /* vp, sub_vp */
    double sigma_min, sigma_max;     /* ve, edm */
    double sigma_data;               /* edm: standard deviation of the data */
    double eps;                      /* vp, sub_vp, ve: the least t, "sampling_eps" */
};

/* Refuses numbers that do not make a path, such as sigma_min above sigma_max. */
sumi_status path_check(sumi_context *context, const struct noise_path *path);

/* The ratio s / a at a time, and the time of a ratio. Between the whole times of a table,
   path_sigma is linear in the time and path_time is linear in log(sigma), as in diffusers. Where a
   table ends without signal, its last ratio is 4096, that of abar = 2^-24. */
double path_sigma(const struct noise_path *path, double time);
double path_time(const struct noise_path *path, double sigma);

/* a, s and their slopes at a time or at a ratio (which may be infinite on a flow). On a table the
   slopes are T times the differences from the previous time. */
struct noise_level path_level(const struct noise_path *path, double time);
struct noise_level path_level_at(const struct noise_path *path, double sigma);

/* The least and the greatest time, and the ratios there. */
double path_first(const struct noise_path *path);
double path_last(const struct noise_path *path);
double path_least(const struct noise_path *path);
double path_most(const struct noise_path *path);

/* The time at which the path's own time is t, and back. */
double path_time_of(const struct noise_path *path, double t);
double path_own_time(const struct noise_path *path, double time);

/* f and g^2 by the path's own time. */
struct path_sde {
    double drift, diffusion;
};
struct path_sde path_sde(const struct noise_level *level);

/* What a network of this path predicts: as in prediction.h, except for epsilon and v_prediction on
   edm. There, as in diffusers, they are the raw output F of Karras et al. 2022, eq. 7, and -F. */
struct prediction_target path_target(const struct noise_path *path, enum prediction_type type,
                                     const struct noise_level *level);
struct prediction_map path_map(const struct noise_path *path, enum prediction_type type,
                               const struct noise_level *level);

/* The factor of the state in the network's input: c_in of Karras et al. 2022, table 1, on edm; 1 on
   the other paths. */
double path_input_scale(const struct noise_path *path, const struct noise_level *level);

/* Esser et al. 2024, eq. 23: the time of a flow moved towards noise for larger pictures. */
double path_shift(double shift, double t);

#endif

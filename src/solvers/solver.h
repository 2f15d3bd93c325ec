/* SPDX-License-Identifier: Apache-2.0 */
/* Solvers: from noise to data over any denoiser. A solver type is one file with a step function and
   one row of the table in solver.c; it depends on times, states and predictions, not on networks.
   This header has what solver types use, and what training reads from a configured solver. */
#ifndef SUMI_SOLVERS_SOLVER_H
#define SUMI_SOLVERS_SOLVER_H

#include "noise/prediction.h"
#include "noise/random.h"
#include "noise/schedule.h"
#include "solvers/grid.h"
#include "solvers/options.h"

enum { MOST_ROWS = 8, MOST_CLASSES = 4, MOST_TABLES = 4 };

/* Rows of limit.c, for `ignored`. */
#define LIMIT_NAMES                                                                                \
    "clip_sample|clip_denoised|clip_sample_range|thresholding|dynamic_thresholding_ratio|"         \
    "sample_max_value"

struct solver_run;

/* Changes run->x after a step; `level` is that of the state, on its own scale. */
typedef sumi_status (*solver_shift)(void *user, const struct solver_run *run,
                                    const struct level *level);

/* One run of the loop. Every row is a state [items, item_size]. */
struct solver_run {
    sumi_context *context;
    const struct solver_options *options;
    const struct noise_path *path;
    struct random_source *random;
    struct random_shape shape;
    int64_t total; /* elements of a row */
    int threads;

    const double *times;  /* [time_count], in the order of the run */
    const double *sigmas; /* [time_count + 1] on scales other than SCALE_TABLE, the last where the
                             run ends; else NULL */
    enum scale scale;
    int64_t time_count;
    int64_t place; /* index of the current step in the time list */

    float *x;          /* the state, the caller's */
    float *clean;      /* row: estimate of clean data at the last evaluation, after limits */
    float *prediction; /* row: the network's prediction there */
    float *variance;   /* row: the second half of its output where variance_type is learned, else
                          NULL */
    struct prediction_map map; /* of the last evaluation, from the state x */
    void (*read)(struct solver_run *run, const struct noise_level *level); /* the type's */
    float *row[MOST_ROWS]; /* `rows` of the type, zero at the start of a run */
    double *doubles;       /* double_rows rows of the state, contiguous */

    sumi_denoiser denoiser;
    void *denoiser_user;
    sumi_correction correction; /* applied to every estimate, or NULL */
    void *correction_user;
    solver_shift shift; /* after every step, or NULL */
    void *shift_user;
    int64_t evaluations; /* made so far */
    float *output, *call_times, *scratch;
    float *input;  /* row: the scaled state for the network, where that is not x */
    float *memory; /* the block that holds all of the above but x */
};

/* A type of solver. `step` makes one evaluation and moves run->x from its place in the time list to
   the next. A method with several evaluations in a step has a place in the list for each. */
struct solver_type {
    const char *name, *paper;
    const char *classes[MOST_CLASSES]; /* diffusers' scheduler classes that this solver
                                          implements */
    int order, evaluations;
    bool stochastic;
    bool one_place; /* makes all its steps at one place, which may be given */
    int rows, double_rows;
    enum scale scale;                                 /* that its state is kept in */
    enum time_family family;                          /* which times it visits */
    void (*defaults)(struct solver_options *options); /* sets its defaults where they differ, or
                                                         NULL */
    sumi_status (*arrange)(sumi_context *context, const struct solver_options *options,
                           const struct noise_path *path,
                           struct grid *grid); /* changes the list of times, or NULL */
    const struct option *options[MOST_TABLES]; /* its own rows, beside those of every run */
    const char *ignored; /* rows of every run that it does not read, "one|two", or NULL */
    sumi_status (*step)(struct solver_run *run);
    /* Fills clean, for solvers whose estimate of data is not that of the path: from the prediction
       and the path's map, which it replaces by the map of its estimate. NULL: run_read. */
    void (*read)(struct solver_run *run, const struct noise_level *level);
    /* For solvers of bits, NULL for those of numbers: adds noise to clean[count] up to abar
       `product`, using standard normal noise[count]. */
    void (*add_noise_to_bits)(double product, int64_t count, const float *clean, const float *noise,
                              float *noised);
};

extern const struct solver_type solver_ddpm, solver_ddim, solver_ddim_inverse;
extern const struct solver_type solver_euler, solver_euler_ancestral, solver_edm_euler;
extern const struct solver_type solver_flow_euler, solver_heun, solver_flow_heun;
extern const struct solver_type solver_dpm2, solver_dpm2_ancestral, solver_lms;
extern const struct solver_type solver_dpmpp_2m, solver_dpmpp_3m, solver_dpmpp_2m_sde;
extern const struct solver_type solver_dpmpp_3m_sde, solver_edm_dpmpp, solver_dpmpp_2s;
extern const struct solver_type solver_unipc, solver_deis, solver_pndm, solver_ipndm;
extern const struct solver_type solver_midpoint, solver_rk4, solver_rk45, solver_edm, solver_em;
extern const struct solver_type solver_pc, solver_langevin, solver_annealed_langevin, solver_sa;
extern const struct solver_type solver_consistency, solver_dpmpp_sde, solver_dpmpp_inverse;
extern const struct solver_type solver_cogvideox_ddim, solver_cogvideox_dpm, solver_flow_lcm;
extern const struct solver_type solver_lcm, solver_tcd, solver_unclip, solver_binomial;

/* ---- For step functions (run.c) ---- */

/* Evaluates the denoiser on run->x at `time`: fills clean, prediction and variance. */
sumi_status run_evaluate(struct solver_run *run, double time);

/* Evaluates the denoiser on `input` at `time`: fills only prediction and variance. */
sumi_status run_ask(struct solver_run *run, const float *input, double time);

/* Evaluates the denoiser on scales with sigmas: at the current place, or at any sigma with the time
   input `time`. */
sumi_status run_evaluate_here(struct solver_run *run);
sumi_status run_evaluate_at(struct solver_run *run, double sigma, double time);

/* The time of a sigma that is not in the list. */
double run_time_at(const struct solver_run *run, double sigma);

/* Fills clean from the state and `values` by the map, and applies the limits. */
void run_read(struct solver_run *run, const struct prediction_map *map, const float *values);

/* The two halves of run_evaluate_here, for methods that add noise to the state between them: an
   evaluation at the present place, then the estimate for the x of that moment at a sigma. */
sumi_status run_ask_here(struct solver_run *run);
sumi_status run_read_at(struct solver_run *run, double sigma);

/* Fills `row` with dx/dsigma at x and clean, (x - clean) / sigma: on the exploding, preconditioned
   and straight paths this is the probability flow. */
void run_slope(const struct solver_run *run, double sigma, float *row);

/* The number of evaluations of the run before this one. */
int64_t run_made(const struct solver_run *run);

/* Rotates rows [first, first + count) by one: row i becomes row i + 1, and the oldest becomes row
   `first`, to be overwritten. */
void run_turn(struct solver_run *run, int first, int count);

/* a, s and log(a / s) at sigmas[place]. */
struct level run_level(const struct solver_run *run, int64_t place);

/* Fills `row` with the fresh noise of this step. */
void run_draw(struct solver_run *run, float *row);

/* The time after the current one, or -INFINITY where that is clean data. */
double run_next_time(const struct solver_run *run);

/* abar at a time, which is a^2 / (a^2 + s^2) on any path; `beyond` at clean data. */
float run_product(const struct solver_run *run, double time, float beyond);

/* abar where the run ends: 1, or without set_alpha_to_one that of the path's first time. */
float run_final_product(const struct solver_run *run);

/* ---- For the folders above ---- */

/* The schedule, the path and the options of a solver; valid until it is changed or freed. The
   schedule is there even where the path is not a table. */
sumi_status solver_schedule(sumi_solver *solver, const struct schedule **schedule);
sumi_status solver_path(sumi_solver *solver, const struct noise_path **path);
const struct solver_options *solver_options(const sumi_solver *solver);

/* Sets what changes the state after each step of later runs; NULL for nothing. */
void solver_set_shift(sumi_solver *solver, solver_shift shift, void *user);

/* Says how many pixels an item has for each one of the model's size (resolution_shift). */
void solver_set_resolution(sumi_solver *solver, double resolution);

/* Whether the states are bits (-1 and 1) of a binomial diffusion. */
bool solver_is_binomial(const sumi_solver *solver);

/* The type that implements a scheduler class of diffusers, or NULL; and its name. */
const struct solver_type *solver_type_for_class(const char *class_name);
const char *solver_name_for_class(const char *class_name);

/* ---- Between solver.c, settings.c and run.c ---- */

struct sumi_solver {
    sumi_context *context;
    const struct solver_type *type;
    struct solver_options options;
    bool follows; /* created by the name of a class, or configured as one: see is_class */
    struct given_options given; /* what the caller has set */
    char *text;                 /* of the last sumi_solver_get */
    bool ready;                 /* whether the following members match the options */
    struct schedule schedule;
    struct noise_path path;
    struct grid grid;
    struct random_source random;
    sumi_correction correction; /* applied in later runs, or NULL */
    void *correction_user;
    solver_shift shift; /* after every step of later runs, or NULL */
    void *shift_user;
    int64_t evaluations; /* of the last run */
    bool started;        /* whether sumi_solver_start came after the last run */
};

/* The type by number from 0; NULL past the last. */
const struct solver_type *solver_type_at(int number);

/* The default options of a type. */
void settings_default(const struct solver_type *type, struct solver_options *options);

/* Sets every known option of a JSON text, or none on failure; `trained` as in
   options_take_training, or NULL. */
sumi_status settings_configure(sumi_solver *solver, const struct solver_options *trained,
                               const char *json);

/* Refuses options that the caller has set but that the other options leave unread, and options that
   contradict each other. */
sumi_status settings_check(const sumi_solver *solver);

/* Builds the schedule and the time list if options have changed. */
sumi_status solver_prepare(sumi_solver *solver);

/* Checks the shape of a state and fills in the layout of its random numbers. */
sumi_status solver_shape(sumi_solver *solver, int rank, const int64_t *shape,
                         struct random_shape *layout);

/* Seeds the random stream: always if `always`, else only if the options have changed it. */
void solver_seed(sumi_solver *solver, bool always);

#endif

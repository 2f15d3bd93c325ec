/* SPDX-License-Identifier: Apache-2.0 */
/* The values of every option of every solver, by the names of diffusers' scheduler_config.json and
   a few of Sumi's own. The rows that declare an option are next to the code that reads it: those of
   the path and its schedule in options.c, those of every run in run.c, limit.c, spacing.c, places.c
   and respacing.c, those of one method in its own file. settings.c combines them. */
#ifndef SUMI_SOLVERS_OPTIONS_H
#define SUMI_SOLVERS_OPTIONS_H

#include "base/options.h"
#include "noise/path.h"
#include "noise/prediction.h"
#include "noise/random.h"
#include "noise/schedule.h"

enum spacing { SPACING_LEADING, SPACING_LINSPACE, SPACING_TRAILING };
enum channel_order { CHANNELS_LAST, CHANNELS_FIRST };
enum algorithm {
    ALGORITHM_DATA,  /* dpmsolver++: integrates the estimate of clean data */
    ALGORITHM_NOISE, /* dpmsolver: integrates the estimate of noise */
    ALGORITHM_DATA_SDE,
    ALGORITHM_NOISE_SDE,
    ALGORITHM_FOREIGN, /* of another class; a solver uses its default instead */
    ALGORITHM_SA_DATA,
    ALGORITHM_SA_NOISE
};
enum solver_variant { VARIANT_MIDPOINT, VARIANT_HEUN, VARIANT_LOGRHO, VARIANT_BH1, VARIANT_BH2 };
enum final_sigma { FINAL_SIGMA_ZERO, FINAL_SIGMA_LEAST };
enum sigma_interpolation { INTERPOLATE_LINEAR, INTERPOLATE_LOG_LINEAR };
enum time_shift { TIME_SHIFT_EXPONENTIAL, TIME_SHIFT_LINEAR };
enum sigma_schedule { SIGMA_SCHEDULE_KARRAS, SIGMA_SCHEDULE_EXPONENTIAL };
enum predictor {
    PREDICTOR_USUAL = -1,
    PREDICTOR_REVERSE_DIFFUSION,
    PREDICTOR_ANCESTRAL,
    PREDICTOR_EULER
};
enum compatibility { COMPATIBLE_NONE, COMPATIBLE_DIFFUSERS };

struct solver_options {
    /* the path from data to noise: a table of betas, or another */
    int path;                                /* enum path_kind */
    double beta_min, beta_max, sampling_eps; /* sampling_eps 0: 1e-3 for betas, 1e-5 for ve */
    int64_t num_train_timesteps;
    double beta_start, beta_end;
    int beta_schedule; /* number for schedule_name() */
    struct number_list trained_betas;
    bool rescale_betas_zero_snr;
    /* what the network predicts, and limits on the clean data that follow from it */
    int prediction_type; /* enum prediction_type */
    bool clip_sample, thresholding;
    double clip_sample_range, dynamic_thresholding_ratio, sample_max_value;
    /* which times are visited */
    int timestep_spacing; /* enum spacing */
    int64_t steps_offset, steps, start_index;
    struct number_list timesteps, sigmas; /* given ones, instead of steps */
    double start_time; /* where the run begins, also between places; INFINITY: at the first place */
    /* which noise levels sigma = s / a are visited, for solvers that use them */
    bool use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas, use_lu_lambdas;
    int final_sigmas_type;       /* enum final_sigma */
    int interpolation_type;      /* enum sigma_interpolation */
    int timestep_type;           /* enum time_kind */
    int sigma_schedule;          /* enum sigma_schedule */
    double sigma_min, sigma_max; /* 0: the schedule's own */
    double sigma_data, rho, lambda_min_clipped;
    /* straight paths */
    bool use_flow_sigmas, use_dynamic_shifting, invert_sigmas, stochastic_sampling;
    double flow_shift, shift, mu, shift_terminal; /* shift_terminal 0: none */
    bool resolution_shift;
    double resolution;   /* pixels of an item for each one that the model was trained on; not an
                            option, but set by the model */
    int time_shift_type; /* enum time_shift */
    /* families of solvers */
    int64_t solver_order, original_inference_steps, passes;
    double timestep_scaling;
    int algorithm_type; /* enum algorithm */
    int solver_type;    /* enum solver_variant */
    bool lower_order_final, euler_at_final, predict_x0, skip_prk_steps;
    struct number_list disable_corrector;
    double s_churn, s_tmin, s_tmax, s_noise;
    /* stochastic equations and Langevin's dynamics */
    int predictor; /* enum predictor */
    double snr, step_size;
    int64_t correct_steps, steps_per_level;
    bool noise_removal;
    double rtol, atol; /* of adaptive steps */
    double snr_shift_scale;
    int64_t predictor_order, corrector_order; /* of sa */
    double tau, tau_start, tau_end;
    /* single solvers */
    int variance_type; /* enum variance_type */
    bool set_alpha_to_one, use_clipped_model_output;
    double eta;
    /* random numbers */
    uint64_t seed;
    int rng; /* enum random_kind */
    int64_t first_item;
    int channels; /* enum channel_order */
    int compat;   /* enum compatibility */
    /* not an option: whether to reproduce the numbers of a diffusers class, also where another way
       is better with few steps; solver.c decides */
    bool as_class;
};

/* The place of a row's value. */
#define AT(member) offsetof(struct solver_options, member)

/* Rows of the path from data to noise, and of a table of betas. */
extern const struct option path_options[], schedule_table_options[];
/* Rows of every run, of the prediction, of limits on clean data, and of abar at the end of a run
   (run.c, limit.c). */
extern const struct option run_options[], prediction_options[], limit_options[], final_options[];
/* Options of solvers that draw no noise of a fixed variance: of variance_type only the choices that
   double the network's output have an effect (run.c). */
extern const struct option output_options[];

/* In the order of enum variance_type. */
#define VARIANCE_CHOICES                                                                           \
    "fixed_small|fixed_small_log|fixed_large|fixed_large_log|learned|learned_range"

/* Rows of the times or noise levels that are visited (spacing.c, places.c, respacing.c): for
   solvers that use whole times of a table; for places of any kind; for the last place; for places
   at whole times; rules. */
extern const struct option spacing_options[], places_options[], end_options[], clipped_options[];
extern const struct option respacing_options[];
/* Rows that several solvers share: churn (euler.c) and exponential integrators (exponential.c). */
extern const struct option churn_options[], exponential_options[], multistep_options[];
extern const struct option order_options[];

void options_release(sumi_context *context, struct solver_options *options);

/* A copy with lists of its own; on failure nothing is left to release. */
sumi_status options_copy(sumi_context *context, const struct solver_options *from,
                         struct solver_options *to);

/* Copies what a network was trained on, its path and its prediction, from the default options of
   the class that it was trained for. */
void options_take_training(struct solver_options *options, const struct solver_options *trained);

/* Writes "_class_name" of a JSON text to name[size]; "" where there is none. */
sumi_status options_class(sumi_context *context, const char *json, char *name, size_t size);

/* The path that the network was trained on. Borrows the schedule, which only a table needs. */
struct noise_path options_path(const struct solver_options *options,
                               const struct schedule *schedule);

/* The options of the schedule. Points into `options`. */
struct schedule_options options_schedule(const struct solver_options *options);

#endif

/* Every option of every solver, by the names of diffusers' scheduler_config.json and a few of
   Sumi's own. One table says what each name accepts. */
#ifndef SUMI_SOLVERS_OPTIONS_H
#define SUMI_SOLVERS_OPTIONS_H

#include "base/json.h"
#include "noise/prediction.h"
#include "noise/random.h"
#include "noise/schedule.h"

struct number_list {
    double *values; /* NULL while the option is not given */
    int64_t count;
};

enum spacing { SPACING_LEADING, SPACING_LINSPACE, SPACING_TRAILING };
enum channel_order { CHANNELS_LAST, CHANNELS_FIRST };
enum compatibility { COMPATIBLE_NONE, COMPATIBLE_DIFFUSERS };

struct solver_options {
    /* schedule */
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
    struct number_list timesteps;
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
};

void options_default(struct solver_options *options);
void options_release(sumi_context *context, struct solver_options *options);

/* Sets one option from JSON or plain text. */
sumi_status options_set(sumi_context *context, struct solver_options *options, const char *name,
                        const char *value);

/* Sets every known option of a JSON text, or none of them on failure. */
sumi_status options_configure(sumi_context *context, struct solver_options *options,
                              const char *json);

/* The schedule's share of the options. Points into `options`. */
struct schedule_options options_schedule(const struct solver_options *options);

#endif

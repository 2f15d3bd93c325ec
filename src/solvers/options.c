/* SPDX-License-Identifier: Apache-2.0 */
/* The option rows of the path and the schedule, what is made of their values, and copies of all
   values; see options.h. */
#include "solvers/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The choices are in the order of enum path_kind and enum time_kind. */
const struct option path_options[] = {
    {CHOICE_OPTION("path", "table", "table|vp|sub_vp|ve|edm|flow|cosine",
                   "what the network was trained on: a table of betas, or another path from data to"
                   " noise"),
     AT(path)},
    {WHOLE_OPTION("num_train_timesteps", "1000", 1, 1000000, "T, the number of noise levels"),
     AT(num_train_timesteps), "trained_betas="},
    {CHOICE_OPTION(
         "timestep_type", "discrete", "discrete|continuous|sigma|consistency",
         "the time input of the network: the time, log(sigma) / 4, sigma or 250 log(sigma)"),
     AT(timestep_type)},
    {NUMBER_OPTION("beta_min", "0.1", 0, 1e6, "beta at time 0"), AT(beta_min), "path=vp|sub_vp"},
    {NUMBER_OPTION("beta_max", "20", 0, 1e6, "beta at time 1"), AT(beta_max), "path=vp|sub_vp"},
    {NUMBER_OPTION("sampling_eps", "0", 0, 1, "least time; 0: 1e-3, or 1e-5 for ve"),
     AT(sampling_eps), "path=vp|sub_vp|ve"},
    {NUMBER_OPTION("sigma_min", "0", 0, 1e6, "least noise level; 0: 0.01 for ve, 0.002 for edm"),
     AT(sigma_min), "path=ve|edm"},
    {NUMBER_OPTION("sigma_max", "0", 0, 1e6, "greatest noise level; 0: 50 for ve, 80 for edm"),
     AT(sigma_max), "path=ve|edm"},
    {NUMBER_OPTION("sigma_data", "0.5", 1e-6, 1e6, "standard deviation of the data"),
     AT(sigma_data), "path=edm"},
    {FLAG_OPTION("use_flow_sigmas", "false", "sample along a straight path, whatever `path` is"),
     AT(use_flow_sigmas)},
    {.name = NULL},
};

#define OF_TWO_BETAS                                                                               \
    "path=table, trained_betas=, beta_schedule=linear|scaled_linear|quadratic|sigmoid|geometric"

/* The schedules in the order of schedule_name(). */
const struct option schedule_table_options[] = {
    {CHOICE_OPTION("beta_schedule", "linear",
                   "linear|scaled_linear|quadratic|squaredcos_cap_v2|cosine|sigmoid|laplace|"
                   "binomial|geometric",
                   "how beta grows from the first time of a table to the last"),
     AT(beta_schedule), "path=table, trained_betas="},
    {NUMBER_OPTION("beta_start", "0.0001", 0, 1, "beta of the first time"), AT(beta_start),
     OF_TWO_BETAS},
    {NUMBER_OPTION("beta_end", "0.02", 0, 1, "beta of the last time"), AT(beta_end), OF_TWO_BETAS},
    {NUMBERS_OPTION("trained_betas", 0, 1, "the betas themselves, instead of a schedule"),
     AT(trained_betas), "path=table"},
    {FLAG_OPTION("rescale_betas_zero_snr", "false",
                 "rescale a table so that its last time has no signal"),
     AT(rescale_betas_zero_snr), "path=table"},
    {NUMBER_OPTION("snr_shift_scale", "1", 1e-3, 1e3,
                   "divisor of the signal-to-noise ratio of a table"),
     AT(snr_shift_scale), "path=table"},
    {.name = NULL},
};

/* ---- Lists ---- */

static struct number_list *list_of(struct solver_options *options, int number)
{
    struct number_list *const lists[] = {&options->trained_betas, &options->timesteps,
                                         &options->sigmas, &options->disable_corrector};
    return number < 4 ? lists[number] : NULL;
}

void options_release(sumi_context *context, struct solver_options *options)
{
    struct number_list *list;
    for (int i = 0; (list = list_of(options, i)) != NULL; i++) {
        context_release(context, list->values);
        *list = (struct number_list){NULL, 0};
    }
}

static sumi_status copy_list(sumi_context *context, struct number_list *list)
{
    if (!list->values) return SUMI_OK;
    size_t size = (size_t)list->count * sizeof *list->values;
    double *values = context_allocate(context, (size_t)list->count, sizeof *values);
    if (values) memcpy(values, list->values, size);
    list->values = values;
    return values ? SUMI_OK : SUMI_ERROR_MEMORY;
}

sumi_status options_copy(sumi_context *context, const struct solver_options *from,
                         struct solver_options *to)
{
    sumi_status status = SUMI_OK;
    struct number_list *list;
    *to = *from;
    for (int i = 0; (list = list_of(to, i)) != NULL; i++) {
        if (status == SUMI_OK) status = copy_list(context, list);
        else *list = (struct number_list){NULL, 0};
    }
    if (status != SUMI_OK) options_release(context, to);
    return status;
}

/* ---- What is made of them ---- */

struct schedule_options options_schedule(const struct solver_options *options)
{
    return (struct schedule_options){
        .num_train_timesteps = options->num_train_timesteps,
        .beta_start = options->beta_start,
        .beta_end = options->beta_end,
        .beta_schedule = schedule_name(options->beta_schedule),
        .trained_betas = options->trained_betas.values,
        .trained_count = options->trained_betas.count,
        .rescale_betas_zero_snr = options->rescale_betas_zero_snr,
        .snr_shift_scale = options->snr_shift_scale,
    };
}

struct noise_path options_path(const struct solver_options *options,
                               const struct schedule *schedule)
{
    bool exploding = options->path == PATH_VE;
    return (struct noise_path){
        .kind = options->use_flow_sigmas ? PATH_FLOW : (enum path_kind)options->path,
        .time_kind = (enum time_kind)options->timestep_type,
        .schedule = schedule,
        .count = schedule->count,
        .beta_min = options->beta_min,
        .beta_max = options->beta_max,
        .sigma_min = options->sigma_min > 0 ? options->sigma_min
                     : exploding            ? 0.01
                                            : 0.002,
        .sigma_max = options->sigma_max > 0 ? options->sigma_max
                     : exploding            ? 50
                                            : 80,
        .sigma_data = options->sigma_data,
        .eps = options->sampling_eps > 0 ? options->sampling_eps
               : exploding               ? 1e-5
                                         : 1e-3,
    };
}

/* ---- The class that a file names ---- */

sumi_status options_class(sumi_context *context, const char *json, char *name, size_t size)
{
    json_object *members = NULL, *value = NULL;
    TRY(json_parse(context, json, strlen(json), "the scheduler's configuration", &members));
    if (json_object_is_type(members, json_type_object)
        && json_object_object_get_ex(members, "_class_name", &value)
        && json_object_is_type(value, json_type_string)) {
        snprintf(name, size, "%s", json_object_get_string(value));
    }
    json_object_put(members);
    return SUMI_OK;
}

void options_take_training(struct solver_options *options, const struct solver_options *trained)
{
    options->path = trained->path;
    options->prediction_type = trained->prediction_type;
    options->num_train_timesteps = trained->num_train_timesteps;
    options->beta_start = trained->beta_start;
    options->beta_end = trained->beta_end;
    options->beta_schedule = trained->beta_schedule;
    options->sigma_min = trained->sigma_min;
    options->sigma_max = trained->sigma_max;
    options->timestep_type = trained->timestep_type;
    options->snr_shift_scale = trained->snr_shift_scale;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler_config.json: the scheduler a model was trained for, as diffusers writes it. */
#include <stdio.h>
#include <string.h>

#include "files/recipe.h"
#include "base/members.h"
#include "models/model.h"
#include "solvers/solver.h"

static const char DEFAULT_CLASS[] = "DDPMScheduler";
static const char OWN_CLASS[] = "SumiPathScheduler"; /* for paths that diffusers does not have */
static const char BITS_CLASS[] = "SumiBinomialScheduler";
/* For models that are trained here: with any number of steps, sampling begins at the last time,
   also in diffusers (Lin et al. 2024, table 2). With "leading", a third of all numbers of steps
   begin far from it, and a single step at time 0. */
static const char TRAINED_SPACING[] = "trailing";
static const char FORMAT_VERSION[] = "0.42.1"; /* the version of diffusers whose keys are written */

/* The values of the keys; the defaults are those of diffusers' DDPMScheduler. */
struct scheduler_values {
    const char *class_name;
    int64_t steps;
    double beta_start, beta_end;
    const char *schedule, *prediction, *variance;
    bool zero_snr, clip, thresholding;
    double clip_range, threshold_ratio, threshold_max;
    const char *spacing;
    const char *path, *time; /* path NULL: a table of betas; the members below are not written */
    double beta_min, beta_max, sigma_min, sigma_max, sigma_data, eps, shift;
    bool resolution_shift;
};

static const struct scheduler_values defaults = {
    .class_name = DEFAULT_CLASS,
    .steps = 1000,
    .beta_start = 0.0001,
    .beta_end = 0.02,
    .schedule = "linear",
    .prediction = "epsilon",
    .variance = "fixed_small",
    .clip = true,
    .clip_range = 1,
    .threshold_ratio = 0.995,
    .threshold_max = 1,
    .spacing = "leading",
};

static bool fill(json_object *object, const struct scheduler_values *values)
{
    return member_text(object, "_class_name", values->class_name)
           && member_text(object, "_diffusers_version", FORMAT_VERSION)
           && member_whole(object, "num_train_timesteps", values->steps)
           && member_text(object, "beta_schedule", values->schedule)
           && member_number(object, "beta_start", values->beta_start)
           && member_number(object, "beta_end", values->beta_end)
           && member_null(object, "trained_betas")
           && member_flag(object, "rescale_betas_zero_snr", values->zero_snr)
           && member_text(object, "prediction_type", values->prediction)
           && member_text(object, "variance_type", values->variance)
           && member_flag(object, "clip_sample", values->clip)
           && member_number(object, "clip_sample_range", values->clip_range)
           && member_flag(object, "thresholding", values->thresholding)
           && member_number(object, "dynamic_thresholding_ratio", values->threshold_ratio)
           && member_number(object, "sample_max_value", values->threshold_max)
           && member_text(object, "timestep_spacing", values->spacing)
           && member_whole(object, "steps_offset", 0);
}

/* Writes the keys of paths other than a table, except those that are 0, the path's default. */
static bool fill_path(json_object *object, const struct scheduler_values *values)
{
    if (!values->path) return true;
    return member_text(object, "path", values->path)
           && member_text(object, "timestep_type", values->time)
           && member_number(object, "beta_min", values->beta_min)
           && member_number(object, "beta_max", values->beta_max)
           && (values->sigma_min == 0 || member_number(object, "sigma_min", values->sigma_min))
           && (values->sigma_max == 0 || member_number(object, "sigma_max", values->sigma_max))
           && member_number(object, "sigma_data", values->sigma_data)
           && (values->eps == 0 || member_number(object, "sampling_eps", values->eps))
           && member_number(object, "shift", values->shift)
           && (!values->resolution_shift
               || member_flag(object, "resolution_shift", values->resolution_shift));
}

static sumi_status write_values(sumi_context *context, const struct scheduler_values *values,
                                char **text)
{
    json_object *object = json_object_new_object();
    bool complete = object && fill(object, values) && fill_path(object, values);
    sumi_status status = members_check(context, complete, "the scheduler's configuration");
    if (status == SUMI_OK) status = json_to_text(context, object, text);
    json_object_put(object);
    return status;
}

sumi_status scheduler_default(sumi_context *context, char **text)
{
    return write_values(context, &defaults, text);
}

/* diffusers' name for a recipe's schedule. */
static const char *schedule_in_file(const char *name)
{
    if (strcmp(name, "cosine") == 0) return "squaredcos_cap_v2";
    return strcmp(name, "quadratic") == 0 ? "scaled_linear" : name; /* the same betas */
}

/* The scheduler class for a path: that of diffusers, where it has one with the same time input and
   prediction; else Sumi's own. */
static const char *class_for(const char *path, const char *prediction, const char *time)
{
    bool discrete = strcmp(time, "discrete") == 0;
    bool velocity =
        strcmp(prediction, "flow_prediction") == 0 || strcmp(prediction, "velocity") == 0;
    bool raw = strcmp(prediction, "epsilon") == 0 || strcmp(prediction, "v_prediction") == 0;
    if (strcmp(path, "table") == 0 && discrete) return DEFAULT_CLASS;
    if (strcmp(path, "flow") == 0 && discrete && velocity) return "FlowMatchEulerDiscreteScheduler";
    if (strcmp(path, "edm") == 0 && discrete && raw) return "EDMEulerScheduler";
    return OWN_CLASS;
}

/* No key is read where an auto-encoder is trained. */
#define DIFFUSES "train.objective!=autoencoder"
#define AND(condition) DIFFUSES ", " condition
#define A_TABLE "noise.path=table|binomial"

const struct option noise_keys[] = {
    {WHOLE_OPTION("noise.steps", "1000", 2, 100000, "T, the number of noise levels"),
     .when = DIFFUSES},
    {CHOICE_OPTION(
         "noise.path", "table", "table|vp|sub_vp|ve|edm|flow|cosine|binomial",
         "from data to noise: a table of betas, one of the SDEs, a flow; or bits that flip"),
     .when = DIFFUSES},
    {CHOICE_OPTION("noise.schedule", "linear",
                   "linear|scaled_linear|cosine|quadratic|sigmoid|laplace|"
                   "geometric|binomial",
                   "how beta grows from the first level of a table to the last"),
     .when = AND(A_TABLE)},
    {FLAG_OPTION("noise.zero_snr", "no", "rescale a table so that its last level has no signal"),
     .when = AND(A_TABLE)},
    {NUMBER_OPTION("noise.beta_min", "0.1", 1e-6, 1e6, "beta at time 0 of vp and sub_vp"),
     .when = AND("noise.path=vp|sub_vp")},
    {NUMBER_OPTION("noise.beta_max", "20", 1e-6, 1e6, "beta at time 1 of vp and sub_vp"),
     .when = AND("noise.path=vp|sub_vp")},
    {NUMBER_OPTION("noise.sigma_min", "0", 0, 1e6,
                   "least noise level of ve and edm; 0: 0.01 and 0.002"),
     .when = AND("noise.path=ve|edm")},
    {NUMBER_OPTION("noise.sigma_max", "0", 0, 1e6,
                   "greatest noise level of ve and edm; 0: 50 and 80"),
     .when = AND("noise.path=ve|edm")},
    {NUMBER_OPTION("noise.sigma_data", "0.5", 1e-6, 1e6, "standard deviation of the data, for edm"),
     .when = AND("noise.path=edm")},
    {NUMBER_OPTION("noise.eps", "0", 0, 1,
                   "least time of vp, sub_vp and ve; 0: 1e-3, or 1e-5 for ve"),
     .when = AND("noise.path=vp|sub_vp|ve")},
    {CHOICE_OPTION("noise.time", "discrete", "discrete|continuous|sigma|consistency",
                   "time input of the network: the time, log(sigma) / 4, sigma or 250 log(sigma)"),
     .when = AND("noise.path!=binomial")},
    {NUMBER_OPTION("noise.shift", "1", 1e-3, 1e3, "moves the times of a flow towards noise"),
     .when = AND("noise.path=flow")},
    {FLAG_OPTION("noise.resolution_shift", "yes",
                 "multiply the shift by sqrt(m / n) for items of m pixels where the model's size "
                 "has n"),
     .when = AND("noise.path=flow")},
    {NUMBER_OPTION("noise.beta_start", "0.0001", 0, 0.999,
                   "beta of the first level (not for cosine)"),
     .when = AND("noise.schedule=linear|scaled_linear|quadratic|sigmoid|geometric, "
                 "noise.path=table|binomial")},
    {NUMBER_OPTION("noise.beta_end", "0.02", 0, 0.999, "beta of the last level (not for cosine)"),
     .when = AND("noise.schedule=linear|scaled_linear|quadratic|sigmoid|geometric, "
                 "noise.path=table|binomial")},
    {CHOICE_OPTION("noise.prediction", "epsilon",
                   "epsilon|sample|v_prediction|score|flow_prediction|velocity",
                   "what the network predicts: noise, data, v, score, or a velocity"),
     .when = AND("noise.path!=binomial")},
    {CHOICE_OPTION(
         "noise.variance", "fixed_small", "fixed_small|fixed_large|learned_range",
         "variance of a reverse step: that of the posterior, beta, or learned between the two"),
     .when = DIFFUSES},
    {FLAG_OPTION("noise.clip", "yes", "clip the estimate of the clean sample while sampling"),
     .when = AND("noise.path!=binomial")},
    {NUMBER_OPTION("noise.clip_range", "1", 0, 1e6, "largest absolute value after clipping"),
     .when = AND("noise.clip=yes, noise.thresholding=no")},
    {FLAG_OPTION("noise.thresholding", "no", "clip at a quantile of each sample instead"),
     .when = AND("noise.path!=binomial")},
    {NUMBER_OPTION("noise.threshold_ratio", "0.995", 0, 1, "quantile of dynamic thresholding"),
     .when = AND("noise.thresholding=yes")},
    {NUMBER_OPTION("noise.threshold_max", "1", 0, 1e6, "largest threshold of dynamic thresholding"),
     .when = AND("noise.thresholding=yes")},
    {.name = NULL},
};

sumi_status scheduler_from_recipe(sumi_context *context, const sumi_recipe *recipe, char **text)
{
    const char *path = recipe_text(recipe, "noise.path"), *time = recipe_text(recipe, "noise.time");
    const char *prediction = recipe_text(recipe, "noise.prediction");
    bool bits = strcmp(path, "binomial") == 0; /* also a table of betas, but for another
                                                  diffusion */
    const char *class_name = bits ? BITS_CLASS : class_for(path, prediction, time);
    const struct scheduler_values values = {
        .class_name = class_name,
        /* on Sumi's own paths from one end to the other, so that with as many steps as NCSN has
           levels the steps are those levels */
        .spacing = strcmp(class_name, OWN_CLASS) == 0 ? "linspace" : TRAINED_SPACING,
        .path = bits || strcmp(class_name, DEFAULT_CLASS) == 0 ? NULL : path,
        .time = time,
        .beta_min = recipe_number(recipe, "noise.beta_min"),
        .beta_max = recipe_number(recipe, "noise.beta_max"),
        .sigma_min = recipe_number(recipe, "noise.sigma_min"),
        .sigma_max = recipe_number(recipe, "noise.sigma_max"),
        .sigma_data = recipe_number(recipe, "noise.sigma_data"),
        .eps = recipe_number(recipe, "noise.eps"),
        .shift = recipe_number(recipe, "noise.shift"),
        .resolution_shift =
            strcmp(path, "flow") == 0 && recipe_flag(recipe, "noise.resolution_shift"),
        .zero_snr = recipe_flag(recipe, "noise.zero_snr"),
        .steps = recipe_int(recipe, "noise.steps"),
        .beta_start = recipe_number(recipe, "noise.beta_start"),
        .beta_end = recipe_number(recipe, "noise.beta_end"),
        .schedule = schedule_in_file(recipe_text(recipe, "noise.schedule")),
        .prediction = prediction,
        .variance = recipe_text(recipe, "noise.variance"),
        .clip = recipe_flag(recipe, "noise.clip"),
        .clip_range = recipe_number(recipe, "noise.clip_range"),
        .thresholding = recipe_flag(recipe, "noise.thresholding"),
        .threshold_ratio = recipe_number(recipe, "noise.threshold_ratio"),
        .threshold_max = recipe_number(recipe, "noise.threshold_max"),
    };
    return write_values(context, &values, text);
}

/* ---- Reading one ---- */

static sumi_status class_of(sumi_context *context, json_object *object, const char *source,
                            const char **name)
{
    if (!json_object_is_type(object, json_type_object)) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: should be a JSON object, {...}",
                            source);
    }
    *name = DEFAULT_CLASS;
    return json_get_text(context, object, source, "_class_name", name);
}

/* Checks the options by setting a solver to them; not for a class that is not available, which may
   use the same names in other ways. */
static sumi_status try_options(sumi_context *context, const char *class_name, const char *text,
                               const char *source)
{
    char reason[MESSAGE_SIZE];
    const char *name = solver_name_for_class(class_name);
    if (!name) return SUMI_OK;
    sumi_solver *solver = NULL;
    TRY(sumi_solver_create(context, name, &solver));
    sumi_status status = sumi_solver_configure(solver, text);
    const struct schedule *schedule = NULL;
    if (status == SUMI_OK) status = solver_schedule(solver, &schedule);
    sumi_solver_free(solver);
    if (status == SUMI_OK || status == SUMI_ERROR_MEMORY) return status;
    snprintf(reason, sizeof reason, "%s", context->message);
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: %s", source, reason);
}

static sumi_status read_object(sumi_context *context, json_object *object, const char *source,
                               char **result)
{
    const char *name = NULL;
    char *text = NULL;
    TRY(class_of(context, object, source, &name));
    TRY(members_check(context,
                      json_object_object_get_ex(object, "_class_name", NULL)
                          || member_text(object, "_class_name", name),
                      source));
    TRY(json_to_text(context, object, &text));
    sumi_status status = try_options(context, name, text, source);
    if (status == SUMI_OK) *result = text;
    else context_release(context, text);
    return status;
}

sumi_status scheduler_read(sumi_context *context, const char *text, const char *source,
                           char **result)
{
    json_object *object = NULL;
    *result = NULL;
    if (!text) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "%s: should be a text, not NULL", source);
    }
    TRY(json_parse(context, text, strlen(text), source, &object));
    sumi_status status = read_object(context, object, source, result);
    json_object_put(object);
    return status;
}

sumi_status scheduler_class(sumi_context *context, const char *text, char *name, size_t size)
{
    json_object *object = NULL;
    const char *found = NULL;
    TRY(json_parse(context, text, strlen(text), "scheduler_config.json", &object));
    sumi_status status = class_of(context, object, "scheduler_config.json", &found);
    if (status == SUMI_OK) snprintf(name, size, "%s", found);
    json_object_put(object);
    return status;
}

/* scheduler_config.json: the scheduler a model was trained for, as diffusers writes it. */
#include <stdio.h>
#include <string.h>

#include "files/recipe.h"
#include "models/members.h"
#include "models/model.h"
#include "solvers/solver.h"

static const char DEFAULT_CLASS[] = "DDPMScheduler";
static const char FORMAT_VERSION[] = "0.42.1"; /* of diffusers, whose keys are written */

/* What DDPMScheduler's keys are to say; the defaults are diffusers'. */
struct scheduler_values {
    int64_t steps;
    double beta_start, beta_end;
    const char *schedule, *prediction, *variance;
    bool clip, thresholding;
    double clip_range, threshold_ratio, threshold_max;
};

static const struct scheduler_values defaults = {
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
};

static bool fill(json_object *object, const struct scheduler_values *values)
{
    return member_text(object, "_class_name", DEFAULT_CLASS)
        && member_text(object, "_diffusers_version", FORMAT_VERSION)
        && member_whole(object, "num_train_timesteps", values->steps)
        && member_text(object, "beta_schedule", values->schedule)
        && member_number(object, "beta_start", values->beta_start)
        && member_number(object, "beta_end", values->beta_end)
        && member_null(object, "trained_betas")
        && member_flag(object, "rescale_betas_zero_snr", false)
        && member_text(object, "prediction_type", values->prediction)
        && member_text(object, "variance_type", values->variance)
        && member_flag(object, "clip_sample", values->clip)
        && member_number(object, "clip_sample_range", values->clip_range)
        && member_flag(object, "thresholding", values->thresholding)
        && member_number(object, "dynamic_thresholding_ratio", values->threshold_ratio)
        && member_number(object, "sample_max_value", values->threshold_max)
        && member_text(object, "timestep_spacing", "leading")
        && member_whole(object, "steps_offset", 0);
}

static sumi_status write_values(sumi_context *context, const struct scheduler_values *values,
                                char **text)
{
    json_object *object = json_object_new_object();
    bool complete = object && fill(object, values);
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

sumi_status scheduler_from_recipe(sumi_context *context, const sumi_recipe *recipe, char **text)
{
    const struct scheduler_values values = {
        .steps = recipe_int(recipe, "noise.steps"),
        .beta_start = recipe_number(recipe, "noise.beta_start"),
        .beta_end = recipe_number(recipe, "noise.beta_end"),
        .schedule = schedule_in_file(recipe_text(recipe, "noise.schedule")),
        .prediction = recipe_text(recipe, "noise.prediction"),
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

/* Sets a solver to the options, to see whether it takes them. A class that is not available may
   mean something else by the same names, so it is not judged. */
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

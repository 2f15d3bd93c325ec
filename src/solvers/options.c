/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options and the readers of their values; see options.h. */
#include "solvers/options.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { MOST_NUMBERS = 1000000, MOST_WORDS = 9 };

enum kind { KIND_WHOLE, KIND_NUMBER, KIND_FLAG, KIND_CHOICE, KIND_SCHEDULE, KIND_LIST, KIND_SEED };

struct option {
    const char *name;
    enum kind kind;
    size_t offset;
    double least, most;            /* of whole numbers and numbers */
    const char *words[MOST_WORDS]; /* of a choice, in the order of its enum */
};

#define AT(member) offsetof(struct solver_options, member)
static const struct option table[] = {
    {"path", KIND_CHOICE, AT(path), 0, 0, {"table", "vp", "sub_vp", "ve", "edm", "flow", "cosine"}},
    {"beta_min", KIND_NUMBER, AT(beta_min), 0, 1e6, {0}},
    {"beta_max", KIND_NUMBER, AT(beta_max), 0, 1e6, {0}},
    {"sampling_eps", KIND_NUMBER, AT(sampling_eps), 0, 1, {0}},
    {"num_train_timesteps", KIND_WHOLE, AT(num_train_timesteps), 1, 1000000, {0}},
    {"beta_start", KIND_NUMBER, AT(beta_start), 0, 1, {0}},
    {"beta_end", KIND_NUMBER, AT(beta_end), 0, 1, {0}},
    {"beta_schedule", KIND_SCHEDULE, AT(beta_schedule), 0, 0, {0}},
    {"trained_betas", KIND_LIST, AT(trained_betas), 0, 1, {0}},
    {"rescale_betas_zero_snr", KIND_FLAG, AT(rescale_betas_zero_snr), 0, 0, {0}},
    {"prediction_type",
     KIND_CHOICE,
     AT(prediction_type),
     0,
     0,
     {"epsilon", "sample", "v_prediction", "score", "flow_prediction", "velocity"}},
    {"clip_sample", KIND_FLAG, AT(clip_sample), 0, 0, {0}},
    {"clip_sample_range", KIND_NUMBER, AT(clip_sample_range), 0, 1e30, {0}},
    {"thresholding", KIND_FLAG, AT(thresholding), 0, 0, {0}},
    {"dynamic_thresholding_ratio", KIND_NUMBER, AT(dynamic_thresholding_ratio), 0, 1, {0}},
    {"sample_max_value", KIND_NUMBER, AT(sample_max_value), 1e-30, 1e30, {0}},
    {"timestep_spacing",
     KIND_CHOICE,
     AT(timestep_spacing),
     0,
     0,
     {"leading", "linspace", "trailing"}},
    {"steps_offset", KIND_WHOLE, AT(steps_offset), 0, 1000000, {0}},
    {"steps", KIND_WHOLE, AT(steps), 0, 1000000, {0}},
    {"start_index", KIND_WHOLE, AT(start_index), 0, 1000000, {0}},
    {"timesteps", KIND_LIST, AT(timesteps), -1000000, 1000000, {0}},
    {"sigmas", KIND_LIST, AT(sigmas), 0, 1e6, {0}},
    {"use_karras_sigmas", KIND_FLAG, AT(use_karras_sigmas), 0, 0, {0}},
    {"use_exponential_sigmas", KIND_FLAG, AT(use_exponential_sigmas), 0, 0, {0}},
    {"use_beta_sigmas", KIND_FLAG, AT(use_beta_sigmas), 0, 0, {0}},
    {"use_lu_lambdas", KIND_FLAG, AT(use_lu_lambdas), 0, 0, {0}},
    {"final_sigmas_type", KIND_CHOICE, AT(final_sigmas_type), 0, 0, {"zero", "sigma_min"}},
    {"interpolation_type", KIND_CHOICE, AT(interpolation_type), 0, 0, {"linear", "log_linear"}},
    {"timestep_type",
     KIND_CHOICE,
     AT(timestep_type),
     0,
     0,
     {"discrete", "continuous", "sigma", "consistency"}},
    {"sigma_schedule", KIND_CHOICE, AT(sigma_schedule), 0, 0, {"karras", "exponential"}},
    {"sigma_min", KIND_NUMBER, AT(sigma_min), 0, 1e6, {0}},
    {"sigma_max", KIND_NUMBER, AT(sigma_max), 0, 1e6, {0}},
    {"sigma_data", KIND_NUMBER, AT(sigma_data), 1e-6, 1e6, {0}},
    {"rho", KIND_NUMBER, AT(rho), 1e-3, 1e3, {0}},
    {"lambda_min_clipped", KIND_NUMBER, AT(lambda_min_clipped), -INFINITY, 1e6, {0}},
    {"use_flow_sigmas", KIND_FLAG, AT(use_flow_sigmas), 0, 0, {0}},
    {"flow_shift", KIND_NUMBER, AT(flow_shift), 1e-3, 1e3, {0}},
    {"shift", KIND_NUMBER, AT(shift), 1e-3, 1e3, {0}},
    {"use_dynamic_shifting", KIND_FLAG, AT(use_dynamic_shifting), 0, 0, {0}},
    {"time_shift_type", KIND_CHOICE, AT(time_shift_type), 0, 0, {"exponential", "linear"}},
    {"mu", KIND_NUMBER, AT(mu), -100, 100, {0}},
    {"shift_terminal", KIND_NUMBER, AT(shift_terminal), 0, 1, {0}},
    {"invert_sigmas", KIND_FLAG, AT(invert_sigmas), 0, 0, {0}},
    {"stochastic_sampling", KIND_FLAG, AT(stochastic_sampling), 0, 0, {0}},
    {"solver_order", KIND_WHOLE, AT(solver_order), 1, 3, {0}},
    {"passes", KIND_WHOLE, AT(passes), 1, 1000, {0}},
    {"original_inference_steps", KIND_WHOLE, AT(original_inference_steps), 1, 1000000, {0}},
    {"timestep_scaling", KIND_NUMBER, AT(timestep_scaling), 0, 1e6, {0}},
    {"algorithm_type",
     KIND_CHOICE,
     AT(algorithm_type),
     0,
     0,
     {"dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver", "deis", "data_prediction",
      "noise_prediction"}},
    {"solver_type",
     KIND_CHOICE,
     AT(solver_type),
     0,
     0,
     {"midpoint", "heun", "logrho", "bh1", "bh2"}},
    {"lower_order_final", KIND_FLAG, AT(lower_order_final), 0, 0, {0}},
    {"euler_at_final", KIND_FLAG, AT(euler_at_final), 0, 0, {0}},
    {"predict_x0", KIND_FLAG, AT(predict_x0), 0, 0, {0}},
    {"disable_corrector", KIND_LIST, AT(disable_corrector), 0, 1000000, {0}},
    {"skip_prk_steps", KIND_FLAG, AT(skip_prk_steps), 0, 0, {0}},
    {"s_churn", KIND_NUMBER, AT(s_churn), 0, 1e6, {0}},
    {"s_tmin", KIND_NUMBER, AT(s_tmin), 0, INFINITY, {0}},
    {"s_tmax", KIND_NUMBER, AT(s_tmax), 0, INFINITY, {0}},
    {"s_noise", KIND_NUMBER, AT(s_noise), 0, 1e3, {0}},
    {"predictor",
     KIND_CHOICE,
     AT(predictor),
     0,
     0,
     {"reverse_diffusion", "ancestral", "euler_maruyama"}},
    {"snr", KIND_NUMBER, AT(snr), 0, 1e3, {0}},
    {"correct_steps", KIND_WHOLE, AT(correct_steps), 0, 1000, {0}},
    {"noise_removal", KIND_FLAG, AT(noise_removal), 0, 0, {0}},
    {"step_size", KIND_NUMBER, AT(step_size), 0, 1e6, {0}},
    {"steps_per_level", KIND_WHOLE, AT(steps_per_level), 1, 1000000, {0}},
    {"rtol", KIND_NUMBER, AT(rtol), 0, 1, {0}},
    {"atol", KIND_NUMBER, AT(atol), 0, 1e6, {0}},
    {"snr_shift_scale", KIND_NUMBER, AT(snr_shift_scale), 1e-3, 1e3, {0}},
    {"predictor_order", KIND_WHOLE, AT(predictor_order), 1, 3, {0}},
    {"corrector_order", KIND_WHOLE, AT(corrector_order), 0, 4, {0}},
    {"tau", KIND_NUMBER, AT(tau), 0, 10, {0}},
    {"tau_start", KIND_NUMBER, AT(tau_start), -1e6, 1e6, {0}},
    {"tau_end", KIND_NUMBER, AT(tau_end), -1e6, 1e6, {0}},
    {"clip_denoised", KIND_FLAG, AT(clip_sample), 0, 0, {0}},
    {"variance_type",
     KIND_CHOICE,
     AT(variance_type),
     0,
     0,
     {"fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log", "learned",
      "learned_range"}},
    {"set_alpha_to_one", KIND_FLAG, AT(set_alpha_to_one), 0, 0, {0}},
    {"use_clipped_model_output", KIND_FLAG, AT(use_clipped_model_output), 0, 0, {0}},
    {"eta", KIND_NUMBER, AT(eta), 0, 1, {0}},
    {"seed", KIND_SEED, AT(seed), 0, 0, {0}},
    {"rng", KIND_CHOICE, AT(rng), 0, 0, {"philox", "torch"}},
    {"first_item", KIND_WHOLE, AT(first_item), 0, 0x1p40, {0}},
    {"channels", KIND_CHOICE, AT(channels), 0, 0, {"last", "first"}},
    {"compat", KIND_CHOICE, AT(compat), 0, 0, {"none", "diffusers"}},
};
enum { OPTIONS = sizeof table / sizeof *table };

void options_default(struct solver_options *options)
{
    *options = (struct solver_options){
        .beta_min = 0.1,
        .beta_max = 20,
        .num_train_timesteps = 1000,
        .beta_start = 0.0001,
        .beta_end = 0.02,
        .clip_sample = true,
        .clip_sample_range = 1,
        .dynamic_thresholding_ratio = 0.995,
        .sample_max_value = 1,
        .set_alpha_to_one = true,
        .sigma_data = 0.5,
        .rho = 7,
        .lambda_min_clipped = -INFINITY,
        .flow_shift = 1,
        .shift = 1,
        .solver_order = 2,
        .passes = 1,
        .original_inference_steps = 50,
        .timestep_scaling = 10,
        .lower_order_final = true,
        .predict_x0 = true,
        .s_tmax = INFINITY,
        .s_noise = 1,
        .predictor = PREDICTOR_USUAL,
        .snr = 0.16,
        .correct_steps = 1,
        .steps_per_level = 100,
        .noise_removal = true,
        .rtol = 1e-5,
        .atol = 1e-5,
        .snr_shift_scale = 1,
        .predictor_order = 2,
        .corrector_order = 2,
        .tau = 1,
        .tau_start = 200,
        .tau_end = 800,
    };
}

void options_release(sumi_context *context, struct solver_options *options)
{
    context_release(context, options->trained_betas.values);
    context_release(context, options->timesteps.values);
    context_release(context, options->sigmas.values);
    context_release(context, options->disable_corrector.values);
    options->trained_betas = options->timesteps = options->sigmas = options->disable_corrector =
        (struct number_list){NULL, 0};
}

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

/* ---- One value ---- */

static const char *option_word(const struct option *option, int number)
{
    if (option->kind == KIND_SCHEDULE) return schedule_name(number);
    return number < MOST_WORDS ? option->words[number] : NULL;
}

static sumi_status set_word(sumi_context *context, const struct option *option, void *target,
                            const char *text)
{
    char known[256] = "";
    for (int number = 0; option_word(option, number); number++) {
        const char *word = option_word(option, number);
        if (strcmp(word, text) == 0) {
            *(int *)target = number;
            return SUMI_OK;
        }
        size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, "%s%s", number ? ", " : "", word);
    }
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "solver option \"%s\" cannot be \"%.100s\"; it is one of %s", option->name,
                        text, known);
}

static sumi_status check_range(sumi_context *context, const struct option *option, double number)
{
    if (number >= option->least && number <= option->most) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "solver option \"%s\" must be from %g to %g, not %g", option->name,
                        option->least, option->most, number);
}

static sumi_status wrong_type(sumi_context *context, const struct option *option, const char *given)
{
    static const char *const expected[] = {
        [KIND_WHOLE] = "a whole number",
        [KIND_NUMBER] = "a number",
        [KIND_FLAG] = "true or false",
        [KIND_CHOICE] = "a word",
        [KIND_SCHEDULE] = "a word",
        [KIND_LIST] = "a list of numbers",
        [KIND_SEED] = "a whole number from 0 to 18446744073709551615",
    };
    return context_fail(context, SUMI_ERROR_ARGUMENT, "solver option \"%s\" must be %s, not %.100s",
                        option->name, expected[option->kind], given);
}

static bool is_number(json_object *value)
{
    return json_object_is_type(value, json_type_int)
           || json_object_is_type(value, json_type_double);
}

/* diffusers writes this number as a word, since JSON has none for it. */
static bool is_minus_infinity(json_object *value)
{
    return json_object_is_type(value, json_type_string)
           && strcmp(json_object_get_string(value), "-inf") == 0;
}

/* null takes a list away and leaves any other option as it is, as in diffusers' files. */
static sumi_status set_null(sumi_context *context, const struct option *option, void *target)
{
    if (option->kind == KIND_LIST) {
        struct number_list *list = target;
        context_release(context, list->values);
        *list = (struct number_list){NULL, 0};
    }
    return SUMI_OK;
}

static sumi_status set_list(sumi_context *context, const struct option *option,
                            struct number_list *list, json_object *value)
{
    if (!json_object_is_type(value, json_type_array))
        return wrong_type(context, option, json_object_to_json_string(value));
    size_t count = json_object_array_length(value);
    if (count == 0 && option->offset == AT(disable_corrector))
        return set_null(context, option, list);
    if (count < 1 || count > MOST_NUMBERS) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "solver option \"%s\" must hold from 1 to %d numbers, not %zu",
                            option->name, MOST_NUMBERS, count);
    }
    double *values = context_allocate(context, count, sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        json_object *entry = json_object_array_get_idx(value, i);
        values[i] = json_object_get_double(entry);
        sumi_status status = is_number(entry)
                                 ? check_range(context, option, values[i])
                                 : wrong_type(context, option, "one with something else in it");
        if (status != SUMI_OK) {
            context_release(context, values);
            return status;
        }
    }
    context_release(context, list->values);
    *list = (struct number_list){values, (int64_t)count};
    return SUMI_OK;
}

static sumi_status set_json(sumi_context *context, const struct option *option,
                            struct solver_options *options, json_object *value)
{
    void *target = (char *)options + option->offset;
    if (!value) return set_null(context, option, target);
    bool whole = json_object_is_type(value, json_type_int), right = false;
    double number = json_object_get_double(value);
    switch (option->kind) {
    case KIND_WHOLE:
        if (!(right = whole)) break;
        TRY(check_range(context, option, number));
        *(int64_t *)target = json_object_get_int64(value);
        break;
    case KIND_NUMBER:
        if (option->least == -INFINITY && is_minus_infinity(value)) {
            *(double *)target = -INFINITY;
            return SUMI_OK;
        }
        if (!(right = is_number(value))) break;
        TRY(check_range(context, option, number));
        *(double *)target = number;
        break;
    case KIND_FLAG:
        if (!(right = json_object_is_type(value, json_type_boolean))) break;
        *(bool *)target = json_object_get_boolean(value);
        break;
    case KIND_CHOICE:
    case KIND_SCHEDULE:
        if (!(right = json_object_is_type(value, json_type_string))) break;
        return set_word(context, option, target, json_object_get_string(value));
    case KIND_SEED:
        if (!(right = whole && number >= 0)) break;
        *(uint64_t *)target = json_object_get_uint64(value);
        break;
    case KIND_LIST: return set_list(context, option, target, value);
    }
    return right ? SUMI_OK : wrong_type(context, option, json_object_to_json_string(value));
}

/* ---- One option by name ---- */

static const struct option *find_option(const char *name)
{
    for (int i = 0; i < OPTIONS; i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

static const char *nearest_name(const char *name)
{
    const char *names[OPTIONS + 1] = {NULL};
    for (int i = 0; i < OPTIONS; i++) names[i] = table[i].name;
    return text_nearest(name, names);
}

/* Whether nothing but white space follows. */
static bool ends_here(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* Turns the text of a value into JSON: a number, true, false, null or a list as it reads, and
   anything else as a string. */
static sumi_status value_from_text(sumi_context *context, const char *name, const char *text,
                                   json_object **value)
{
    *value = NULL;
    size_t length = strlen(text);
    double number = 0;
    if (text[0] == '[' || text[0] == '"') return json_parse(context, text, length, name, value);
    if (strcmp(text, "null") == 0) return SUMI_OK;
    char *end = NULL;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 10);
    if (end != text && ends_here(end) && errno == 0 && !strchr(text, '-')) {
        *value = json_object_new_uint64(seed);
    } else if (text_to_number(text, &number)) {
        *value = number == floor(number) && fabs(number) < 0x1p53 && !strpbrk(text, ".eE")
                     ? json_object_new_int64((int64_t)number)
                     : json_object_new_double(number);
    } else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *value = json_object_new_boolean(text[0] == 't');
    } else {
        *value = json_object_new_string_len(text, (int)(length < 4096 ? length : 4096));
    }
    return *value ? SUMI_OK
                  : context_fail(context, SUMI_ERROR_MEMORY, "solver option \"%s\": out of memory",
                                 name);
}

sumi_status options_set(sumi_context *context, struct solver_options *options, const char *name,
                        const char *value)
{
    const struct option *option = find_option(name);
    if (!option) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "there is no solver option \"%.100s\"; did you mean \"%s\"?", name,
                            nearest_name(name));
    }
    json_object *json = NULL;
    TRY(value_from_text(context, option->name, value, &json));
    sumi_status status = set_json(context, option, options, json);
    json_object_put(json);
    return status;
}

/* ---- A whole file ---- */

static sumi_status copy_list(sumi_context *context, const struct number_list *from,
                             struct number_list *to)
{
    *to = (struct number_list){NULL, 0};
    if (!from->values) return SUMI_OK;
    to->values = context_allocate(context, (size_t)from->count, sizeof *to->values);
    if (!to->values) return SUMI_ERROR_MEMORY;
    memcpy(to->values, from->values, (size_t)from->count * sizeof *to->values);
    to->count = from->count;
    return SUMI_OK;
}

static sumi_status set_members(sumi_context *context, struct solver_options *options,
                               json_object *members)
{
    json_object_object_foreach(members, name, value)
    {
        const struct option *option = find_option(name);
        if (option) TRY(set_json(context, option, options, value));
    }
    return SUMI_OK;
}

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

/* What belongs to the network and not to the way it is sampled. */
static void take_training(struct solver_options *options, const struct solver_options *trained)
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

sumi_status options_configure(sumi_context *context, struct solver_options *options,
                              const struct solver_options *trained, const char *json)
{
    json_object *members = NULL;
    TRY(json_parse(context, json, strlen(json), "the scheduler's configuration", &members));
    if (!json_object_is_type(members, json_type_object)) {
        json_object_put(members);
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "the scheduler's configuration should be a JSON object in { }");
    }
    struct solver_options changed = *options;
    if (trained) take_training(&changed, trained);
    changed.timesteps = changed.sigmas = changed.disable_corrector = (struct number_list){NULL, 0};
    sumi_status status = copy_list(context, &options->trained_betas, &changed.trained_betas);
    if (status == SUMI_OK) status = copy_list(context, &options->timesteps, &changed.timesteps);
    if (status == SUMI_OK) status = copy_list(context, &options->sigmas, &changed.sigmas);
    if (status == SUMI_OK)
        status = copy_list(context, &options->disable_corrector, &changed.disable_corrector);
    if (status == SUMI_OK) status = set_members(context, &changed, members);
    json_object_put(members);
    options_release(context, status == SUMI_OK ? options : &changed);
    if (status == SUMI_OK) *options = changed;
    return status == SUMI_ERROR_ARGUMENT ? SUMI_ERROR_FORMAT : status;
}

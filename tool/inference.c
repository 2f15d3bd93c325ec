/* SPDX-License-Identifier: Apache-2.0 */
/* Opening models, sessions and solvers; see inference.h. */
#include "inference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "size.h"

static const char PROMPT_GUIDANCE[] = "7.5"; /* the default with a prompt */

/* ---- Solvers ---- */

/* "name=value" */
static sumi_status set_option(sumi_solver *solver, const char *assignment)
{
    char name[64];
    size_t length = strcspn(assignment, "=");
    const char *value = assignment[length] ? assignment + length + 1 : "";
    snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), assignment);
    return sumi_solver_set(solver, name, value);
}

sumi_status inference_set_options(sumi_solver *solver, const struct texts *options)
{
    sumi_status status = SUMI_OK;
    for (int i = 0; i < options->count && status == SUMI_OK; i++)
        status = set_option(solver, options->items[i]);
    return status;
}

/* Whether the places to visit are listed, so that no number of steps is needed. */
static bool lists_places(const struct texts *options)
{
    for (int i = 0; i < options->count; i++)
        if (strncmp(options->items[i], "timesteps=", 10) == 0
            || strncmp(options->items[i], "sigmas=", 7) == 0)
            return true;
    return false;
}

/* rk45 needs no count of steps. */
static int64_t steps_of(const struct inference_settings *settings, const char *solver,
                        const sumi_recipe *recipe)
{
    if (settings->steps) return settings->steps;
    if ((solver && strcmp(solver, "rk45") == 0) || lists_places(&settings->options)) return 0;
    return sampling_whole(recipe, "sample.steps", 0);
}

bool inference_takes_steps(const struct inference *inference)
{
    return strcmp(sumi_solver_name(inference->solver), "rk45") != 0
           && !lists_places(&inference->settings->options);
}

bool inference_adds_noise(const char *solver)
{
    sumi_solver_info info = {.size = sizeof info};
    for (int i = 0; sumi_solver_describe(i, &info); i++)
        if (strcmp(info.name, solver) == 0) return info.stochastic;
    return false;
}

int inference_encode(const struct inference *inference, sumi_array *items, sumi_array *pictures)
{
    sumi_status status = sampling_encode(inference->context, inference->model,
                                         inference->settings->computing.precision, items, pictures);
    return status == SUMI_OK ? EXIT_DONE : fail_context(inference->context);
}

static sumi_status set_choices(sumi_solver *solver, const struct inference_settings *settings,
                               int64_t steps)
{
    sumi_status status = SUMI_OK;
    if (steps) status = sumi_solver_set_number(solver, "steps", (double)steps);
    if (status == SUMI_OK && settings->rng) status = sumi_solver_set(solver, "rng", settings->rng);
    if (status == SUMI_OK && settings->seed)
        status = sumi_solver_set(solver, "seed", settings->seed);
    if (status == SUMI_OK) status = inference_set_options(solver, &settings->options);
    if (status == SUMI_OK && sumi_solver_times(solver, NULL, 0) == 0) status = SUMI_ERROR_ARGUMENT;
    return status;
}

/* Creates the solver `name`; NULL: that of the recipe or of the model. */
static sumi_status make_solver(sumi_model *model, const struct inference_settings *settings,
                               const char *name, const sumi_recipe *recipe, sumi_solver **solver)
{
    int64_t steps = steps_of(settings, name, recipe);
    if (!name && recipe) name = sumi_recipe_get(recipe, "sample.solver");
    sumi_status status = sumi_model_solver(model, name, solver);
    if (status != SUMI_OK) return status;
    status = set_choices(*solver, settings, steps);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_solver_free(*solver);
    *solver = NULL;
    return status;
}

sumi_status inference_solver(sumi_model *model, const struct inference_settings *settings,
                             const sumi_recipe *recipe, sumi_solver **solver)
{
    return make_solver(model, settings, settings->solver, recipe, solver);
}

/* ---- Classes ---- */

/* Finds the class input of the model: "class" or "class_time". */
static bool find_class_input(const sumi_model *model, sumi_input *input)
{
    for (int i = 2; sumi_model_input(model, i, input); i++) {
        if (strcmp(input->name, "class") == 0 || strcmp(input->name, "class_time") == 0)
            return true;
    }
    *input = (sumi_input){.size = sizeof *input,
                          .name = "class",
                          .element = SUMI_INT32}; /* refused with a sentence */
    return false;
}

/* Sets the classes, as numbers where the input is "class_time". */
static sumi_status set_classes(sumi_condition *condition, const sumi_input *input, int64_t count,
                               const int32_t *classes)
{
    if (input->element == SUMI_INT32)
        return sumi_condition_set_integers(condition, input->name, 1, &count, classes);
    float *numbers = calloc((size_t)count, sizeof *numbers);
    if (!numbers) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++) numbers[i] = (float)classes[i];
    sumi_status status = sumi_condition_set(condition, input->name, 1, &count, numbers);
    free(numbers);
    return status;
}

sumi_status inference_repeat_classes(sumi_context *context, const sumi_model *model,
                                     sumi_session *session, int64_t count, const int32_t *classes)
{
    sumi_input input = {.size = sizeof input};
    sumi_condition *condition = NULL;
    find_class_input(model, &input);
    sumi_status status = sumi_condition_create(context, &condition);
    if (status == SUMI_OK) status = set_classes(condition, &input, count, classes);
    if (status == SUMI_OK) status = sumi_session_set_condition(session, condition);
    sumi_condition_free(condition);
    return status;
}

sumi_status inference_classes(sumi_context *context, const sumi_model *model, sumi_session *session,
                              int64_t count, const struct numbers *wanted, int64_t left_out)
{
    sumi_input input = {.size = sizeof input};
    int64_t all = sumi_model_classes(model), period = wanted->count;
    bool skips = all > 1 && left_out >= 0 && left_out < all;
    if (!period && !(find_class_input(model, &input) && input.element == SUMI_INT32))
        return SUMI_OK;
    if (!period) period = all - skips;
    if (period > count) period = count;
    int32_t *classes = calloc((size_t)period, sizeof *classes);
    if (!classes) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < period; i++) {
        int64_t in_turn = skips && i >= left_out ? i + 1 : i;
        classes[i] = (int32_t)(wanted->count ? (int64_t)wanted->items[i] : in_turn);
    }
    sumi_status status = inference_repeat_classes(context, model, session, period, classes);
    free(classes);
    return status;
}

/* ---- Opening and closing ---- */

struct inference inference_of(sumi_context *context, const struct inference_settings *settings,
                              const char *task, const char *folder)
{
    return (struct inference){
        .context = context, .settings = settings, .task = task, .folder = folder};
}

/* Prompts and a picture, and the guide, which by default guides prompts. */
static int set_conditions(struct inference *inference)
{
    const struct inference_settings *settings = inference->settings;
    struct guidance_settings guidance = settings->guidance;
    int code = prompts_read(inference->task, &settings->prompts, &inference->prompts);
    if (code == EXIT_DONE)
        code = prompts_apply(inference->context, inference->task, inference->model,
                             inference->session, &settings->prompts, &inference->prompts);
    if (inference->prompts.count && !guidance.scale) guidance.scale = PROMPT_GUIDANCE;
    if (code != EXIT_DONE) return code;
    return guidance_apply(inference->context, inference->task, inference->session, &guidance);
}

int inference_open(struct inference *inference, const char *usual)
{
    const struct inference_settings *settings = inference->settings;
    sumi_context *context = inference->context;
    const char *precision = settings->computing.precision;
    int code = computing_apply(context, &settings->computing);
    if (code != EXIT_DONE) return code;
    if (sumi_model_open(context, inference->folder, &inference->model) != SUMI_OK
        || sampling_recipe(context, inference->folder, &inference->recipe) != SUMI_OK)
        return fail_context(context);
    code = size_set(context, inference->task, inference->model, settings->size);
    if (code == EXIT_DONE)
        code = lora_apply(context, inference->task, inference->model, &settings->loras);
    if (code != EXIT_DONE) return code;
    sumi_status status = sumi_session_create(context, inference->model, &inference->session);
    if (status == SUMI_OK && precision)
        status = sumi_session_set(inference->session, "precision", precision);
    if (status != SUMI_OK) return fail_argument(context, status);
    code = set_conditions(inference);
    if (code == EXIT_DONE)
        code = steering_apply(context, inference->task, inference->session, &settings->guides,
                              &settings->labels, &inference->steering);
    if (code != EXIT_DONE) return code;
    return inference_change_solver(inference, settings->solver ? settings->solver : usual);
}

void inference_close(struct inference *inference)
{
    sumi_solver_free(inference->solver);
    sumi_recipe_free(inference->recipe);
    sumi_session_free(inference->session);
    steering_close(&inference->steering);
    sumi_model_free(inference->model);
    prompts_release(&inference->prompts);
}

int inference_change_solver(struct inference *inference, const char *name)
{
    sumi_solver_free(inference->solver);
    inference->solver = NULL;
    sumi_status status = make_solver(inference->model, inference->settings, name, inference->recipe,
                                     &inference->solver);
    if (status == SUMI_OK) status = steering_follow(&inference->steering, inference->solver);
    return status == SUMI_OK ? EXIT_DONE : fail_argument(inference->context, status);
}

int inference_set_classes(struct inference *inference, int64_t count, const struct numbers *wanted)
{
    sumi_status status =
        inference_classes(inference->context, inference->model, inference->session, count, wanted,
                          guidance_null_class(&inference->settings->guidance));
    return status == SUMI_OK ? EXIT_DONE : fail_argument(inference->context, status);
}

int inference_set_labels(struct inference *inference, int64_t count)
{
    struct numbers classes;
    if (inference->steering.classified && !sumi_model_classes(inference->model)) return EXIT_DONE;
    int code =
        labels_read(inference->task, inference->model, &inference->settings->labels, &classes);
    return code == EXIT_DONE ? inference_set_classes(inference, count, &classes) : code;
}

struct sampling inference_sampling(const struct inference *inference)
{
    return (struct sampling){.context = inference->context,
                             .model = inference->model,
                             .session = inference->session,
                             .solver = inference->solver,
                             .task = inference->task,
                             .quiet = inference->settings->quiet};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of guides, and the options of one; see kinds.h. */
#include "guides/kinds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/structure.h"
#include "base/text.h"
#include "solvers/solver.h"

static const struct guide_type *const types[] = {
    &guide_classifier_free, &guide_negative,      &guide_interval,  &guide_rescale,
    &guide_autoguidance,    &guide_cfg_plus_plus, &guide_classifier};
enum { TYPES = sizeof types / sizeof *types };

bool sumi_guide_describe(int number, sumi_guide_info *info)
{
    if (number < 0 || number >= TYPES) return false;
    const struct guide_type *type = types[number];
    const sumi_guide_info all = {.name = type->name,
                                 .paper = type->paper,
                                 .needs = type->needs ? type->needs : "",
                                 .evaluations = type->evaluations};
    return structure_fill(info, &all, sizeof all);
}

static sumi_status find_type(sumi_context *context, const char *name,
                             const struct guide_type **type)
{
    const char *names[TYPES + 1] = {NULL};
    for (int i = 0; i < TYPES; i++) {
        names[i] = types[i]->name;
        if (!name || strcmp(name, names[i]) != 0) continue;
        *type = types[i];
        return SUMI_OK;
    }
    if (!name) return context_fail(context, SUMI_ERROR_ARGUMENT, "a guide needs a name, not NULL");
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "there is no guide \"%.60s\"; did you mean \"%s\"?", name,
                        text_nearest(name, names));
}

sumi_status guide_create(sumi_context *context, const char *name, sumi_guide **guide)
{
    const struct guide_type *type = NULL;
    *guide = NULL;
    TRY(find_type(context, name, &type));
    sumi_guide *made = context_allocate_zeroed(context, 1, sizeof *made);
    void *settings = context_allocate_zeroed(context, 1, type->size);
    if (!made || !settings) {
        context_release(context, made);
        context_release(context, settings);
        return SUMI_ERROR_MEMORY;
    }
    *made = (sumi_guide){.context = context, .type = type, .settings = settings};
    snprintf(made->owner, sizeof made->owner, "the guide %s", type->name);
    made->options = (struct option_set){.context = context,
                                        .owner = made->owner,
                                        .noun = "option",
                                        .tables = {type->options},
                                        .values = settings};
    option_set_defaults(&made->options);
    *guide = made;
    return SUMI_OK;
}

void guide_free(sumi_guide *guide)
{
    if (!guide) return;
    if (guide->type->release) guide->type->release(guide->context, guide->settings);
    if (guide->likelihood.release)
        guide->likelihood.release(guide->context, guide->likelihood.user);
    sumi_condition_free(guide->condition);
    context_release(guide->context, guide->spare);
    context_release(guide->context, guide->levels);
    context_release(guide->context, guide->settings);
    context_release(guide->context, guide);
}

/* Refuses options that have no effect with the others, or that cannot be in the guide's place. */
static sumi_status check(const sumi_guide *guide)
{
    TRY(option_set_check(&guide->options, guide->type->name, ~0U));
    if (!guide->type->check || !guide->layer) return SUMI_OK;
    return guide->type->check(guide, guide->layer);
}

sumi_status guide_add(struct guide_stack *stack, sumi_guide *guide)
{
    const struct guide_type *type = guide->type;
    const struct guide layer = {.name = type->name,
                                .user = guide,
                                .predict = type->predict,
                                .product = type->product,
                                .sets_condition = type->sets_condition};
    TRY(guide_stack_add(stack, &layer));
    guide->layer = &stack->layers[stack->count - 1];
    sumi_status status = check(guide);
    if (status == SUMI_OK) return SUMI_OK;
    stack->count--;
    guide->layer = NULL;
    return status;
}

double guide_sigma(const struct guide_call *call, int64_t i)
{
    struct noise_level level = path_level(call->path, call->times[i]);
    return level.signal > 0 ? level.noise / level.signal : INFINITY;
}

sumi_status guide_reserve(sumi_guide *guide, int64_t count)
{
    if (count <= guide->capacity) return SUMI_OK;
    context_release(guide->context, guide->spare);
    guide->capacity = 0;
    guide->spare = context_allocate(guide->context, (size_t)count, sizeof *guide->spare);
    if (!guide->spare) return SUMI_ERROR_MEMORY;
    guide->capacity = count;
    return SUMI_OK;
}

sumi_status guide_check_path(const sumi_guide *guide, const struct guide_layer *layer)
{
    if (layer->stack->path) return SUMI_OK;
    return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                        "%s: needs a model whose scheduler determines the noise level of a time",
                        guide->type->name);
}

/* ---- What kinds need beside options ---- */

/* Refuses to set what a guide of this type does not use. */
static sumi_status check_use(const sumi_guide *guide, const struct guide_type *type,
                             const char *what)
{
    if (guide->type == type) return SUMI_OK;
    return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                        "the guide %s has no use for %s; the guide %s has", guide->type->name, what,
                        type->name);
}

sumi_status sumi_guide_set_denoiser(sumi_guide *guide, const sumi_own_denoiser *denoiser)
{
    sumi_own_denoiser own;
    TRY(check_use(guide, &guide_autoguidance, "another denoiser"));
    TRY(structure_read(guide->context, "sumi_own_denoiser", denoiser, &own, sizeof own));
    if (!own.predict) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "a denoiser needs the function \"predict\"");
    }
    guide->helper = denoising_of_own(&own);
    return SUMI_OK;
}

/* A likelihood of the caller as one of a call. */
struct own_likelihood {
    sumi_log_likelihood function;
    void *user;
};

static sumi_status own_gradient(void *user, const struct guide_call *call, float *log_likelihoods,
                                float *gradients)
{
    const struct own_likelihood *own = user;
    return own->function(own->user, call->count, call->item_size, call->x, call->times,
                         log_likelihoods, gradients);
}

sumi_status guide_set_likelihood(sumi_guide *guide, const struct guide_likelihood *likelihood)
{
    TRY(check_use(guide, &guide_classifier, "a likelihood"));
    if (guide->likelihood.release)
        guide->likelihood.release(guide->context, guide->likelihood.user);
    guide->likelihood = *likelihood;
    return SUMI_OK;
}

sumi_status sumi_guide_set_likelihood(sumi_guide *guide, sumi_log_likelihood function, void *user)
{
    if (!function) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "a guide needs a likelihood, not NULL");
    }
    struct own_likelihood *own = context_allocate(guide->context, 1, sizeof *own);
    if (!own) return SUMI_ERROR_MEMORY;
    *own = (struct own_likelihood){.function = function, .user = user};
    const struct guide_likelihood likelihood = {
        .user = own, .gradient = own_gradient, .release = context_release};
    sumi_status status = guide_set_likelihood(guide, &likelihood);
    if (status != SUMI_OK) context_release(guide->context, own);
    return status;
}

sumi_status sumi_guide_set_condition(sumi_guide *guide, const sumi_condition *condition)
{
    sumi_condition *copy = NULL;
    TRY(check_use(guide, &guide_negative, "a condition of its own"));
    TRY(condition_copy(guide->context, condition, &copy));
    sumi_condition_free(guide->condition);
    guide->condition = copy;
    return SUMI_OK;
}

sumi_status sumi_guide_follow(sumi_guide *guide, sumi_solver *solver)
{
    const struct noise_path *path = NULL;
    TRY(check_use(guide, &guide_cfg_plus_plus, "the levels of a solver"));
    TRY(solver_path(solver, &path));
    int64_t count = sumi_solver_times(solver, NULL, 0);
    double *levels = context_allocate(guide->context, (size_t)count + 1, sizeof *levels);
    if (!levels) return SUMI_ERROR_MEMORY;
    sumi_solver_times(solver, levels, count);
    for (int64_t i = 0; i < count; i++) {
        struct noise_level level = path_level(path, levels[i]);
        levels[i] = level.signal > 0 ? level.noise / level.signal : INFINITY;
    }
    context_release(guide->context, guide->spare);
    context_release(guide->context, guide->levels);
    guide->levels = levels;
    guide->level_count = count;
    return SUMI_OK;
}

/* ---- Options ---- */

const char *sumi_guide_name(const sumi_guide *guide)
{
    return guide->type->name;
}

bool sumi_guide_option(const sumi_guide *guide, int number, sumi_option *option)
{
    return option_set_describe(&guide->options, number, option);
}

/* After a refusal by check, the option has its previous value. */
sumi_status sumi_guide_set(sumi_guide *guide, const char *option, const char *value)
{
    const struct given_options given = guide->options.given;
    char before[OPTION_WORD_SIZE];
    if (option) option_set_get(&guide->options, option, before);
    TRY(option_set_text(&guide->options, option, value));
    sumi_status status = check(guide);
    if (status == SUMI_OK) return SUMI_OK;
    option_set_text(&guide->options, option, before);
    guide->options.given = given;
    return status;
}

sumi_status sumi_guide_set_number(sumi_guide *guide, const char *option, double value)
{
    char text[OPTION_WORD_SIZE];
    option_number_text(value, text);
    return sumi_guide_set(guide, option, text);
}

const char *sumi_guide_get(sumi_guide *guide, const char *option)
{
    return option_set_value(&guide->options, option);
}

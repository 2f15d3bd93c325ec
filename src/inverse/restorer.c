/* SPDX-License-Identifier: Apache-2.0 */
/* The table of methods, the options of a restorer, and its runs; see inverse.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/structure.h"
#include "inverse/inverse.h"
#include "models/session.h"

/* In the order of the choices. */
static const struct method_type *const methods[] = {&method_pigdm,   &method_dps,     &method_ddnm,
                                                    &method_repaint, &method_product, &method_smc};
enum { METHODS = sizeof methods / sizeof *methods };

#define OPTION_AT(member) offsetof(struct restorer_options, member)

static const struct option options[] = {
    {CHOICE_OPTION("method", "pigdm", "pigdm|dps|ddnm|repaint|product|smc",
                   "how the measurement steers the solver"),
     OPTION_AT(method)},
    {NUMBER_OPTION("noise", "0", 0, 1e6, "standard deviation of the noise of measurements"),
     OPTION_AT(noise)},
    {NUMBER_OPTION("variance", "1", 1e-12, 1e12, "v: variance of the data around their mean"),
     OPTION_AT(variance), "method=pigdm|smc"},
    {NUMBER_OPTION("zeta", "1", 0, 1e6, "length of a step along the gradient"), OPTION_AT(zeta),
     "method=dps"},
    {WHOLE_OPTION("jump", "10", 1, 1000000, "j: steps to go back"), OPTION_AT(jump),
     "method=repaint"},
    {WHOLE_OPTION("resample", "10", 1, 1000000, "r: how often each stretch of steps is made"),
     OPTION_AT(resample), "method=repaint"},
    {WHOLE_OPTION("particles", "64", 2, 10000000, "K: particles of each measurement"),
     OPTION_AT(particles), "method=smc"},
    {.name = NULL},
};

bool sumi_method_describe(int number, sumi_method_info *info)
{
    if (number < 0 || number >= METHODS) return false;
    const struct method_type *method = methods[number];
    const sumi_method_info all = {.name = method->name,
                                  .paper = method->paper,
                                  .evaluations = method->evaluations,
                                  .needs_product = method->needs_product,
                                  .needs_inverse = method->needs_inverse,
                                  .needs_noise = method->needs_noise};
    return structure_fill(info, &all, sizeof all);
}

sumi_status sumi_restorer_create(sumi_context *context, const sumi_operator *operator,
                                 const char * method, sumi_restorer **restorer)
{
    *restorer = NULL;
    if (!operator)
        return context_fail(context, SUMI_ERROR_ARGUMENT, "a restorer needs an operator, not NULL");
    sumi_restorer *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->operator= operator;
    made->set = (struct option_set){.context = context,
                                    .owner = "a restorer",
                                    .noun = "option",
                                    .tables = {options},
                                    .values = &made->options};
    option_set_defaults(&made->set);
    sumi_status status = method ? option_set_text(&made->set, "method", method) : SUMI_OK;
    if (status == SUMI_OK) *restorer = made;
    else sumi_restorer_free(made);
    return status;
}

void sumi_restorer_free(sumi_restorer *restorer)
{
    if (!restorer) return;
    context_release(restorer->context, restorer->evidence);
    context_release(restorer->context, restorer);
}

bool sumi_restorer_option(const sumi_restorer *restorer, int number, sumi_option *option)
{
    return option_set_describe(&restorer->set, number, option);
}

sumi_status sumi_restorer_set(sumi_restorer *restorer, const char *option, const char *value)
{
    return option_set_text(&restorer->set, option, value);
}

sumi_status sumi_restorer_set_number(sumi_restorer *restorer, const char *option, double value)
{
    return option_set_number(&restorer->set, option, value);
}

const char *sumi_restorer_get(sumi_restorer *restorer, const char *option)
{
    return option && option_set_get(&restorer->set, option, restorer->text) ? restorer->text : NULL;
}

bool sumi_restorer_evidence(const sumi_restorer *restorer, int64_t item, sumi_evidence *evidence)
{
    if (item < 0 || item >= restorer->evidence_count) return false;
    return structure_fill(evidence, &restorer->evidence[item], sizeof *evidence);
}

/* ---- Refusals ---- */

static sumi_status check_method(const sumi_restorer *restorer, const sumi_solver *solver,
                                const struct denoising *denoising)
{
    sumi_context *context = restorer->context;
    const struct method_type *method = methods[restorer->options.method];
    TRY(option_set_check(&restorer->set, method->name, ~0U));
    if (solver_is_binomial(solver)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the solver %s flips bits, so there is no estimate of data to measure",
                            solver->type->name);
    }
    if (method->needs_product && !denoising->product) {
        return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                            "the method %s needs vector-Jacobian products of the denoiser, which "
                            "this one has not; ddnm, repaint and product do without",
                            method->name);
    }
    if (method->needs_inverse && !operator_has_inverse(restorer->operator)) {
        return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                            "the method %s needs the pseudo-inverse of the operator, and the "
                            "operator %s has none; pigdm, dps, product and smc do without",
                            method->name, restorer->operator->name);
    }
    if (method->needs_noise && restorer->options.noise == 0) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the method %s weighs particles by the density of the measurement, "
                            "which needs a noise above 0",
                            method->name);
    }
    return SUMI_OK;
}

static sumi_status check_call(const sumi_restorer *restorer, const sumi_array *measured,
                              int64_t draws)
{
    sumi_context *context = restorer->context;
    const sumi_operator *operator= restorer->operator;
    int64_t count = measured->data ? sumi_array_count(measured) : 0;
    int64_t items = measured->rank > 0 ? measured->shape[0] : 0;
    if (draws < 1 || items < 1) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a restorer needs at least one measurement and one draw");
    }
    if (count != items * operator->measured_size) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the operator %s measures %lld numbers of an item, but a measurement "
                            "has %lld",
                            operator->name, (long long)operator->measured_size,
                            (long long)(count / items));
    }
    for (int64_t i = 0; i < count; i++) {
        if (isfinite(measured->data[i])) continue;
        return context_fail(context, SUMI_ERROR_NUMBER,
                            "number %lld of the measurements is not finite", (long long)i);
    }
    return SUMI_OK;
}

/* ---- A run ---- */

static void release(struct inverse *inverse)
{
    void *const blocks[] = {inverse->clean,    inverse->change,   inverse->products,
                            inverse->vectors,  inverse->outputs,  inverse->work,
                            inverse->residual, inverse->distance, inverse->longest};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        context_release(inverse->context, blocks[i]);
}

static sumi_status allocate(struct inverse *inverse)
{
    sumi_context *context = inverse->context;
    size_t rows = (size_t)inverse->rows, items = rows * (size_t)inverse->item_size;
    size_t outputs = rows * (size_t)inverse->output_size;
    size_t measured = (size_t)inverse->operator->measured_size;
    size_t most = measured > (size_t)inverse->item_size ? measured : (size_t)inverse->item_size;
    inverse->clean = context_allocate_zeroed(context, items, sizeof(float));
    inverse->change = context_allocate_zeroed(context, items, sizeof(float));
    inverse->products = context_allocate_zeroed(context, items, sizeof(float));
    inverse->vectors = context_allocate_zeroed(context, outputs, sizeof(float));
    inverse->outputs = context_allocate_zeroed(context, outputs, sizeof(float));
    inverse->work = context_allocate_zeroed(context, most, sizeof(float));
    inverse->residual = context_allocate_zeroed(context, most, sizeof(float));
    inverse->distance = context_allocate_zeroed(context, rows, sizeof(double));
    inverse->longest = context_allocate_zeroed(context, rows, sizeof(double));
    bool got = inverse->clean && inverse->change && inverse->products && inverse->vectors
               && inverse->outputs && inverse->work && inverse->residual && inverse->distance
               && inverse->longest;
    return got ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static sumi_status set_evidence(sumi_restorer *restorer, int64_t count)
{
    context_release(restorer->context, restorer->evidence);
    restorer->evidence = NULL;
    restorer->evidence_count = 0;
    if (count == 0) return SUMI_OK;
    restorer->evidence =
        context_allocate_zeroed(restorer->context, (size_t)count, sizeof *restorer->evidence);
    if (!restorer->evidence) return SUMI_ERROR_MEMORY;
    restorer->evidence_count = count;
    return SUMI_OK;
}

sumi_status inverse_solve(struct inverse *inverse, const struct denoising *denoising,
                          sumi_solver_watcher watcher, void *user, sumi_array *samples)
{
    return sumi_solver_run(inverse->solver, denoising->predict, denoising->user, samples->rank,
                           samples->shape, samples->data, watcher, user);
}

/* Starts from noise and runs the solver with the method's guide, correction and shift. */
static sumi_status run_steered(struct inverse *inverse, const struct denoising *denoising,
                               sumi_array *samples)
{
    const struct method_type *method = inverse->method;
    sumi_solver *solver = inverse->solver;
    struct guide_stack stack = guide_stack_of(inverse->context, denoising, inverse->path);
    const struct guide guide = {.name = method->name, .user = inverse, .predict = method->predict};
    const sumi_correction before = solver->correction;
    void *const before_user = solver->correction_user;
    sumi_status status = method->predict ? guide_stack_add(&stack, &guide) : SUMI_OK;
    const struct denoising whole = guide_stack_denoising(&stack);
    if (method->correct) sumi_solver_correct(solver, method->correct, inverse);
    solver_set_shift(solver, method->shift, inverse);
    if (status == SUMI_OK)
        status = sumi_solver_start(solver, samples->rank, samples->shape, samples->data);
    if (status == SUMI_OK)
        status = method->run ? method->run(inverse, &whole, samples)
                             : inverse_solve(inverse, &whole, inverse->watcher,
                                             inverse->watcher_user, samples);
    solver_set_shift(solver, NULL, NULL);
    sumi_solver_correct(solver, before, before_user);
    return status;
}

static sumi_status run_method(struct inverse *inverse, const struct denoising *denoising,
                              sumi_array *samples)
{
    bool alone = inverse->method == &method_smc; /* no run of the solver */
    TRY(solver_path(inverse->solver, &inverse->path));
    TRY(set_evidence(inverse->restorer, alone ? inverse->items : 0));
    TRY(allocate(inverse));
    return alone ? inverse->method->run(inverse, denoising, samples)
                 : run_steered(inverse, denoising, samples);
}

/* Samples [draws * items, item] by any denoiser. */
static sumi_status restore(sumi_restorer *restorer, sumi_solver *solver,
                           const struct denoising *denoising, const sumi_array *measured,
                           int64_t draws, sumi_solver_watcher watcher, void *user,
                           sumi_array *samples)
{
    const sumi_operator *operator= restorer->operator;
    const struct solver_options *chosen = solver_options(solver);
    memset(samples, 0, sizeof *samples);
    TRY(check_method(restorer, solver, denoising));
    TRY(check_call(restorer, measured, draws));
    int64_t shape[1 + SUMI_MAX_RANK] = {draws * measured->shape[0]};
    memcpy(shape + 1, operator->shape, (size_t) operator->rank * sizeof * shape);
    TRY(sumi_array_create(restorer->context, 1 + operator->rank, shape, samples));
    const struct method_type *method = methods[restorer->options.method];
    bool learned = chosen->variance_type >= VARIANCE_LEARNED;
    struct inverse inverse = {.context = restorer->context,
                              .restorer = restorer,
                              .options = &restorer->options,
                              .method = method,
                              .operator= operator,
                              .solver = solver,
                              .prediction = (enum prediction_type)chosen->prediction_type,
                              .rows =
                                  method == &method_smc ? restorer->options.particles : shape[0],
                              .item_size = operator->item_size,
                              .output_size = operator->item_size *(learned ? 2 : 1),
                              .items = measured->shape[0],
                              .item = -1,
                              .measured = measured->data,
                              .watcher = watcher,
                              .watcher_user = user};
    sumi_status status = run_method(&inverse, denoising, samples);
    release(&inverse);
    if (status != SUMI_OK && status != SUMI_STOPPED) sumi_array_release(restorer->context, samples);
    return status;
}

/* ---- For programs ---- */

sumi_status sumi_restore(sumi_restorer *restorer, sumi_solver *solver,
                         const sumi_own_denoiser *denoiser, const sumi_array *measured,
                         int64_t draws, sumi_solver_watcher watcher, void *user,
                         sumi_array *samples)
{
    sumi_own_denoiser own;
    memset(samples, 0, sizeof *samples);
    TRY(structure_read(restorer->context, "sumi_own_denoiser", denoiser, &own, sizeof own));
    if (!own.predict) {
        return context_fail(restorer->context, SUMI_ERROR_ARGUMENT,
                            "a denoiser needs the function \"predict\"");
    }
    const struct denoising denoising = denoising_of_own(&own);
    return restore(restorer, solver, &denoising, measured, draws, watcher, user, samples);
}

sumi_status sumi_session_restore(sumi_session *session, sumi_restorer *restorer,
                                 sumi_solver *solver, const sumi_array *measured, int64_t draws,
                                 sumi_solver_watcher watcher, void *user, sumi_array *samples)
{
    int64_t shape[SUMI_MAX_RANK] = {0};
    const sumi_operator *operator= restorer->operator;
    memset(samples, 0, sizeof *samples);
    int rank = sumi_model_shape(session->model, shape);
    if (rank != operator->rank || memcmp(shape, operator->shape, (size_t)rank * sizeof *shape)) {
        return context_fail(
            restorer->context, SUMI_ERROR_ARGUMENT,
            "the operator %s is for items of another shape than the model's", operator->name);
    }
    struct denoising denoising = session_denoising(session);
    if (session->stack.count) denoising.condition = session->stack.condition;
    return restore(restorer, solver, &denoising, measured, draws, watcher, user, samples);
}

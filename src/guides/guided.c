/* SPDX-License-Identifier: Apache-2.0 */
/* Guides around a denoiser of the caller: the stack of a session, without a model. */
#include "base/structure.h"
#include "guides/kinds.h"
#include "solvers/solver.h"

struct sumi_guided {
    sumi_context *context;
    sumi_condition *condition, *null; /* own copies; NULL for none */
    struct guide_stack stack;
};

/* The copies, the condition set on the denoiser, and the stack around it. */
static sumi_status fill(sumi_guided *guided, const sumi_own_denoiser *own, sumi_solver *solver,
                        const sumi_condition *condition, const sumi_condition *null)
{
    struct denoising core = denoising_of_own(own);
    const struct noise_path *path = NULL;
    TRY(condition_copy(guided->context, condition, &guided->condition));
    TRY(condition_copy(guided->context, null, &guided->null));
    if (solver && !solver_is_binomial(solver)) TRY(solver_path(solver, &path));
    if (core.set_condition) TRY(core.set_condition(core.user, guided->condition));
    core.condition = guided->condition;
    guided->stack = guide_stack_of(guided->context, &core, path);
    guided->stack.null = guided->null;
    if (path)
        guided->stack.prediction = (enum prediction_type)solver_options(solver)->prediction_type;
    return SUMI_OK;
}

sumi_status sumi_guided_create(sumi_context *context, const sumi_own_denoiser *denoiser,
                               sumi_solver *solver, const sumi_condition *condition,
                               const sumi_condition *null, sumi_guided **guided)
{
    sumi_own_denoiser own;
    *guided = NULL;
    TRY(structure_read(context, "sumi_own_denoiser", denoiser, &own, sizeof own));
    if (!own.predict || ((condition || null) && !own.set_condition)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            own.predict ? "a denoiser with a condition needs the function "
                                          "\"set_condition\""
                                        : "a denoiser needs the function \"predict\"");
    }
    sumi_guided *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    sumi_status status = fill(made, &own, solver, condition, null);
    if (status == SUMI_OK) *guided = made;
    else sumi_guided_free(made);
    return status;
}

void sumi_guided_free(sumi_guided *guided)
{
    if (!guided) return;
    for (int i = 0; i < guided->stack.count; i++) guide_free(guided->stack.layers[i].guide.user);
    sumi_condition_free(guided->condition);
    sumi_condition_free(guided->null);
    context_release(guided->context, guided);
}

sumi_status sumi_guided_add(sumi_guided *guided, const char *name, sumi_guide **guide)
{
    sumi_guide *made = NULL;
    if (guide) *guide = NULL;
    TRY(guide_create(guided->context, name, &made));
    sumi_status status = guide_add(&guided->stack, made);
    if (status != SUMI_OK) guide_free(made);
    else if (guide) *guide = made;
    return status;
}

sumi_status sumi_guided_denoiser(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                 const float *x, const float *times, float *output)
{
    sumi_guided *guided = user;
    const struct denoising whole = guide_stack_denoising(&guided->stack);
    return whole.predict(whole.user, count, item_size, output_size, x, times, output);
}

sumi_status sumi_guided_product(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                const float *x, const float *times, const float *vectors,
                                float *output, float *products)
{
    sumi_guided *guided = user;
    const struct denoising whole = guide_stack_denoising(&guided->stack);
    const char *without = guide_stack_without_product(&guided->stack);
    if (!whole.product) {
        return context_fail(guided->context, SUMI_ERROR_UNSUPPORTED,
                            "the %s has no vector-Jacobian products, which this needs",
                            without ? without : "denoiser");
    }
    return whole.product(whole.user, count, item_size, output_size, x, times, vectors, output,
                         products);
}

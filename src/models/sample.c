/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling from a model: creating its solver, and generating an array of items from noise. */
#include <stdio.h>
#include <string.h>

#include "models/auto_encoder.h"
#include "models/session.h"
#include "solvers/solver.h"

enum { CLASS_SIZE = 80 };

/* ---- The model's solver ---- */

/* The number of output channels shows whether the network predicts a variance; the solver's
   variance_type must agree with it. */
static sumi_status check_solver(sumi_context *context, const sumi_model *model,
                                const sumi_solver *solver)
{
    int64_t in = model->net->item_shape[model->net->item_rank - 1];
    int64_t out = model->net->out_channels;
    bool learned = solver_options(solver)->variance_type >= VARIANCE_LEARNED;
    bool optional = model->net->type->variance_is_optional && out == 2 * in;
    if (out == (learned ? 2 * in : in) || optional) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "the network has %lld input channels and %lld output channels; with "
                        "variance_type \"%s\" a solver needs %lld",
                        (long long)in, (long long)out, learned ? "learned_range" : "fixed_small",
                        (long long)(learned ? 2 * in : in));
}

static sumi_status fail_class(sumi_context *context, const char *class_name)
{
    char known[512] = "";
    size_t length = 0;
    sumi_solver_info info = {.size = sizeof info};
    for (int i = 0; sumi_solver_describe(i, &info) && length < sizeof known; i++) {
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                                   info.name);
    }
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "the model's scheduler, %s, is not available here; choose one of the "
                        "solvers %s by name",
                        class_name, known);
}

bool model_is_binomial(const sumi_model *model)
{
    char class_name[CLASS_SIZE];
    if (scheduler_class(model->context, model->scheduler, class_name, sizeof class_name) != SUMI_OK)
        return false;
    const char *own = solver_name_for_class(class_name);
    return own && strcmp(own, "binomial") == 0;
}

/* Refuses a solver for bits in a model of numbers, and the other way round. */
static sumi_status check_bits(sumi_context *context, const char *wanted, const char *own)
{
    static const char bits[] = "binomial";
    if (!own || (strcmp(wanted, bits) == 0) == (strcmp(own, bits) == 0)) return SUMI_OK;
    return context_fail(
        context, SUMI_ERROR_ARGUMENT,
        "the solver %s is for a diffusion of %s, but this model is one of %s; use %s", wanted,
        strcmp(wanted, bits) == 0 ? "bits" : "numbers", strcmp(own, bits) == 0 ? "bits" : "numbers",
        own);
}

/* Makes the solver `name` with the options of the model's scheduler; NULL: the scheduler's own. */
static sumi_status configure_solver(sumi_context *context, const sumi_model *model,
                                    const char *name, sumi_solver **solver)
{
    char class_name[CLASS_SIZE];
    *solver = NULL;
    TRY(scheduler_class(context, model->scheduler, class_name, sizeof class_name));
    const char *own = solver_name_for_class(class_name);
    if (!name && !own) return fail_class(context, class_name);
    if (!name) name = own;
    TRY(check_bits(context, name, own));
    sumi_solver *made = NULL;
    TRY(sumi_solver_create(context, name, &made));
    sumi_status status = sumi_solver_configure(made, model->scheduler);
    solver_set_resolution(made, net_resolution(model->net));
    if (status == SUMI_OK) *solver = made;
    else sumi_solver_free(made);
    return status;
}

sumi_status model_path_solver(sumi_context *context, const sumi_model *model, sumi_solver **solver)
{
    return configure_solver(context, model, NULL, solver);
}

static sumi_status make_solver(sumi_context *context, const sumi_model *model, const char *name,
                               sumi_solver **solver)
{
    TRY(configure_solver(context, model, name, solver));
    sumi_status status = check_solver(context, model, *solver);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_solver_free(*solver);
    *solver = NULL;
    return status;
}

sumi_status sumi_model_solver(const sumi_model *model, const char *name, sumi_solver **solver)
{
    return make_solver(model->context, model, name, solver);
}

sumi_status sumi_session_solver(sumi_session *session, const char *name, sumi_solver **solver)
{
    return make_solver(session->context, session->model, name, solver);
}

/* ---- Samples ---- */

/* The class of the null condition, which samples have only if they are asked for it; -1 if none. */
static int64_t null_class(const sumi_session *session)
{
    const struct condition_entry *entry = condition_find(session->null, "class");
    return entry && entry->integers ? *(const int32_t *)entry->values : -1;
}

/* Without a condition, samples the classes of a class-conditional model cyclically. */
static sumi_status choose_classes(sumi_session *session, int64_t count)
{
    int64_t classes = net_classes(session->model->net), shown = 0;
    int64_t null = classes > 1 ? null_class(session) : -1, most = count < classes ? count : classes;
    sumi_condition *condition = NULL;
    int32_t *values = context_allocate(session->context, (size_t)most, sizeof *values);
    sumi_status status = values ? SUMI_OK : SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < classes && shown < most && values; i++)
        if (i != null) values[shown++] = (int32_t)i;
    if (status == SUMI_OK) status = sumi_condition_create(session->context, &condition);
    if (status == SUMI_OK)
        status = sumi_condition_set_integers(condition, "class", 1, &shown, values);
    if (status == SUMI_OK) status = sumi_session_set_condition(session, condition);
    sumi_condition_free(condition);
    context_release(session->context, values);
    return status;
}

static sumi_status draw(sumi_session *session, sumi_solver *solver, sumi_solver_watcher watcher,
                        void *user, sumi_array *samples)
{
    TRY(session_check_call(session, samples->shape[0]));
    TRY(check_solver(session->context, session->model, solver));
    if (session->start.items.data) return start_draw(session, solver, watcher, user, samples);
    TRY(sumi_solver_start(solver, samples->rank, samples->shape, samples->data));
    return sumi_solver_run(solver, sumi_session_denoiser, session, samples->rank, samples->shape,
                           samples->data, watcher, user);
}

static sumi_status create_samples(const sumi_session *session, int64_t count, sumi_array *samples)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {count};
    int rank = 1 + sumi_model_shape(session->model, shape + 1);
    TRY(model_check_size(session->context, session->model));
    if (count < 1) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "the number of samples must be at least 1, not %lld", (long long)count);
    }
    return sumi_array_create(session->context, rank, shape, samples);
}

/* Latents that were drawn become pictures. */
static sumi_status decode(const sumi_session *session, sumi_array *samples)
{
    sumi_auto_encoder *coder = NULL;
    sumi_array pictures = {0};
    if (!session->model->auto_encoder) return SUMI_OK;
    TRY(sumi_auto_encoder_of(session->context, session->model, &coder));
    coder->precision = session->precision;
    sumi_status status = sumi_auto_encoder_decode(coder, samples, &pictures);
    sumi_auto_encoder_free(coder);
    if (status != SUMI_OK) return status;
    sumi_array_release(session->context, samples);
    *samples = pictures;
    return SUMI_OK;
}

sumi_status sumi_session_sample(sumi_session *session, sumi_solver *solver, int64_t count,
                                sumi_solver_watcher watcher, void *user, sumi_array *samples)
{
    sumi_solver *own = NULL;
    bool in_turn = !session->condition && net_classes(session->model->net) > 0;
    memset(samples, 0, sizeof *samples);
    TRY(create_samples(session, count, samples));
    sumi_status status = solver ? SUMI_OK : sumi_session_solver(session, NULL, &own);
    if (status == SUMI_OK && in_turn) status = choose_classes(session, count);
    if (status == SUMI_OK) status = draw(session, solver ? solver : own, watcher, user, samples);
    if (status == SUMI_OK) status = decode(session, samples);
    if (status != SUMI_OK && status != SUMI_STOPPED) sumi_array_release(session->context, samples);
    if (in_turn) sumi_session_set_condition(session, NULL);
    sumi_solver_free(own);
    return status;
}

sumi_status sumi_model_sample(sumi_model *model, sumi_solver *solver, int64_t count,
                              const sumi_condition *condition, sumi_array *samples)
{
    sumi_session *session = NULL;
    memset(samples, 0, sizeof *samples);
    TRY(sumi_session_create(model->context, model, &session));
    sumi_status status = sumi_session_set_condition(session, condition);
    if (status == SUMI_OK)
        status = sumi_session_sample(session, solver, count, NULL, NULL, samples);
    sumi_session_free(session);
    return status;
}

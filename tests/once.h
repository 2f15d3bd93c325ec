/* SPDX-License-Identifier: Apache-2.0 */
/* A model run once: each call makes a session for itself. `classes` (NULL for none) are the items'
   condition "class". */
#ifndef TESTS_ONCE_H
#define TESTS_ONCE_H

#include "check.h"

/* A condition of classes[count]; NULL in *condition for NULL. */
static inline sumi_status once_condition(sumi_context *context, int64_t count,
                                         const int32_t *classes, sumi_condition **condition)
{
    *condition = NULL;
    if (!classes) return SUMI_OK;
    sumi_status status = sumi_condition_create(context, condition);
    if (status == SUMI_OK)
        status = sumi_condition_set_integers(*condition, "class", 1, &count, classes);
    return status;
}

static inline sumi_status once_set(sumi_context *context, sumi_session *session, int64_t count,
                                   const int32_t *classes)
{
    sumi_condition *condition = NULL;
    sumi_status status = once_condition(context, count, classes, &condition);
    if (status == SUMI_OK) status = sumi_session_set_condition(session, condition);
    sumi_condition_free(condition);
    return status;
}

static inline sumi_status once_open(sumi_context *context, const sumi_model *model, int64_t count,
                                    const int32_t *classes, sumi_session **session)
{
    sumi_status status = sumi_session_create(context, model, session);
    return status == SUMI_OK ? once_set(context, *session, count, classes) : status;
}

static inline sumi_status once_predict(sumi_context *context, const sumi_model *model,
                                       int64_t count, const float *x, const float *times,
                                       const int32_t *classes, float *output)
{
    sumi_session *session = NULL;
    sumi_status status = once_open(context, model, count, classes, &session);
    if (status == SUMI_OK) status = sumi_session_predict(session, count, x, times, output);
    sumi_session_free(session);
    return status;
}

static inline sumi_status once_gradient(sumi_context *context, const sumi_model *model,
                                        int64_t count, const float *x, const float *times,
                                        double *loss, float *const *gradients)
{
    sumi_session *session = NULL;
    sumi_status status = sumi_session_create(context, model, &session);
    if (status == SUMI_OK)
        status = sumi_session_gradient(session, count, x, times, loss, gradients);
    sumi_session_free(session);
    return status;
}

/* The solver's run with the model as its denoiser. */
static inline sumi_status once_run(sumi_context *context, const sumi_model *model,
                                   sumi_solver *solver, int rank, const int64_t *shape, float *x)
{
    sumi_session *session = NULL;
    sumi_status status = sumi_session_create(context, model, &session);
    if (status == SUMI_OK)
        status =
            sumi_solver_run(solver, sumi_session_denoiser, session, rank, shape, x, NULL, NULL);
    sumi_session_free(session);
    return status;
}

static inline sumi_status once_bound(sumi_context *context, const sumi_model *model,
                                     sumi_likelihood *likelihood, sumi_data *data)
{
    sumi_session *session = NULL;
    sumi_status status = sumi_session_create(context, model, &session);
    if (status == SUMI_OK) status = sumi_session_bound(session, likelihood, data, NULL, NULL);
    sumi_session_free(session);
    return status;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The score of noised data under a model with any type of prediction. */
#include <math.h>
#include <string.h>

#include "models/session.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

/* Evaluates the network on the scaled state; writes the prediction to `score`. */
static sumi_status predict(sumi_session *session, int64_t count, const float *x, double time,
                           double scale, float *score)
{
    int64_t total = count * model_item_size(session->model);
    float *times = context_allocate(session->context, (size_t)count, sizeof *times);
    float *input = context_allocate(session->context, (size_t)total, sizeof *input);
    sumi_status status = times && input ? SUMI_OK : SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count && times; i++) times[i] = (float)time;
    if (status == SUMI_OK) {
        rows_combine(session->context->threads, total, input, 1, &(struct row_term){scale, x});
        status = sumi_session_predict(session, count, input, times, score);
    }
    context_release(session->context, times);
    context_release(session->context, input);
    return status;
}

/* score = -e / s (Song et al. 2021), with e from the prediction. */
static sumi_status fill(sumi_session *session, sumi_solver *solver, int64_t count, const float *x,
                        double time, float *score)
{
    const struct noise_path *path = NULL;
    TRY(solver_path(solver, &path));
    struct noise_level level = path_level(path, time);
    if (!isfinite(time) || !(level.noise > 0) || !isfinite(level.noise)) {
        return context_fail(session->context, SUMI_ERROR_ARGUMENT,
                            "at time %g there is no noise, so the score is undefined", time);
    }
    if (model_output_size(session->model) != model_item_size(session->model)) {
        return context_fail(
            session->context, SUMI_ERROR_UNSUPPORTED,
            "the score is not available for a network that also outputs a variance");
    }
    enum prediction_type type = (enum prediction_type)solver_options(solver)->prediction_type;
    struct prediction_map map = path_map(path, type, &level);
    TRY(predict(session, count, x, time, path_input_scale(path, &level), score));
    const struct row_term terms[] = {{-map.noise_state / level.noise, x},
                                     {-map.noise_prediction / level.noise, score}};
    rows_combine(session->context->threads, count * model_item_size(session->model), score, 2,
                 terms);
    return SUMI_OK;
}

sumi_status sumi_session_score(sumi_session *session, int64_t count, const float *x, double time,
                               float *score)
{
    sumi_solver *solver = NULL;
    TRY(session_check_call(session, count));
    TRY(sumi_session_solver(session, NULL, &solver));
    sumi_status status = fill(session, solver, count, x, time, score);
    sumi_solver_free(solver);
    return status;
}

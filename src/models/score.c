/* SPDX-License-Identifier: Apache-2.0 */
/* The score of noised data by a model, whatever its network predicts. */
#include <math.h>
#include <string.h>

#include "models/model.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

/* Evaluates the network at the state on its own scale; `score` holds the prediction then. */
static sumi_status predict(sumi_model *model, int64_t count, const float *x, double time,
                           double scale, const int32_t *labels, float *score)
{
    int64_t total = count * model_item_size(model);
    float *times = context_allocate(model->context, (size_t)count, sizeof *times);
    float *input = context_allocate(model->context, (size_t)total, sizeof *input);
    sumi_status status = times && input ? SUMI_OK : SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count && times; i++) times[i] = (float)time;
    if (status == SUMI_OK) {
        rows_combine(model->context->threads, total, input, 1, &(struct row_term){scale, x});
        status = sumi_model_predict(model, count, input, times, labels, score);
    }
    context_release(model->context, times);
    context_release(model->context, input);
    return status;
}

/* score = -e / s (Song et al. 2021), and e by the prediction. */
static sumi_status fill(sumi_model *model, sumi_solver *solver, int64_t count, const float *x,
                        double time, const int32_t *labels, float *score)
{
    const struct noise_path *path = NULL;
    TRY(solver_path(solver, &path));
    struct noise_level level = path_level(path, time);
    if (!isfinite(time) || !(level.noise > 0) || !isfinite(level.noise)) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "at time %g there is no noise, so noised data have no score", time);
    }
    if (model_output_size(model) != model_item_size(model)) {
        return context_fail(model->context, SUMI_ERROR_UNSUPPORTED,
                            "the score of a network that gives a variance too is not available");
    }
    enum prediction_type type = (enum prediction_type)solver_options(solver)->prediction_type;
    struct prediction_map map = path_map(path, type, &level);
    TRY(predict(model, count, x, time, path_input_scale(path, &level), labels, score));
    const struct row_term terms[] = {{-map.noise_state / level.noise, x},
                                     {-map.noise_prediction / level.noise, score}};
    rows_combine(model->context->threads, count * model_item_size(model), score, 2, terms);
    return SUMI_OK;
}

sumi_status sumi_model_score(sumi_model *model, int64_t count, const float *x, double time,
                             const int32_t *labels, float *score)
{
    sumi_solver *solver = NULL;
    TRY(model_check_size(model));
    TRY(sumi_model_solver(model, NULL, &solver));
    sumi_status status = fill(model, solver, count, x, time, labels, score);
    sumi_solver_free(solver);
    return status;
}

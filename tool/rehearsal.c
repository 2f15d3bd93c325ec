/* SPDX-License-Identifier: Apache-2.0 */
/* Testing a solver before the training; see rehearsal.h. */
#include "rehearsal.h"

#include <string.h>

#include "inference.h"

static sumi_status predict_zero(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                const float *x, const float *times, float *output)
{
    (void)user, (void)item_size, (void)x, (void)times;
    memset(output, 0, (size_t)(count * output_size) * sizeof *output);
    return SUMI_OK;
}

static sumi_status walk(sumi_context *context, sumi_model *model, sumi_solver *solver)
{
    int64_t shape[1 + SUMI_MAX_RANK];
    int rank = 1 + sumi_model_shape(model, shape + 1);
    sumi_array state = {0};
    for (int i = 0; i + 1 < rank; i++) shape[i] = 1;
    sumi_status status = sumi_array_create(context, rank, shape, &state);
    if (status == SUMI_OK) status = sumi_solver_start(solver, rank, shape, state.data);
    if (status == SUMI_OK)
        status = sumi_solver_run(solver, predict_zero, NULL, rank, shape, state.data, NULL, NULL);
    sumi_array_release(context, &state);
    /* the result of a network of zeros says nothing about a trained one */
    return status == SUMI_ERROR_NUMBER ? SUMI_OK : status;
}

int rehearse(sumi_context *context, sumi_model *model, const sumi_recipe *recipe)
{
    const struct inference_settings left_open = {.steps = 0};
    sumi_solver *solver = NULL;
    sumi_status status = inference_solver(model, &left_open, recipe, &solver);
    if (status == SUMI_OK) status = walk(context, model, solver);
    sumi_solver_free(solver);
    if (status == SUMI_OK) return EXIT_DONE;
    return fail(status == SUMI_ERROR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED,
                "no samples could be drawn after the training (see [sample] and [noise] of the "
                "recipe): %s",
                sumi_context_message(context));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler of unCLIP in building_blocks.json: its times, its table of betas and the variances
   of its steps. */
#include <math.h>

#include "solvers/solver.h"
#include "vectors/blocks.h"

/* The record's variance of a step: of its deviation the logarithm of the square, for three outputs
   of the network, or the deviation itself. No noise is added at time 0. */
static void compare_variance(struct vectors_row *row, const sumi_solver *solver, int64_t place)
{
    static const double outputs[] = {-1, 0, 0.7};
    const struct grid *grid = &solver->grid;
    double time = grid->times[place];
    double previous = place + 1 < grid->count ? grid->times[place + 1] : -INFINITY;
    const struct posterior posterior =
        schedule_posterior(&solver->schedule, (int64_t)time, previous);
    const struct variance_range range = posterior_range(&posterior);
    json_object *expected =
        json_object_array_get_idx(vectors_get(row->record, "variances"), (size_t)place);
    enum variance_type type = (enum variance_type)solver_options(solver)->variance_type;
    if (type != VARIANCE_LEARNED_RANGE) {
        double deviation = vectors_number_at(expected, 0);
        vectors_compare(row, posterior_deviation(type, &posterior), deviation,
                        BLOCKS_TOLERANCE * deviation, "deviation at %g", time);
        return;
    }
    for (int i = 0; i < 3 && time > 0; i++) {
        double variance = 2 * log(range_deviation(&range, outputs[i]));
        double wanted = vectors_number_at(expected, i);
        vectors_compare(row, variance, wanted, BLOCKS_TOLERANCE * fabs(wanted),
                        "log variance at %g for %g", time, outputs[i]);
    }
}

/* The record's tables at some times. */
static void compare_schedule(struct vectors_row *row, const struct schedule *schedule)
{
    static const int64_t times[] = {0, 1, 10, 100, 500, 900, 998, 999};
    for (int i = 0; i < 8; i++) {
        double product = vectors_number_at(vectors_get(row->record, "alphas_cumprod"), i);
        double beta = vectors_number_at(vectors_get(row->record, "betas"), i);
        vectors_compare(row, schedule->alphas_cumprod[times[i]], product,
                        BLOCKS_TOLERANCE * product, "alphas_cumprod[%d]", (int)times[i]);
        vectors_compare(row, schedule->betas[times[i]], beta, BLOCKS_TOLERANCE * beta, "betas[%d]",
                        (int)times[i]);
    }
}

static sumi_status run_unclip(struct vectors_row *row, sumi_solver *solver)
{
    json_object *times = vectors_get(row->record, "timesteps");
    TRY(sumi_solver_set_number(solver, "steps", vectors_number(row->record, "steps")));
    TRY(sumi_solver_set(solver, "variance_type", vectors_text(row->record, "variance_type")));
    TRY(sumi_solver_set(solver, "prediction_type", vectors_text(row->record, "prediction_type")));
    TRY(solver_prepare(solver));
    compare_schedule(row, &solver->schedule);
    for (int64_t i = 0; i < solver->grid.count; i++) {
        vectors_compare(row, solver->grid.times[i], vectors_number_at(times, i), 0, "time %d",
                        (int)i);
        compare_variance(row, solver, i);
    }
    return SUMI_OK;
}

void blocks_check_unclip(struct vectors_row *row)
{
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    if (sumi_context_create(NULL, &context) != SUMI_OK) {
        vectors_fail(row, "there is no context");
        return;
    }
    sumi_status status =
        sumi_solver_create(context, solver_name_for_class("UnCLIPScheduler"), &solver);
    if (status == SUMI_OK) status = run_unclip(row, solver);
    if (status != SUMI_OK) vectors_fail(row, "%s", sumi_context_message(context));
    sumi_solver_free(solver);
    sumi_context_free(context);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of noise and data at both ends of a trained model's probability flow (Liu et al. 2022,
   section 2.2, "reflow"). They depend only on the teacher and on train.seed, so that a resumed run
   generates the same pairs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "learn/coupling.h"
#include "learn/keys.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

const struct option reflow_keys[] = {
    {PATH_OPTION("train.teacher", "",
                 "folder of the trained model that generates the pairs of reflow"),
     .when = "train.coupling=reflow"},
    {TEXT_OPTION("train.teacher_solver", "flow-heun", "solver for the teacher's flow"),
     .when = "train.coupling=reflow"},
    {WHOLE_OPTION("train.teacher_steps", "50", 1, 100000, "its steps"),
     .when = "train.coupling=reflow"},
    {WHOLE_OPTION("train.pairs", "20000", 1, 1e9, "number of pairs of noise and data for reflow"),
     .when = "train.coupling=reflow"},
    {.name = NULL},
};

static sumi_status set_whole(sumi_solver *solver, const char *option, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    return sumi_solver_set(solver, option, text);
}

/* Opens the teacher's solver, which must be deterministic. */
static sumi_status open_solver(const struct learning *learning, sumi_model *teacher,
                               sumi_solver **solver)
{
    const char *name = recipe_text(learning->recipe, "train.teacher_solver");
    char seed[24];
    sumi_solver_info info = {.size = sizeof info};
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        if (strcmp(info.name, name) != 0 || !info.stochastic) continue;
        return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                            "train.teacher_solver = %s adds noise in its steps, so its start and "
                            "end are not pairs; use a solver that adds none, such as flow-heun",
                            name);
    }
    TRY(sumi_model_solver(teacher, name, solver));
    TRY(set_whole(*solver, "steps", recipe_int(learning->recipe, "train.teacher_steps")));
    snprintf(seed, sizeof seed, "%" PRIu64, recipe_seed(learning->recipe, "train.seed"));
    return sumi_solver_set(*solver, "seed", seed);
}

static sumi_status check_teacher(const struct learning *learning, const sumi_model *teacher)
{
    struct shape wanted, given;
    wanted.rank = sumi_model_shape(learning->model, wanted.size);
    given.rank = sumi_model_shape(teacher, given.size);
    bool alike = sumi_model_classes(teacher) == sumi_model_classes(learning->model);
    if (shape_equal(&wanted, &given) && alike) return SUMI_OK;
    return context_fail(
        learning->context, SUMI_ERROR_ARGUMENT,
        "%s: the teacher's items or classes differ from those of the model to be trained",
        recipe_text(learning->recipe, "train.teacher"));
}

/* Assigns the classes cyclically, to the teacher's condition and to the pairs. */
static sumi_status choose_classes(const struct learning *learning, sumi_session *teacher,
                                  struct coupling *coupling)
{
    sumi_condition *condition = NULL;
    if (!coupling->labels) return SUMI_OK;
    for (int64_t i = 0; i < coupling->pairs; i++)
        coupling->labels[i] = (int32_t)(i % sumi_model_classes(learning->model));
    TRY(sumi_condition_create(learning->context, &condition));
    sumi_status status =
        sumi_condition_set_integers(condition, "class", 1, &coupling->pairs, coupling->labels);
    if (status == SUMI_OK) status = sumi_session_set_condition(teacher, condition);
    sumi_condition_free(condition);
    return status;
}

static sumi_status follow_flow(const struct learning *learning, sumi_session *teacher,
                               sumi_solver *solver, struct coupling *coupling)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {coupling->pairs};
    int rank = 1 + sumi_model_shape(learning->model, shape + 1);
    int64_t total = coupling->pairs * coupling->item_size;
    TRY(choose_classes(learning, teacher, coupling));
    TRY(sumi_solver_start(solver, rank, shape, coupling->clean));
    const struct row_term start = {1 / sumi_solver_initial_sigma(solver), coupling->clean};
    rows_combine(learning->context->threads, total, coupling->noise, 1, &start);
    return sumi_solver_run(solver, sumi_session_denoiser, teacher, rank, shape, coupling->clean,
                           NULL, NULL);
}

int64_t reflow_pairs(const sumi_recipe *recipe)
{
    return recipe_int(recipe, "train.pairs");
}

sumi_status reflow_draw(const struct learning *learning, struct coupling *coupling)
{
    const char *path = recipe_text(learning->recipe, "train.teacher");
    sumi_model *teacher = NULL;
    sumi_session *session = NULL;
    sumi_solver *solver = NULL;
    if (!path[0]) {
        return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                            "train.coupling = reflow needs a trained model: --set "
                            "train.teacher=FOLDER");
    }
    TRY(sumi_model_open(learning->context, path, &teacher));
    sumi_status status = check_teacher(learning, teacher);
    if (status == SUMI_OK) status = open_solver(learning, teacher, &solver);
    if (status == SUMI_OK) status = sumi_session_create(learning->context, teacher, &session);
    if (status == SUMI_OK) status = follow_flow(learning, session, solver, coupling);
    sumi_session_free(session);
    sumi_solver_free(solver);
    sumi_model_free(teacher);
    return status;
}

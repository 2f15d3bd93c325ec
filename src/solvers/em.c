/* SPDX-License-Identifier: Apache-2.0 */
/* Euler-Maruyama on the reverse stochastic equation of "Score-based generative modeling through
   stochastic differential equations", Song, Sohl-Dickstein, Kingma, Kumar, Ermon and Poole 2021,
   eq. 6, in the path's own time. */
#include "solvers/defaults.h"
#include "solvers/score.h"

static sumi_status em_step(struct solver_run *run)
{
    struct level level = run_level(run, run->place);
    TRY(run_evaluate_here(run));
    score_fill(run, &level, run->row[0]);
    score_euler_maruyama(run, run->row[0], run->row[1]);
    return SUMI_OK;
}

const struct solver_type solver_em = {
    .name = "em",
    .paper = "Song et al. 2021, Score-based generative modeling through SDEs",
    .classes = {"ScoreSdeVpScheduler"},
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 2,
    .scale = SCALE_OWN,
    .family = TIMES_REAL,
    .defaults = defaults_score_vp,
    .ignored = "interpolation_type",
    .step = em_step,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Predictor-corrector sampling: "Score-based generative modeling through stochastic differential
   equations", Song et al. 2021, algorithms 2 to 5. At each level, `correct_steps` steps of
   Langevin's dynamics bring the state to the level's distribution; their size keeps the ratio of
   the score's contribution to that of the noise at `snr`. Then the predictor goes to the next
   level. The levels are those of algorithm 1's discretisations: x_next is noised to x by x = r
   x_next + G z, with r and G from the path's a and s. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/score.h"
#include "vectors/rows.h"

/* The choices are in the order of enum predictor. */
static const struct option pc_options[] = {
    {CHOICE_OPTION("predictor", "auto", "auto|reverse_diffusion|ancestral|euler_maruyama",
                   "method that goes to the next level; auto: ancestral, or the first for"
                   " ScoreSdeVeScheduler"),
     AT(predictor), .first = PREDICTOR_USUAL},
    {WHOLE_OPTION("correct_steps", "1", 0, 1000, "steps of Langevin's dynamics at each level"),
     AT(correct_steps)},
    {NUMBER_OPTION("snr", "0.16", 0, 1e3, "signal-to-noise ratio of these steps"), AT(snr),
     "correct_steps!=0"},
    {FLAG_OPTION("noise_removal", "true", "no noise in the last step"), AT(noise_removal),
     "predictor!=euler_maruyama"},
    {.name = NULL},
};

/* The levels of algorithm 2: a geometric sequence including both ends. The network's times stay at
   least eps above 0, as in the authors' program. */
static void place_geometric(const struct noise_path *path, struct grid *grid)
{
    double growth = log(path->sigma_max / path->sigma_min), last = (double)(grid->count - 1);
    for (int64_t i = 0; i < grid->count && last > 0; i++)
        grid->sigmas[i] = path->sigma_max * exp(-growth * (double)i / last);
}

static sumi_status pc_arrange(sumi_context *context, const struct solver_options *options,
                              const struct noise_path *path, struct grid *grid)
{
    int64_t steps = grid->count, each = options->correct_steps + 1;
    if (path->kind == PATH_VE && !options->timesteps.values && !options->sigmas.values
        && isinf(options->start_time))
        place_geometric(path, grid);
    double last = grid->sigmas[steps];
    TRY(grid_resize(context, grid, steps * each));
    for (int64_t place = grid->count - 1; place > 0; place--) {
        grid->times[place] = grid->times[place / each];
        grid->sigmas[place] = grid->sigmas[place / each];
    }
    grid->sigmas[grid->count] = last;
    return SUMI_OK;
}

/* Mean over the batch of the Euclidean norm of each item. */
static double mean_norm(const struct solver_run *run, const float *row)
{
    double sum = 0;
    for (int64_t item = 0; item < run->shape.items; item++) {
        const float *at = row + item * run->shape.item_size;
        double square = 0;
        for (int64_t i = 0; i < run->shape.item_size; i++) square += (double)at[i] * at[i];
        sum += sqrt(square);
    }
    return sum / (double)run->shape.items;
}

/* Algorithms 4 and 5: x += epsilon score + sqrt(2 epsilon) z with
   epsilon = 2 alpha (snr |z| / |score|)^2; alpha is 1 where the signal stays, else 1 - beta of one
   of the path's T steps. */
static void correct(struct solver_run *run, const float *score, float *noise)
{
    const struct noise_path *path = run->path;
    struct noise_level level = path_level_at(path, run->sigmas[run->place]);
    run_draw(run, noise);
    double steepness = mean_norm(run, score);
    if (steepness == 0) return; /* a zero score: no step */
    double ratio = run->options->snr * mean_norm(run, noise) / steepness;
    double alpha = exp(2 * path_sde(&level).drift / (double)path->count);
    double epsilon = 2 * alpha * ratio * ratio;
    rows_combine(run->threads, run->total, run->x, 3,
                 (struct row_term[]){{1, run->x}, {epsilon, score}, {sqrt(2 * epsilon), noise}});
}

/* For "auto": the predictor of the authors' program for their class, else the ancestral one. The
   noise of an ancestral step is that of its end, not of its start, so that long steps do not leave
   too much noise. */
static enum predictor chosen_predictor(const struct solver_run *run)
{
    if (run->options->predictor != PREDICTOR_USUAL) return (enum predictor)run->options->predictor;
    return run->options->as_class ? PREDICTOR_REVERSE_DIFFUSION : PREDICTOR_ANCESTRAL;
}

/* Reverse diffusion, eq. 46, as in algorithms 2 and 3: x_next = (2 - r) x + G^2 score + G z; or
   ancestral sampling: eq. 4, x_next = (x + G^2 score) / r + G z, and where the signal stays eq. 47,
   with the posterior's deviation. The last step has no noise, unless noise_removal is off. */
static void predict(struct solver_run *run, const float *score, float *noise)
{
    struct level from = run_level(run, run->place);
    double end = run->sigmas[run->place + 1];
    struct level to = run_level(run, run->place + 1);
    if (end == 0) to = (struct level){1, 0, INFINITY};
    double r = from.signal / to.signal;
    double square = fmax(from.noise * from.noise - r * r * to.noise * to.noise, 0);
    double keep = 2 - r, gain = square, deviation = sqrt(square);
    if (chosen_predictor(run) == PREDICTOR_ANCESTRAL) {
        keep = 1 / r;
        gain = square / r;
        if (from.signal == to.signal) deviation *= to.noise / from.noise;
    }
    bool last = run->place + 1 == run->time_count;
    run_draw(run, noise);
    if (last && run->options->noise_removal) deviation = 0;
    rows_combine(run->threads, run->total, run->x, 3,
                 (struct row_term[]){{keep, run->x}, {gain, score}, {deviation, noise}});
}

static sumi_status pc_step(struct solver_run *run)
{
    int64_t each = run->options->correct_steps + 1;
    float *score = run->row[0], *noise = run->row[1];
    struct level level = run_level(run, run->place);
    TRY(run_evaluate_here(run));
    score_fill(run, &level, score);
    if (run->place % each < each - 1) correct(run, score, noise);
    else if (chosen_predictor(run) == PREDICTOR_EULER) score_euler_maruyama(run, score, noise);
    else predict(run, score, noise);
    return SUMI_OK;
}

const struct solver_type solver_pc = {
    .name = "pc",
    .paper = "Song et al. 2021, Score-based generative modeling through SDEs",
    .classes = {"ScoreSdeVeScheduler"},
    .order = 1,
    .evaluations = 2,
    .stochastic = true,
    .rows = 2,
    .scale = SCALE_OWN,
    .family = TIMES_REAL,
    .defaults = defaults_score_ve,
    .arrange = pc_arrange,
    .options = {pc_options},
    .step = pc_step,
};
